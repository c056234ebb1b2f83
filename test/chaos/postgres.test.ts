/** F15 and F17 of the fault plan at the task: crashes and cut connections at seeded moments, against the table as the oracle. */
import type pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { TaskBench } from "../golden/postgres-task.ts";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";

const started = await startPostgres(await freePort());
const reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;
const ROUNDS = 30;
const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

/** mulberry32: the same moments for the same seed. */
function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Short and long transactions, COPY, rollbacks, messages, deletes, until told to stop; returns how many rows were ever inserted. */
async function write(db: pg.Client, long: pg.Client, random: () => number, running: () => boolean): Promise<number> {
  let id = 0;
  let open = false;
  while (running()) {
    const kind = random();
    if (kind < 0.3) await db.query("INSERT INTO t VALUES ($1, 'one')", [++id]);
    else if (kind < 0.5) {
      await db.query(`COPY t FROM PROGRAM 'seq ${id + 1} ${id + 20} | sed s/$/,copied/' (DELIMITER ',')`);
      id += 20;
    } else if (kind < 0.6) await db.query("SELECT pg_logical_emit_message(true, 'm', 'x')");
    else if (kind < 0.7) await db.query("SELECT pg_logical_emit_message(false, 'm', 'x')");
    else if (kind < 0.8) await db.query("UPDATE t SET v = v || '!' WHERE id = $1", [1 + Math.floor(random() * id)]);
    else if (kind < 0.85) await db.query("DELETE FROM t WHERE id = $1", [1 + Math.floor(random() * id)]);
    else {
      // A transaction that stays open while others commit.
      if (!open) await long.query("BEGIN");
      await long.query("INSERT INTO t SELECT g, 'long' FROM generate_series($1::int, $2::int) g", [id + 1, id + 3]);
      id += 3;
      if (open) await long.query("COMMIT");
      open = !open;
    }
    await sleep(random() * 4);
  }
  if (open) await long.query("COMMIT");
  return id;
}

/** What a consumer of the topic holds in the end, and how often each insert came. */
function replay(bench: TaskBench): { readonly rows: Map<number, string>; readonly inserts: Map<number, number> } {
  const rows = new Map<number, string>(),
    inserts = new Map<number, number>();
  for (const r of bench.records) {
    if (r.topic !== "p.public.t" || !(r.value instanceof Struct)) continue;
    const row = (r.value.get("after") ?? r.value.get("before")) as Struct;
    const id = Number(row.get("id"));
    const op = r.value.get("op");
    if (op === "c") inserts.set(id, (inserts.get(id) ?? 0) + 1);
    if (op === "d") rows.delete(id);
    else rows.set(id, row.get("v") as string);
  }
  return { rows, inserts };
}

