import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort());
const reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;

describe.skipIf(reason !== "")(`PostgreSQL source against a real server${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());

  describe("the life of a row", () => {
    let bench: TaskBench;
    beforeAll(async () => {
      const db = await server.database("life");
      await db.query(
        "CREATE TABLE customers (id int PRIMARY KEY, name varchar(40) NOT NULL, email text, active boolean DEFAULT true, score numeric(8,2))",
      );
      await db.query("INSERT INTO customers VALUES (1,'Ann','a@x',true,10.50),(2,'Bob',NULL,false,NULL)");
      bench = new TaskBench(server, "life");
      await bench.start();
      await bench.until(2);
      await db.query("INSERT INTO customers VALUES (3,'Cyd','c@x',DEFAULT,-0.01)");
      await db.query("UPDATE customers SET name='Bert' WHERE id=2");
      await db.query("UPDATE customers SET id=20 WHERE id=2");
      await db.query("DELETE FROM customers WHERE id=1");
      await bench.until(9);
    });
    afterAll(() => bench.stop());

    test("snapshot, insert, update, key change, delete are Debezium's events in order", () => {
      const neutral = { name: "", email: null, active: null, score: null };
      expect(bench.events("public.customers")).toEqual([
        ["r", { id: 1 }, null, { id: 1, name: "Ann", email: "a@x", active: true, score: "10.50" }],
        ["r", { id: 2 }, null, { id: 2, name: "Bob", email: null, active: false, score: null }],
        ["c", { id: 3 }, null, { id: 3, name: "Cyd", email: "c@x", active: true, score: "-0.01" }],
        ["u", { id: 2 }, null, { id: 2, name: "Bert", email: null, active: false, score: null }],
        ["d", { id: 2 }, { id: 2, ...neutral }, null],
        ["tombstone", { id: 2 }],
        ["c", { id: 20 }, null, { id: 20, name: "Bert", email: null, active: false, score: null }],
        ["d", { id: 1 }, { id: 1, ...neutral }, null],
        ["tombstone", { id: 1 }],
      ]);
    });
    test("the source block says where the event comes from", () => {
      const value = bench.records[2]?.value;
      expect(value).toBeInstanceOf(Struct);
      const source = (value as Struct).get("source") as Struct;
      expect(source.get("snapshot")).toBe("false");
      expect(source.get("db")).toBe("life");
      expect(source.get("connector")).toBe("postgresql");
      expect(source.get("sequence")).toBe(`[null,"${source.get("lsn") as bigint}"]`);
    });
    test("the rows of the snapshot are marked first and last", () => {
      expect(bench.records.slice(0, 2).map((r) => ((r.value as Struct).get("source") as Struct).get("snapshot"))).toEqual([
        "first",
        "last",
      ]);
    });
    test("a changed key leaves headers, and only the last record of it moves the position", () => {
      const [gone, tombstone, come] = bench.records.slice(4, 7);
      expect(gone?.headers[0]?.key).toBe("__debezium.newkey");
      expect(come?.headers[0]?.key).toBe("__debezium.oldkey");
      expect(tombstone?.sourceOffset).toEqual(bench.records[3]?.sourceOffset);
      expect(come?.sourceOffset["lsn"]).toBeGreaterThan(Number(gone?.sourceOffset["lsn"]));
    });
  });

  test("a restart neither loses nor repeats, also in the middle of a transaction and of a COPY", async () => {
    const db = await server.database("again");
    await db.query("CREATE TABLE t (id int PRIMARY KEY)");
    const bench = new TaskBench(server, "again", { "snapshot.mode": "no_data", "max.batch.size": "7", "max.queue.size": "20" });
    await bench.start();
    await new Promise((r) => setTimeout(r, 300));
    await bench.stop();
    await db.query("BEGIN");
    for (let i = 0; i < 10; i++) await db.query("INSERT INTO t VALUES ($1)", [i]);
    await db.query("COPY t FROM PROGRAM 'seq 10 59'");
    await db.query("COMMIT");
    // Each run makes a few more records durable than the one before, and then dies.
    for (let kept = 1; bench.records.length < 60; kept += 3) {
      bench.keepsOnly(kept);
      const before = bench.records.length;
      await bench.start();
      await bench.until(Math.min(60, before + kept));
      await bench.stop();
    }
    expect(bench.events("public.t").map((e) => ((e as unknown[])[1] as { id: number }).id)).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    );
  });

  test("the snapshot reads a table by a statement of the user's, whatever the order of its columns", async () => {
    const db = await server.database("overrides");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b numeric(5,2), secret text)");
    await db.query("INSERT INTO t VALUES (1,'x',1.5,'s'),(2,'y',2.5,'s'),(3,'z',3.5,'s')");
    const bench = new TaskBench(server, "overrides", {
      "column.exclude.list": "public.t.secret",
      "snapshot.select.statement.overrides": "public.t",
      "snapshot.select.statement.overrides.public.t": "SELECT b, a, id, secret FROM public.t WHERE id > 1;",
    });
    await bench.start();
    await bench.until(2);
    await bench.stop();
    expect(bench.events("public.t")).toEqual([
      ["r", { id: 2 }, null, { b: "2.50", a: "y", id: 2 }],
      ["r", { id: 3 }, null, { b: "3.50", a: "z", id: 3 }],
    ]);
  });

  test("a chunked snapshot asked for by signal runs beside the stream and goes on after a restart", async () => {
    const db = await server.database("chunks");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v text)");
    await db.query("CREATE TABLE sig (id varchar(64) PRIMARY KEY, type varchar(64), data text)");
    await db.query("INSERT INTO t SELECT g, 'old' FROM generate_series(1, 500) g");
    const bench = new TaskBench(server, "chunks", {
      "snapshot.mode": "no_data",
      "signal.data.collection": "public.sig",
      "incremental.snapshot.chunk.size": "20",
    });
    await bench.start();
    await db.query(`INSERT INTO sig VALUES ('s', 'execute-snapshot', '{"data-collections":["public.t"]}')`);
    const rows = (): number => bench.events("public.t").filter((e) => (e as unknown[])[0] === "r").length;
    for (let i = 0; i < 500 && rows() < 100; i++) await new Promise((r) => setTimeout(r, 10));
    await bench.stop();
    await db.query("UPDATE t SET v = 'new' WHERE id > 400");
    await bench.start();
    for (let i = 0; i < 1000 && rows() < 500; i++) await new Promise((r) => setTimeout(r, 10));
    await bench.stop();
    const last = new Map(
      bench.events("public.t").map((e) => [((e as unknown[])[1] as { id: number }).id, ((e as unknown[])[3] as { v: string }).v]),
    );
    expect(last.size).toBe(500);
    expect([...last].filter(([id, v]) => v !== (id > 400 ? "new" : "old"))).toEqual([]);
    expect(rows()).toBeLessThan(560);
  }, 40_000);

  test("logical messages come once, and the change after one is not lost", async () => {
    const db = await server.database("messages");
    await db.query("CREATE TABLE t (id int PRIMARY KEY)");
    const bench = new TaskBench(server, "messages", { "snapshot.mode": "no_data" });
    await bench.start();
    await new Promise((r) => setTimeout(r, 300));
    await db.query("SELECT pg_logical_emit_message(true, 'a', 'in transaction')");
    await db.query("SELECT pg_logical_emit_message(false, 'a', 'outside')");
    await bench.until(2);
    await bench.stop();
    await bench.start();
    await db.query("INSERT INTO t VALUES (1)");
    await bench.until(3);
    await new Promise((r) => setTimeout(r, 200));
    await bench.stop();
    expect(bench.records.map((r) => r.topic)).toEqual(["p.message", "p.message", "p.public.t"]);
  });

  test("the slot is never confirmed beyond what is durable, and follows keep-alives when nothing is captured", async () => {
    const db = await server.database("slots");
    await db.query("CREATE TABLE t (id int PRIMARY KEY)");
    await db.query("CREATE TABLE other (id int)");
    const bench = new TaskBench(server, "slots", {
      "table.include.list": "public.t",
      "publication.autocreate.mode": "filtered",
      "status.update.interval.ms": "100",
      "millrace.slot.progress.interval.ms": "100",
    });
    await bench.start();
    bench.onBatch = () => 0;
    const confirmed = async (): Promise<bigint> => {
      const { rows } = await db.query<{ lsn: string }>(
        "SELECT (confirmed_flush_lsn - '0/0')::text AS lsn FROM pg_replication_slots WHERE slot_name = 'slots'",
      );
      return BigInt(rows[0]?.lsn ?? 0);
    };
    const before = await confirmed();
    await db.query("INSERT INTO t VALUES (1)");
    await db.query("SELECT pg_switch_wal()");
    await new Promise((r) => setTimeout(r, 600));
    const { rows } = await db.query<{ lsn: string }>("SELECT (pg_current_wal_lsn() - '0/0')::text AS lsn");
    expect(await confirmed()).toBeLessThan(BigInt(rows[0]?.lsn ?? 0) - 1_000_000n);
    expect(await confirmed()).toBeGreaterThanOrEqual(before);
    await bench.stop();
    bench.onBatch = (batch) => batch.length;
    await bench.start();
    await bench.until(1);
    await db.query("INSERT INTO other SELECT generate_series(1, 1000)");
    const target = (await db.query<{ lsn: string }>("SELECT (pg_current_wal_lsn() - '0/0')::text AS lsn")).rows[0]?.lsn ?? "0";
    for (let i = 0; i < 100 && (await confirmed()) < BigInt(target); i++) await new Promise((r) => setTimeout(r, 100));
    expect(await confirmed()).toBeGreaterThanOrEqual(BigInt(target));
    await bench.stop();
  }, 30_000);

  test("a slot that was dropped stops the task with an error that names the gap", async () => {
    const db = await server.database("gap");
    await db.query("CREATE TABLE t (id int PRIMARY KEY)");
    await db.query("INSERT INTO t VALUES (1)");
    const bench = new TaskBench(server, "gap");
    await bench.start();
    await bench.until(1);
    await bench.stop();
    await db.query("SELECT pg_drop_replication_slot('gap')");
    await expect(bench.start()).rejects.toThrow(/no longer available on the server[\s\S]*changes from .* to .*cannot be read any more/);
  });
});
