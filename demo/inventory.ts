/** The sample shop: its tables, and the trickle of writes that keeps the pipeline busy. */
import { Client } from "pg";

export const TABLES = ["customers", "products", "orders", "order_lines"] as const;
/** Columns of each primary key, for an ordered checksum. */
const KEYS: Readonly<Record<(typeof TABLES)[number], string>> = {
  customers: "id",
  products: "id",
  orders: "id",
  order_lines: "order_id, line",
};

const SCHEMA = `
  create table customers (id serial primary key, name text not null, email varchar(120), vip boolean not null default false, created timestamptz not null default now());
  create table products (id serial primary key, name text not null, price numeric(10,2) not null, stock integer not null, tags jsonb);
  create table orders (id serial primary key, customer_id integer not null references customers, placed timestamp(3) not null default localtimestamp, note text);
  create table order_lines (order_id integer references orders on delete cascade, line smallint, product_id integer not null references products, quantity integer not null, primary key (order_id, line));
  insert into customers (name, email, vip) select 'Customer ' || i, 'customer' || i || '@example.com', i % 7 = 0 from generate_series(1, 200) i;
  insert into products (name, price, stock, tags) select 'Product ' || i, (i * 137 % 9900) / 100.0 + 1, 100 + i, jsonb_build_object('shelf', i % 12, 'fragile', i % 5 = 0) from generate_series(1, 60) i;
`;

export const connect = async (port: number, database: string): Promise<Client> => {
  const client = new Client({ host: "127.0.0.1", port, user: "postgres", database, application_name: "millrace demo" });
  // A server that goes away ends queries with an error; the event alone must not end the process.
  client.on("error", () => {});
  await client.connect();
  return client;
};

/** Makes both databases on first use. */
export async function createDatabases(port: number): Promise<void> {
  const admin = await connect(port, "postgres");
  try {
    const { rows } = await admin.query<{ datname: string }>("select datname from pg_database");
    const there = new Set(rows.map((r) => r.datname));
    if (!there.has("inventory_replica")) await admin.query("create database inventory_replica");
    if (there.has("inventory")) return;
    await admin.query("create database inventory");
  } finally {
    await admin.end();
  }
  const shop = await connect(port, "inventory");
  try {
    await shop.query(SCHEMA);
  } finally {
    await shop.end();
  }
}

const ORDERS_KEPT = 400;
/** One step of the trickle: mostly orders over three tables in one transaction, some updates, some deletes. */
async function step(client: Client, turn: number): Promise<void> {
  switch (turn % 6) {
    case 0:
      await client.query("insert into customers (name, email) values ('Customer ' || $1::int, 'new' || $1::int || '@example.com')", [turn]);
      return;
    case 1:
      await client.query(
        "update customers set email = 'moved' || $1::int || '@example.com', vip = not vip where id = (select id from customers order by random() limit 1)",
        [turn],
      );
      return;
    case 2:
      await client.query(
        "update products set price = price + 0.01, stock = stock + 5 where id = (select id from products order by random() limit 1)",
      );
      return;
    case 3:
      await client.query("begin");
      await client.query("delete from order_lines where order_id in (select id from orders order by id desc offset $1)", [ORDERS_KEPT]);
      await client.query("delete from orders where id in (select id from orders order by id desc offset $1)", [ORDERS_KEPT]);
      await client.query(
        "delete from customers c where id = (select max(id) from customers) and id > 300 and not exists (select from orders o where o.customer_id = c.id)",
      );
      await client.query("commit");
      return;
    default:
      await client.query("begin");
      await client.query("insert into orders (customer_id, note) select id, 'order ' || $1::int from customers order by random() limit 1", [
        turn,
      ]);
      await client.query(
        "insert into order_lines select currval('orders_id_seq'), row_number() over (), id, 1 + (id + $1::int) % 4 from (select id from products order by random() limit 3) p",
        [turn],
      );
      await client.query(
        "update products set stock = stock - 1 where id in (select product_id from order_lines where order_id = currval('orders_id_seq'))",
      );
      await client.query("commit");
  }
}

export interface Trickle {
  readonly statements: number;
  /** Resolves when nothing is being written; writing goes on after `resume`. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}
export async function startTrickle(port: number, intervalMs: number): Promise<Trickle> {
  const client = await connect(port, "inventory");
  let turn = Math.floor(Date.now() / 1000) % 1_000_000;
  let statements = 0;
  let paused = false;
  let stopped = false;
  let busy: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    if (paused || stopped) return;
    busy = busy
      .then(() => step(client, turn++))
      .then(
        () => void statements++,
        () =>
          client.query("rollback").then(
            () => {},
            () => {},
          ),
      );
  }, intervalMs);
  return {
    get statements() {
      return statements;
    },
    async pause() {
      paused = true;
      await busy;
    },
    resume() {
      paused = false;
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await busy;
      await client.end().catch(() => {});
    },
  };
}

export interface Content {
  readonly rows: number;
  readonly checksum: string;
}
/** Rows and one checksum over all tables, of one moment. Tables that are not there yet count as empty. */
export async function content(client: Client): Promise<Content> {
  await client.query("begin isolation level repeatable read read only");
  try {
    let rows = 0;
    const sums: string[] = [];
    for (const table of TABLES) {
      const { rows: found } = await client.query<{ there: boolean }>("select to_regclass($1) is not null as there", [table]);
      if (found[0]?.there !== true) {
        sums.push("");
        continue;
      }
      const result = await client.query<{ n: string; sum: string | null }>(
        `select count(*) as n, md5(string_agg(t::text, E'\\n' order by ${KEYS[table]})) as sum from ${table} t`,
      );
      rows += Number(result.rows[0]?.n ?? 0);
      sums.push(result.rows[0]?.sum ?? "");
    }
    return { rows, checksum: sums.map((s) => s.slice(0, 8) || "-").join(" ") };
  } finally {
    await client.query("commit");
  }
}
