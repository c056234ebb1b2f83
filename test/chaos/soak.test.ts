/**
 * F25: one process lives through faults at random while a table is replicated: connections cut, the server killed, connectors and tasks
 * restarted, paused, made and deleted, topics made and deleted, clients that come and go. Its memory stays level, and a change
 * reaches the replica within 5 s again. MILLRACE_SOAK_S (90) is how long; MILLRACE_CHAOS_SEED repeats a run.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { freePorts } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { accepted, ask } from "./journal.ts";
import { connectorStates, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";

const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20261125);
const SOAK_MS = Number(process.env["MILLRACE_SOAK_S"] ?? 90) * 1000;
const IDS = 3000;
const LAG_MAX_MS = 5_000;
const MIB = 1024 * 1024;
const RESIDENT_MAX_MIB = 512;

async function withClient<T>(server: ThrowawayPostgres, database: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ host: server.host, port: server.port, user: server.user, database });
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}
/** Inserts, updates and deletes rows, about 150 a second, over whatever happens to the server, until it is told to stop. */
async function write(server: ThrowawayPostgres, random: () => number, running: () => boolean): Promise<void> {
  while (running()) {
    await withClient(server, "source", async (client) => {
      while (running()) {
        const id = Math.floor(random() * IDS);
        if (random() < 0.2) await client.query("delete from item where id = $1", [id]);
        else
          await client.query(
            "insert into item values ($1, repeat('x', $2)) on conflict (id) do update set txt = item.txt || 'u', n = item.n + 1",
            [id, id % 300],
          );
        await sleep(6);
      }
    }).catch(() => sleep(100));
  }
}
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

async function connectors(server: ThrowawayPostgres, { rest }: MillraceProcess): Promise<void> {
  await putConnector(rest, "soak-source", {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": server.host,
    "database.port": String(server.port),
    "database.user": server.user,
    "database.dbname": "source",
    "topic.prefix": "soak",
    "plugin.name": "pgoutput",
    "slot.name": "soak",
    "table.include.list": "public.item",
    "publication.autocreate.mode": "filtered",
  });
  await putConnector(rest, "soak-sink", {
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    topics: "soak.public.item",
    "connection.url": `jdbc:postgresql://${server.host}:${server.port}/replica`,
    "connection.username": server.user,
    "connection.password": "",
    "insert.mode": "upsert",
    "delete.enabled": "true",
    "primary.key.mode": "record_key",
    "schema.evolution": "basic",
    "collection.name.format": "item",
  });
}
/** Each is one fault and its end. */
function faults(
  server: ThrowawayPostgres,
  { rest, bootstrap }: MillraceProcess,
  folder: string,
  random: () => number,
): readonly (() => Promise<unknown>)[] {
  const either = (): string => (random() < 0.5 ? "soak-source" : "soak-sink");
  let made = 0;
  return [
    () =>
      withClient(server, "postgres", (c) =>
        c.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type in ('walsender', 'client backend')",
        ),
      ),
    () => server.crash(() => sleep(random() * 1500)),
    () => ask(rest, "POST", `/connectors/${either()}/restart?includeTasks=true`),
    () => ask(rest, "POST", `/connectors/${either()}/tasks/0/restart`),
    async () => {
      const name = either();
      await accepted(rest, "PUT", `/connectors/${name}/pause`);
      await sleep(random() * 2000);
      await accepted(rest, "PUT", `/connectors/${name}/resume`);
    },
    async () => {
      const name = `passing-${made++}`;
      await putConnector(rest, name, {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        topics: "soak.public.item",
        file: join(folder, "passing.txt"),
      });
      await sleep(random() * 2000);
      await accepted(rest, "DELETE", `/connectors/${name}`);
    },
    async () => {
      const admin = await createKafkaClients().admin({ "bootstrap.servers": bootstrap });
      const name = `passing-${made++}`;
      await admin.createTopics([{ name, partitions: 20, replicationFactor: 1 }]);
      const consumer = await createKafkaClients().consumer({
        "bootstrap.servers": bootstrap,
        "group.id": name,
        "auto.offset.reset": "earliest",
      });
      consumer.subscribe([name, "soak.public.item"]);
      for (let i = 0; i < 10; i++) await consumer.poll(100);
      await consumer.close();
      await admin.deleteTopics([name]);
      await admin.close();
    },
  ];
}
/** How long until a change of now is in the replica. */
async function lagMs(server: ThrowawayPostgres, mark: number): Promise<number> {
  const from = Date.now();
  await withClient(server, "source", (c) =>
    c.query("insert into item values (-1, 'mark', $1) on conflict (id) do update set n = $1", [mark]),
  );
  return withClient(server, "replica", async (c) => {
    for (;;) {
      const { rows } = await c.query<{ n: number }>("select n from item where id = -1").catch(() => ({ rows: [] }));
      if (rows[0]?.n === mark || Date.now() - from > 10 * LAG_MAX_MS) return Date.now() - from;
      await sleep(20);
    }
  });
}
const rowsOf = (server: ThrowawayPostgres, database: string): Promise<unknown[]> =>
  withClient(server, database, async (c) => (await c.query("select id, txt, n from item order by id")).rows);

