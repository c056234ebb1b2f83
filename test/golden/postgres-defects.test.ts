/** Each defect of Debezium 3.4 that is known for PostgreSQL has a test here which shows that this connector does not have it. */
import { inspect } from "node:util";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { plain, TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort());
const reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;
const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

interface Row {
  readonly id: number;
  readonly n?: number;
}
const rows = (bench: TaskBench, op: string, table = "public.t"): Row[] =>
  (bench.events(table) as [string, unknown, unknown, Row][]).filter((e) => e[0] === op).map((e) => e[3]);
const ids = (bench: TaskBench): number[] => rows(bench, "c").map((r) => r.id);
async function until(condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !(await condition()); await sleep(10)) if (Date.now() > end) throw new Error("it did not come");
}
const streaming = { "snapshot.mode": "no_data", "status.update.interval.ms": "30", "millrace.slot.progress.interval.ms": "50" };

async function prepared(name: string, extra: Readonly<Record<string, string>> = {}): Promise<{ db: pg.Client; bench: TaskBench }> {
  const db = await server.database(name);
  await db.query("CREATE TABLE t (id int PRIMARY KEY, n int)");
  const bench = new TaskBench(server, name, { ...streaming, ...extra });
  return { db, bench };
}
const second = async (name: string): Promise<pg.Client> => {
  const client = new pg.Client({ host: server.host, port: server.port, user: server.user, database: name });
  await client.connect();
  return client;
};

