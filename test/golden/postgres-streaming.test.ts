/** Transactions that the server sends while they are in progress give the events of those that it sends at their commit. */
import { Client } from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { plain, TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort(), ["logical_decoding_work_mem='64kB'"]);
const found = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;
const reason = found === "" && server.version < 14 ? "PostgreSQL 14 is the first that streams transactions in progress" : found;

/** But the times of reading. */
const events = (bench: TaskBench): unknown[] =>
  bench.records.map((r) => [r.topic, plain(r.key), r.value instanceof Struct ? withoutTimes(plain(r.value)) : null, r.sourceOffset]);
const withoutTimes = (value: unknown): unknown => ({ ...(value as object), ts_ms: 0, ts_us: 0, ts_ns: 0 });

async function clientOf({ host, port, user }: ThrowawayPostgres, database: string): Promise<Client> {
  const client = new Client({ host, port, user, database });
  await client.connect();
  return client;
}
/** Every kind of change, rolled back parts, two transactions interleaved, a column added in the midst. */
async function work(server: ThrowawayPostgres, name: string): Promise<void> {
  const [a, b] = [await clientOf(server, name), await clientOf(server, name)];
  await a.query("BEGIN");
  await a.query("INSERT INTO t SELECT g, repeat('a', 100) FROM generate_series(1, 2000) g");
  await b.query("BEGIN");
  await b.query("INSERT INTO t SELECT g, repeat('b', 100) FROM generate_series(10001, 12000) g");
  await a.query("SAVEPOINT one");
  await a.query("INSERT INTO u SELECT g, repeat('gone', 100) FROM generate_series(1, 1500) g");
  await a.query("SAVEPOINT inner_one");
  await a.query("UPDATE t SET v = 'gone' WHERE id <= 500");
  await a.query("ROLLBACK TO SAVEPOINT one");
  await a.query("INSERT INTO u SELECT g, repeat('kept', 100) FROM generate_series(2000, 3500) g");
  await b.query("UPDATE t SET id = id + 5000 WHERE id BETWEEN 10001 AND 10400");
  await b.query("COMMIT");
  await a.query("SAVEPOINT two");
  await a.query("ALTER TABLE u ADD COLUMN w int DEFAULT 7");
  await a.query("INSERT INTO u SELECT g, repeat('w', 100), g FROM generate_series(4000, 4800) g");
  await a.query("RELEASE SAVEPOINT two");
  await a.query("SELECT pg_logical_emit_message(true, 'in', repeat('m', 100))");
  await a.query("DELETE FROM t WHERE id % 3 = 0 AND id < 1500");
  await a.query("COMMIT");
  await a.query("BEGIN");
  await a.query("INSERT INTO t SELECT g, repeat('never', 100) FROM generate_series(20001, 22000) g");
  await a.query("ROLLBACK");
  await a.query("INSERT INTO t VALUES (-1, 'end')");
  await a.end();
  await b.end();
}
const EVENTS = 2000 + 2000 + 1501 + 400 * 3 + 801 + 1 + 2 * 499 + 1;

describe.skipIf(reason !== "")(`transactions in progress${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());

  test("the same events, sources and offsets, also when it is interrupted in the midst", async () => {
    const db = await server.database("progress");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v text)");
    await db.query("CREATE TABLE u (id int PRIMARY KEY, v text)");
    const settings = { "snapshot.mode": "no_data", "topic.prefix": "p", "publication.name": "pub" };
    const [plainly, streamed, interrupted] = ["off", "on", "again"].map(
      (slot) => new TaskBench(server, "progress", { ...settings, "slot.name": slot, "millrace.streaming": String(slot !== "off") }),
    ) as [TaskBench, TaskBench, TaskBench];
    const all = [plainly, streamed, interrupted];
    for (const bench of all) {
      await bench.start();
      await new Promise((r) => setTimeout(r, 100));
    }
    await interrupted.stop();
    await work(server, "progress");
    await plainly.until(EVENTS);
    await streamed.until(EVENTS);
    // Between events: the records of one would be repeated together.
    for (const most of [1, 700, 1302, 900, 1900]) {
      interrupted.keepsOnly(most);
      const before = interrupted.records.length;
      await interrupted.start();
      await interrupted.until(before + most);
      await interrupted.stop();
    }
    interrupted.onBatch = (batch) => batch.length;
    await interrupted.start();
    await interrupted.until(EVENTS);
    for (const bench of all) await bench.stop();
    expect(plainly.records.length).toBe(EVENTS);
    expect(events(streamed)).toEqual(events(plainly));
    expect(events(interrupted)).toEqual(events(plainly));
    const { rows } = await db.query<{ slot_name: string; n: string }>(
      "SELECT slot_name, stream_txns AS n FROM pg_stat_replication_slots ORDER BY 1",
    );
    const counts = Object.fromEntries(rows.map((r) => [r.slot_name, Number(r.n)]));
    expect(counts["off"]).toBe(0);
    expect(counts["on"]).toBeGreaterThan(2);
  }, 60_000);

  test("more than the disk may take: the server keeps it instead", async () => {
    const db = await server.database("full");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v text)");
    const bench = new TaskBench(server, "full", {
      "snapshot.mode": "no_data",
      "millrace.streaming": "true",
      "millrace.streaming.spill.max.bytes": "100000",
    });
    await bench.start();
    await new Promise((r) => setTimeout(r, 200));
    await db.query("INSERT INTO t SELECT g, repeat('a', 100) FROM generate_series(1, 5000) g");
    await bench.until(5000);
    await bench.stop();
    expect(bench.events("public.t").map((e) => ((e as unknown[])[1] as { id: number }).id)).toEqual(
      Array.from({ length: 5000 }, (_, i) => i + 1),
    );
  }, 30_000);
});