test(`memory stays level and lag returns over ${SOAK_MS / 1000} s of faults (seed ${seed})`, {
  timeout: SOAK_MS + 300_000,
}, async (context) => {
  const [pgPort = 0, broker = 0, rest = 0] = await freePorts(3);
  const server = await startPostgres(pgPort);
  if ("reason" in server) return context.skip(server.reason);
  const folder = await mkdtemp(join(tmpdir(), "millrace-soak-"));
  await server.database("replica");
  const source = await server.database("source");
  await source.query("create table item (id int primary key, txt text, n int not null default 0)");
  const random = seeded(seed);
  const millrace = await startMillrace(join(folder, "data"), broker, rest, { "file.connector.roots": folder });
  let writing = true;
  const writer = write(server, seeded(seed + 1), () => writing);
  const resident: number[] = [];
  try {
    await connectors(server, millrace);
    await lagMs(server, 1);
    const all = faults(server, millrace, folder, random);
    const end = Date.now() + SOAK_MS;
    for (let n = 0; Date.now() < end; n++) {
      // Each kind once, then at random.
      await all[n < all.length ? n : Math.floor(random() * all.length)]?.();
      await sleep(500 + random() * 1500);
      resident.push(await residentBytes(millrace.pid));
    }
    // What failed for good would not come back by itself.
    expect(await connectorStates(millrace.rest)).not.toContain("FAILED");
    const lags: number[] = [];
    while (lags.length < 10 && (lags.at(-1) ?? LAG_MAX_MS) >= LAG_MAX_MS) lags.push(await lagMs(server, 2 + lags.length));
    expect(lags.at(-1), `lags ${lags.join(", ")} ms`).toBeLessThan(LAG_MAX_MS);
    writing = false;
    await writer;
    await lagMs(server, 100);
    expect(await rowsOf(server, "replica")).toEqual(await rowsOf(server, "source"));
    // Between two collections it goes up and down by a hundred MiB; what cannot be collected is seen where it is lowest.
    const third = Math.floor(resident.length / 3);
    const [middle, last] = [Math.min(...resident.slice(third, 2 * third)), Math.min(...resident.slice(-third))];
    const measured = `${resident.length} faults; resident ${resident.map((b) => Math.round(b / MIB)).join(" ")} MiB; lags ${lags.join(" ")} ms`;
    console.log(measured);
    expect(last, measured).toBeLessThan(middle * 1.2 + 24 * MIB);
    expect(Math.max(...resident), measured).toBeLessThan(RESIDENT_MAX_MIB * MIB);
  } finally {
    writing = false;
    await writer;
    await millrace.kill();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
