/**
 * How fast the PostgreSQL task hands out changes that the JSON converter turns into bytes:
 * node test/bench/postgres/drain.ts SERVER-URL [stream|snapshot] [rows]. Needs a server with wal_level=logical.
 */
import pg from "pg";
import { byteSink } from "#connect/api/byte-sink";
import type { SourceOffset, SourcePartition } from "#connect/api/record";
import { postgresSource } from "#connectors/postgres/index";
import { jsonConverter } from "#plugins/converters/json-converter";

const [, , url = "", what = "stream", count = "1000000"] = process.argv;
const server = new URL(url);
const rows = Number(count);
const database = "bench_drain",
  slot = "bench_drain";
const login = { host: server.hostname, port: Number(server.port), user: server.username };
const admin = new pg.Client({ ...login, database: "postgres" });
await admin.connect();
await admin.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", [slot]);
await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
await admin.query(`CREATE DATABASE ${database}`);
const client = new pg.Client({ ...login, database });
await client.connect();
await client.query(
  "CREATE TABLE t (id int PRIMARY KEY, b bigint, txt text, vc varchar(50), n numeric(12,2), ts timestamptz, ok bool, j jsonb, u uuid, d double precision)",
);
await client.query("CREATE PUBLICATION dbz_publication FOR ALL TABLES");
const fill = async (from: number, to: number): Promise<void> => {
  await client.query(
    `INSERT INTO t SELECT i, i * 1000003::bigint, 'some text for row ' || i, 'varchar ' || i, (i % 100000) / 100.0, now(), i % 2 = 0,
     jsonb_build_object('k', i, 'name', 'n' || i), md5(i::text)::uuid, i / 7.0 FROM generate_series($1::int, $2::int) i`,
    [from, to],
  );
};
if (what === "stream") await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
for (let i = 0; i < rows; i += 1000) await fill(i + 1, i + 1000);
await client.query("CHECKPOINT");

const task = postgresSource.task(
  {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": server.hostname,
    "database.port": server.port,
    "database.user": server.username,
    "database.dbname": database,
    "topic.prefix": "p",
    "plugin.name": "pgoutput",
    "slot.name": slot,
    "snapshot.mode": what === "stream" ? "no_data" : "initial",
  },
  {
    connectorName: "c",
    taskId: 0,
    log: { debug() {}, info() {}, warn: console.log, error: console.log },
    offsets: { offsets: async () => [null] },
    metrics: { gauge() {} },
    signal: new AbortController().signal,
    kafka: {},
  },
);
const schemas = process.env["SCHEMAS"] ?? "false";
const key = jsonConverter.create({ "schemas.enable": schemas }, true),
  value = jsonConverter.create({ "schemas.enable": schemas }, false);
const out = byteSink(1024 * 1024);
const cpu = process.cpuUsage();
const started = performance.now();
await task.start();
let seen = 0,
  bytes = 0,
  polls = 0,
  peak = 0,
  first = 0,
  last: { partition: SourcePartition; offset: SourceOffset } | null = null;
while (seen < rows) {
  const batch = await task.poll();
  if (first === 0 && batch.length > 0) first = performance.now();
  for (const r of batch) {
    out.length = 0;
    key.write?.(r.topic, r.keySchema, r.key, out);
    value.write?.(r.topic, r.valueSchema, r.value, out);
    bytes += out.length;
    last = { partition: r.sourcePartition, offset: r.sourceOffset };
  }
  seen += batch.length;
  if (++polls % 64 === 0) {
    peak = Math.max(peak, process.memoryUsage.rss());
    if (last !== null) await task.durable?.([last]);
    await new Promise((r) => setImmediate(r));
  }
}
const seconds = (performance.now() - started) / 1000,
  fromFirst = (performance.now() - first) / 1000;
const used = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    what,
    rows: seen,
    seconds: Number(seconds.toFixed(2)),
    perSecond: Math.round(seen / seconds),
    perSecondFromFirst: Math.round(seen / fromFirst),
    cpuSecondsPerMillion: Number(((used.user + used.system) / seen).toFixed(2)),
    bytesPerRow: Math.round(bytes / seen),
    polls,
    peakRssMb: Math.round(peak / 1e6),
  }),
);
await task.stop();
await client.end();
await admin.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", [slot]);
await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
await admin.end();