describe.skipIf(reason !== "")(
  `defects of Debezium 3.4 with PostgreSQL that are not here${reason === "" ? "" : ` (skipped: ${reason})`}`,
  () => {
    afterAll(() => server.stop());

    test("silent loss on restart with transactions in progress", async () => {
      const { db, bench } = await prepared("in_progress");
      await bench.start();
      const long = await second("in_progress");
      await long.query("BEGIN");
      await long.query("INSERT INTO t SELECT generate_series(100, 149)");
      await db.query("INSERT INTO t VALUES (1)");
      await bench.until(1);
      await bench.stop();
      await bench.start();
      await db.query("INSERT INTO t VALUES (2)");
      await bench.until(2);
      await long.query("INSERT INTO t SELECT generate_series(150, 199)");
      await db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = 'Millrace Streaming'");
      await long.query("COMMIT");
      await long.end();
      await bench.until(102);
      await bench.stop();
      expect(ids(bench)).toEqual([1, 2, ...Array.from({ length: 100 }, (_, i) => 100 + i)]);
    });

    test("loss when COPY rows share one LSN", async () => {
      const { db, bench } = await prepared("copied", { "max.batch.size": "7", "max.queue.size": "20" });
      await bench.start();
      for (const durable of [1, 3, 6]) {
        bench.onBatch = (batch) => (batch.length === 7 ? durable : batch.length);
        if (durable === 1) await db.query("COPY t (id) FROM PROGRAM 'seq 1 100'");
        await sleep(200);
        await bench.stop();
        await bench.start();
      }
      bench.onBatch = (batch) => batch.length;
      await bench.stop();
      await bench.start();
      await bench.until(100);
      await bench.stop();
      const positions = new Set(bench.records.map((r) => String(r.sourceOffset["lsn"])));
      expect(positions.size).toBeLessThan(10);
      expect(ids(bench)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    });

    test("the next change lost after a transaction with a logical message; the message emitted twice", async () => {
      const { db, bench } = await prepared("messages", { "skipped.operations": "none" });
      await bench.start();
      await db.query("BEGIN");
      await db.query("SELECT pg_logical_emit_message(true, 'p', 'first')");
      await db.query("INSERT INTO t VALUES (1)");
      await db.query("COMMIT");
      await db.query("SELECT pg_logical_emit_message(true, 'p', 'alone')");
      await db.query("SELECT pg_logical_emit_message(false, 'p', 'outside')");
      await bench.until(4);
      for (const id of [2, 3]) {
        await bench.stop();
        await bench.start();
        await db.query("INSERT INTO t VALUES ($1)", [id]);
        await bench.until(3 + id);
      }
      await bench.stop();
      const messages = bench.records
        .filter((r) => r.topic === "p.message")
        .map((r) => (r.value instanceof Struct ? (plain(r.value.get("message")) as { content: string }).content : ""))
        .map((content) => Buffer.from(content, "base64").toString());
      expect(messages).toEqual(["first", "alone", "outside"]);
      expect(ids(bench)).toEqual([1, 2, 3]);
    });

    test("loss when the producer fails", async () => {
      const { db, bench } = await prepared("producer");
      await bench.start();
      await db.query("INSERT INTO t VALUES (1)");
      await bench.until(1);
      // Polled, but never acknowledged: neither the offset nor the slot may pass it, whatever comes later.
      bench.onBatch = () => 0;
      await sleep(100);
      await db.query("INSERT INTO t VALUES (2)");
      await sleep(300);
      const stored = bench.stored;
      await bench.stop();
      bench.onBatch = (batch) => batch.length;
      expect(bench.stored).toEqual(stored);
      await bench.start();
      await db.query("INSERT INTO t VALUES (3)");
      await until(() => ids(bench).includes(3));
      await bench.stop();
      expect(ids(bench)).toEqual([1, 2, 3]);
    });

    test("parallel snapshot threads not pinned to one exported snapshot", async () => {
      const { db, bench } = await prepared("pinned", {
        "snapshot.mode": "initial_only",
        "snapshot.max.threads": "3",
        "millrace.snapshot.chunk.rows": "200",
        "max.batch.size": "100",
        "max.queue.size": "200",
      });
      await db.query("INSERT INTO t SELECT g, 10 FROM generate_series(1, 4000) g");
      await db.query("ANALYZE t");
      let writing = true;
      const mover = await second("pinned");
      const moves = (async () => {
        // The sum stays the same in every state that was ever committed.
        for (let i = 0; writing; i++)
          await mover.query("UPDATE t SET n = n + CASE id WHEN $1 THEN 1 ELSE -1 END WHERE id IN ($1, $2)", [
            1 + (i % 1999),
            4000 - (i % 1999),
          ]);
      })();
      await bench.start();
      await bench.until(4000);
      writing = false;
      await moves;
      await mover.end();
      await bench.stop();
      const read = rows(bench, "r");
      expect(new Set(read.map((r) => r.id)).size).toBe(4000);
      expect(read.reduce((sum, r) => sum + (r.n ?? 0), 0)).toBe(40_000);
    });

    test("multi-byte table names corrupted", async () => {
      const db = await server.database("names");
      await db.query('CREATE SCHEMA "схема"; CREATE TABLE "схема"."注文表" ("ключ" int PRIMARY KEY, "价格" text)');
      await db.query(`INSERT INTO "схема"."注文表" VALUES (1, 'жд')`);
      const bench = new TaskBench(server, "names", { ...streaming, "snapshot.mode": "initial", "table.include.list": "схема.注文表" });
      await bench.start();
      await bench.until(1);
      await db.query(`UPDATE "схема"."注文表" SET "价格" = '€'`);
      await bench.until(2);
      await bench.stop();
      const seen = bench.records.map((r) => {
        const value = r.value instanceof Struct ? (plain(r.value) as { source: { schema: string; table: string }; after: unknown }) : null;
        return [value?.source.schema, value?.source.table, value?.after];
      });
      expect(seen).toEqual([
        ["схема", "注文表", { ключ: 1, 价格: "жд" }],
        ["схема", "注文表", { ключ: 1, 价格: "€" }],
      ]);
    });

    test("keep-alive LSN not flushed: the slot moves on while only other tables are written, without a heartbeat", async () => {
      const { db, bench } = await prepared("keepalive", { "table.include.list": "public.t", "publication.autocreate.mode": "filtered" });
      await db.query("CREATE TABLE other (id int)");
      await bench.start();
      await db.query("INSERT INTO t VALUES (1)");
      await bench.until(1);
      await db.query("INSERT INTO other SELECT generate_series(1, 20000)");
      const { rows: head } = await db.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
      await until(async () => {
        const { rows: slot } = await db.query<{ there: boolean }>(
          "SELECT confirmed_flush_lsn >= $2::pg_lsn AS there FROM pg_replication_slots WHERE slot_name = $1",
          ["keepalive", head[0]?.lsn],
        );
        return slot[0]?.there === true;
      });
      // The offset went first, and a restart goes on from it.
      await bench.stop();
      await bench.start();
      await db.query("INSERT INTO t VALUES (2)");
      await bench.until(2);
      await bench.stop();
      expect(ids(bench)).toEqual([1, 2]);
    });

    test("incremental snapshot abandoned on one failed watermark query", async () => {
      const { db, bench } = await prepared("watermark", {
        "signal.data.collection": "public.sig",
        "incremental.snapshot.chunk.size": "20",
      });
      await db.query("CREATE TABLE sig (id varchar(64) PRIMARY KEY, type varchar(64), data text)");
      await db.query("INSERT INTO t SELECT g, 0 FROM generate_series(1, 100) g");
      // The third and the sixth watermark fail.
      await db.query("CREATE SEQUENCE marks");
      await db.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.type LIKE 'snapshot-window%' AND nextval('marks') IN (3, 6) THEN RAISE EXCEPTION 'not now'; END IF; RETURN NEW; END $$`);
      await db.query("CREATE TRIGGER refuse BEFORE INSERT ON sig FOR EACH ROW EXECUTE FUNCTION refuse()");
      await bench.start();
      await db.query(`INSERT INTO sig VALUES ('s', 'execute-snapshot', '{"data-collections":["public.t"]}')`);
      await until(() => new Set(rows(bench, "r").map((r) => r.id)).size === 100, 15_000);
      await bench.stop();
      expect(bench.logged.filter((line) => line.includes("not now")).length).toBe(2);
    });

    test("NanoTimestamp overflow outside 1677–2262: the nearest value that there is, not a wrapped one", async () => {
      const db = await server.database("nanos");
      await db.query("CREATE TABLE t (id int PRIMARY KEY, at timestamp)");
      await db.query(
        "INSERT INTO t VALUES (1, '1600-01-01'), (2, '1700-01-01'), (3, '2200-01-01'), (4, '2300-01-01'), (5, '9999-12-31'), (6, '0044-03-15 BC')",
      );
      const bench = new TaskBench(server, "nanos", { ...streaming, "snapshot.mode": "initial", "time.precision.mode": "nanoseconds" });
      await bench.start();
      await bench.until(6);
      await db.query("UPDATE t SET id = id");
      await bench.until(12);
      await bench.stop();
      const at = (bench.events("public.t") as [string, unknown, unknown, { at: bigint }][]).map((e) => BigInt(e[3].at));
      const least = -(2n ** 63n),
        most = 2n ** 63n - 1n;
      const wanted = [least, BigInt(Date.UTC(1700, 0, 1)) * 1_000_000n, BigInt(Date.UTC(2200, 0, 1)) * 1_000_000n, most, most, least];
      expect(at).toEqual([...wanted, ...wanted]);
    });

    test("credentials in logs", async () => {
      const secret = "s3cret-pass-phrase";
      const { db, bench } = await prepared("secrets", {
        "database.password": secret,
        "heartbeat.interval.ms": "50",
        "heartbeat.action.query": "SELECT 1/0",
      });
      await bench.start();
      await until(() => bench.logged.some((line) => line.includes("division by zero")));
      await db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = 'Millrace Streaming'");
      await db.query("INSERT INTO t VALUES (1)");
      await until(() => ids(bench).length === 1);
      await bench.stop();
      await db.query("SELECT pg_drop_replication_slot('secrets')");
      const failure: unknown = await bench.start().catch((error: unknown) => error);
      const away = new TaskBench({ ...server, port: 1 }, "secrets", { "database.password": secret });
      await away.start();
      await away.stop();
      expect(failure).toBeInstanceOf(Error);
      expect(away.logged.length).toBeGreaterThan(0);
      const said = [...bench.logged, ...away.logged, inspect(failure, { depth: 10 }), inspect(away.failure, { depth: 10 })];
      expect(said.filter((line) => line.includes(secret))).toEqual([]);
    });
  },
);