describe.skipIf(reason !== "")(`PostgreSQL source under faults${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());

  test.each([1, 2])(
    "crashes and cut connections lose nothing and repeat nothing (seed %i)",
    async (seed) => {
      const random = seeded(seed);
      const name = `chaos_${seed}`;
      const db = await server.database(name);
      const admin = await server.database(`${name}_admin`);
      await db.query("CREATE TABLE t (id int PRIMARY KEY, v text)");
      const long = new (db.constructor as typeof pg.Client)({ host: server.host, port: server.port, user: server.user, database: name });
      await long.connect();
      const bench = new TaskBench(server, name, {
        "snapshot.mode": "no_data",
        "max.batch.size": "13",
        "max.queue.size": "40",
        "status.update.interval.ms": "20",
      });
      await bench.start();
      await sleep(200);
      let writing = true;
      const written = write(db, long, seeded(seed + 100), () => writing);
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(random() * 120);
        if (random() < 0.5) {
          // The connection is cut; the task finds back by itself.
          await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
        } else {
          // A crash: what was polled beyond some record never became durable.
          bench.onBatch = (batch) => (batch.length === 0 ? 0 : Math.floor(random() * batch.length));
          await sleep(random() * 30);
          await bench.stop();
          bench.onBatch = (batch) => batch.length;
          await bench.start();
        }
      }
      writing = false;
      const count = await written;
      const { rows } = await db.query<{ id: number; v: string }>("SELECT id, v FROM t");
      const expected = new Map(rows.map((r) => [r.id, r.v]));
      const end = Date.now() + 20_000;
      await db.query("INSERT INTO t VALUES (0, 'end')");
      while (replay(bench).inserts.get(0) !== 1 && Date.now() < end && bench.failure === null) await sleep(50);
      await bench.stop();
      await long.end();
      expect(bench.failure).toBeNull();
      const seen = replay(bench);
      seen.rows.delete(0);
      expect(seen.rows).toEqual(expected);
      const missing = Array.from({ length: count }, (_, i) => i + 1).filter((id) => !seen.inserts.has(id));
      expect(missing).toEqual([]);
      expect([...seen.inserts].filter(([, times]) => times > 1)).toEqual([]);
    },
    90_000,
  );

  test("rows that change while the snapshot runs, and while it is interrupted, come to their last state", async () => {
    const db = await server.database("handover");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v text)");
    await db.query("INSERT INTO t SELECT g, repeat('x', 900) FROM generate_series(1, 40000) g");
    const bench = new TaskBench(server, "handover", { "max.batch.size": "100", "max.queue.size": "200" });
    await bench.start();
    await bench.until(3000);
    await db.query("DELETE FROM t WHERE id <= 1000");
    await db.query("UPDATE t SET v = 'changed' WHERE id BETWEEN 15000 AND 15500");
    await db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'Millrace Snapshot'");
    await db.query("DELETE FROM t WHERE id BETWEEN 1001 AND 2000");
    await db.query("INSERT INTO t VALUES (0, 'end')");
    const end = Date.now() + 30_000;
    let seen = replay(bench);
    while (!(seen.rows.has(0) && !seen.rows.has(2000)) && Date.now() < end && bench.failure === null) {
      await sleep(100);
      seen = replay(bench);
    }
    await bench.stop();
    const { rows } = await db.query<{ id: number; v: string }>("SELECT id, v FROM t");
    expect(bench.failure).toBeNull();
    expect(seen.rows.size).toBe(rows.length);
    expect(rows.filter((r) => seen.rows.get(r.id) !== r.v)).toEqual([]);
  }, 60_000);

  test.each([
    ["renamed", "ALTER TABLE b RENAME COLUMN v TO w; DROP TABLE c", "w"],
    // An old snapshot would see this table without rows.
    ["rewritten", "ALTER TABLE b ALTER COLUMN v TYPE varchar(9) USING '' || v", "v"],
  ])(
    "a table that is altered while a snapshot reads another one is read as it is then, with all its rows (%s)",
    async (name, alter, column) => {
      const db = await server.database(name);
      await db.query(
        "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT g, repeat('x', 900) FROM generate_series(1, 30000) g",
      );
      await db.query(
        "CREATE TABLE b (id int PRIMARY KEY, v int); INSERT INTO b SELECT g, g FROM generate_series(1, 50) g; CREATE TABLE c (id int)",
      );
      const bench = new TaskBench(server, name, { "max.batch.size": "100", "max.queue.size": "200" });
      await bench.start();
      await bench.until(3000);
      await db.query(alter);
      await db.query("INSERT INTO a VALUES (0, 'end')");
      const rows = (table: string): Struct[] =>
        bench.records.flatMap((r) =>
          r.topic === `p.public.${table}` && r.value instanceof Struct ? [r.value.get("after") as Struct] : [],
        );
      const ended = (): boolean => rows("a").some((row) => row.get("id") === 0 && row.get("v") === "end");
      for (const end = Date.now() + 60_000; !ended() && Date.now() < end && bench.failure === null; ) await sleep(50);
      await bench.stop();
      expect(bench.failure).toBeNull();
      expect(new Set(rows("a").map((row) => row.get("id"))).size).toBe(30_001);
      expect(new Set(rows("b").map((row) => JSON.stringify(row.get(column)).replaceAll('"', "")))).toEqual(
        new Set(Array.from({ length: 50 }, (_, i) => `${i + 1}`)),
      );
    },
    90_000,
  );

  test("the server's restart is survived", async () => {
    const db = await server.database("restarted");
    await db.query("CREATE TABLE t (id int PRIMARY KEY)");
    await db.query("INSERT INTO t VALUES (1)");
    const bench = new TaskBench(server, "restarted");
    await bench.start();
    await bench.until(1);
    await server.restart();
    const again = await reconnect("restarted");
    await again.query("INSERT INTO t VALUES (2)");
    await bench.until(2, 20_000);
    await again.end();
    await bench.stop();
    expect(bench.events("public.t").map((e) => (e as unknown[])[0])).toEqual(["r", "c"]);
  }, 60_000);
});

async function reconnect(database: string): Promise<pg.Client> {
  const { default: driver } = await import("pg");
  const client = new driver.Client({ host: server.host, port: server.port, user: server.user, database });
  await client.connect();
  return client;
}
