/**
 * F15/F16 over the whole product: the process is killed (SIGKILL) at seeded moments of snapshot and streaming while the source
 * is written to; in the end source and replica hold the same rows. MILLRACE_CHAOS_SEED repeats a run.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SamplePostgres, startSamplePostgres } from "../../demo/sample-postgres.ts";
import { freePorts } from "../peers/ports.ts";
import { connectorStates, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";

const [PG_PORT = 0, BROKER_PORT = 0, REST_PORT = 0] = await freePorts(3);
const SNAPSHOT_ROUNDS = 10;
const STREAMING_ROUNDS = 14;
const ROWS = 60_000;
const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260101);

let folder = "";
let postgres: SamplePostgres | null = null;
let source: Client;
let replica: Client;

const connect = async (database: string): Promise<Client> => {
  const client = new Client({ host: "127.0.0.1", port: PG_PORT, user: "postgres", database });
  client.on("error", () => {});
  await client.connect();
  return client;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-chaos-"));
  postgres = await startSamplePostgres(join(folder, "postgres"), PG_PORT);
  const admin = await connect("postgres");
  await admin.query("create database source");
  await admin.query("create database replica");
  await admin.end();
  source = await connect("source");
  replica = await connect("replica");
  await source.query(
    "create table item (id bigint primary key, grp integer not null, txt text, num numeric(12,3), at timestamptz not null default now())",
  );
  await source.query("create table pair (a integer, b varchar(10), n integer not null default 0, primary key (a, b))");
  await source.query("insert into item select i, i % 97, repeat('x', i % 80), i / 7.0 from generate_series(1, $1) i", [ROWS]);
  await source.query("insert into pair select i % 100, 'b' || i, i from generate_series(1, 2000) i");
});
afterAll(async () => {
  await source?.end();
  await replica?.end();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Inserts, updates, deletes, key changes, several tables in one transaction, a multi-row statement. */
async function write(random: () => number, turn: number): Promise<void> {
  const id = 1 + Math.floor(random() * ROWS);
  switch (Math.floor(random() * 6)) {
    case 0:
      await source.query("insert into item values ($1, 1, 'new', 1.5) on conflict (id) do update set txt = 'again'", [ROWS + turn]);
      return;
    case 1:
      await source.query("update item set txt = txt || 'u', num = num + 0.001 where id = $1", [id]);
      return;
    case 2:
      await source.query("delete from item where id = $1", [id]);
      return;
    case 3:
      await source.query("update item set num = num + 1 where grp = $1", [Math.floor(random() * 97)]);
      return;
    case 4:
      await source.query("update item set id = -id where id = $1", [id]);
      return;
    default:
      await source.query("begin");
      await source.query("update pair set n = n + 1 where a = $1", [turn % 100]);
      await source.query("delete from item where id = $1", [id]);
      await source.query("insert into pair values ($1, $2, 0) on conflict do nothing", [turn % 100, `t${turn}`]);
      await source.query("commit");
  }
}

const connectors = (process: MillraceProcess): Promise<void> =>
  putConnector(process.rest, "chaos-source", {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "127.0.0.1",
    "database.port": String(PG_PORT),
    "database.user": "postgres",
    "database.password": "postgres",
    "database.dbname": "source",
    "topic.prefix": "chaos",
    "plugin.name": "pgoutput",
    "slot.name": "chaos",
    "publication.autocreate.mode": "filtered",
    "table.include.list": "public.item,public.pair",
  }).then(() =>
    putConnector(process.rest, "chaos-sink", {
      "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
      topics: "chaos.public.item,chaos.public.pair",
      "connection.url": `jdbc:postgresql://127.0.0.1:${PG_PORT}/replica`,
      "connection.username": "postgres",
      "connection.password": "postgres",
      "insert.mode": "upsert",
      "delete.enabled": "true",
      "primary.key.mode": "record_key",
      "schema.evolution": "basic",
      "collection.name.format": "${source.table}",
    }),
  );

async function difference(): Promise<string | null> {
  for (const [table, key] of [
    ["item", "id"],
    ["pair", "a, b"],
  ] as const) {
    const sql = `select ${table}::text as row from ${table} order by ${key}`;
    const { rows: there } = await replica.query<{ there: boolean }>("select to_regclass($1) is not null as there", [table]);
    if (there[0]?.there !== true) return `the replica has no ${table}`;
    const [a, b] = await Promise.all([source.query<{ row: string }>(sql), replica.query<{ row: string }>(sql)]);
    const wanted = new Set(a.rows.map((r) => r.row));
    const found = new Set(b.rows.map((r) => r.row));
    const missing = [...wanted].filter((r) => !found.has(r));
    const surplus = [...found].filter((r) => !wanted.has(r));
    if (missing.length + surplus.length > 0)
      return `${table}: ${missing.length} rows missing (${missing[0] ?? ""}), ${surplus.length} too many (${surplus[0] ?? ""})`;
  }
  return null;
}

test(`${SNAPSHOT_ROUNDS + STREAMING_ROUNDS} kills lose nothing (seed ${seed})`, async () => {
  const random = seeded(seed);
  let writing = true;
  let turn = 0;
  const writer = (async () => {
    const mine = seeded(seed + 1);
    while (writing) {
      await write(mine, turn++);
      // A slow machine takes longer to come to all kills; what is written must not grow with that, or the sink needs minutes to follow.
      await sleep(turn < 2500 ? 4 : 60);
    }
  })();
  const overrides = { "offset.flush.interval.ms": "500", "scheduled.rebalance.max.delay.ms": "0", "group.initial.rebalance.delay.ms": "0" };
  let created = false;
  try {
    for (let round = 0; round < SNAPSHOT_ROUNDS + STREAMING_ROUNDS; round++) {
      const process = await startMillrace(join(folder, "data"), BROKER_PORT, REST_PORT, overrides);
      if (!created) await connectors(process);
      created = true;
      // Snapshot rounds are killed early, so that several fall into the first copy; later ones anywhere.
      await sleep(round < SNAPSHOT_ROUNDS ? 100 + random() * 900 : 300 + random() * 3000);
      await process.kill();
    }
  } finally {
    writing = false;
    await writer;
  }
  expect(turn).toBeGreaterThan(200);
  const last = await startMillrace(join(folder, "data"), BROKER_PORT, REST_PORT, overrides);
  try {
    let found: string | null = "";
    for (const end = Date.now() + 300_000; found !== null && Date.now() < end; await sleep(500)) found = await difference();
    expect(found, `${await connectorStates(last.rest)}\n${last.output().slice(-3000)}`).toBeNull();
  } finally {
    await last.stop();
  }
});
