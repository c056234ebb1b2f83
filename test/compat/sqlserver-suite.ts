/**
 * What the SQL Server connector has to keep on any server: the same tests for the simulator and for the real one. Each test has a
 * database of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { sqlserverSource } from "#connectors/sqlserver/index";
import type { SqlServerOrReason, SqlServerPeer } from "../peers/sqlserver.ts";
import { gapTests } from "./sqlserver-gaps.ts";
import { addressOf, type Event, op, part, Reading } from "./sqlserver-reading.ts";
import { validationTests } from "./sqlserver-validation.ts";

const TEST_MS = 240_000;
export const enable = (table: string, more = ""): string =>
  `EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'${table}', @role_name = NULL${more}`;
const ops = (events: readonly Event[]): readonly string[] => events.map(op);
export const ids = (events: readonly Event[]): readonly unknown[] => events.map((e) => e.key?.["id"]);

/** Types with the extremes that snapshot and stream have to give alike. */
const TYPES: readonly (readonly [name: string, type: string, literals: readonly string[]])[] = [
  ["b", "bit", ["1", "0"]],
  ["ti", "tinyint", ["0", "255"]],
  ["si", "smallint", ["-32768", "32767"]],
  ["i", "int", ["-2147483648", "2147483647"]],
  ["bi", "bigint", ["-9223372036854775808", "9223372036854775807"]],
  ["d", "decimal(38,10)", ["-9999999999999999999999999999.9999999999", "0.0000000001"]],
  ["m", "money", ["-922337203685477.5808", "922337203685477.5807"]],
  ["sm", "smallmoney", ["-214748.3648", "214748.3647"]],
  ["r", "real", ["-3.4E+38", "1.5"]],
  ["f", "float", ["-1.79E+308", "0.1"]],
  ["c", "char(5)", ["'ab'", "'abcde'"]],
  ["vc", "varchar(20)", ["''", "'caf\u00e9'"]],
  ["nvc", "nvarchar(20)", ["N'\u65e5\u672c'", "N'\u{1f600}'"]],
  ["bin", "binary(4)", ["0x01", "0xffffffff"]],
  ["vb", "varbinary(10)", ["0x", "0x00ff"]],
  ["uid", "uniqueidentifier", ["'0E984725-C51C-4BF4-9960-E1C80E27ABA0'", "'00000000-0000-0000-0000-000000000000'"]],
  ["dt", "date", ["'0001-01-01'", "'9999-12-31'"]],
  ["t7", "time(7)", ["'00:00:00'", "'23:59:59.9999999'"]],
  ["dtm", "datetime", ["'1753-01-01'", "'9999-12-31 23:59:59.997'"]],
  ["sdt", "smalldatetime", ["'1900-01-01'", "'2079-06-06 23:59'"]],
  ["dt2", "datetime2(7)", ["'1970-01-01'", "'2262-04-11 23:47:16.8547757'"]],
  ["dt23", "datetime2(3)", ["'0001-01-01'", "'9999-12-31 23:59:59.999'"]],
  ["dto", "datetimeoffset(7)", ["'1970-01-01 00:00:00 +14:00'", "'9999-12-31 09:59:59.9999999 -14:00'"]],
];

/** What a test begins with. */
interface Streaming {
  readonly peer: SqlServerPeer;
  readonly database: string;
  readonly all: Reading;
}
export interface SuiteParts {
  /** A database of its own, with change data capture; skips where there is no server. */
  readonly on: (t: TestContext) => Promise<{ readonly peer: SqlServerPeer; readonly database: string }>;
  readonly reading: (t: TestContext, peer: SqlServerPeer, database: string, config?: Readonly<Record<string, string>>) => Reading;
  /** A captured table with two rows. */
  readonly item: (peer: SqlServerPeer, database: string) => Promise<void>;
  /** The two rows of `item` are read, its changes are awaited. */
  readonly streaming: (t: TestContext, config?: Readonly<Record<string, string>>) => Promise<Streaming>;
}
export function sqlServerSuite(name: string, start: () => Promise<SqlServerOrReason>): void {
  describe(name, { timeout: TEST_MS }, () => {
    let found: SqlServerOrReason = { reason: "not started" };
    let folder = "";
    let count = 0;
    beforeAll(async () => {
      found = await start();
      folder = await mkdtemp(join(tmpdir(), "millrace-mssql-"));
    }, 300_000);
    afterAll(async () => {
      if (!("reason" in found)) await found.stop();
      await rm(folder, { recursive: true, force: true });
    });
    const on = async (t: TestContext): Promise<{ readonly peer: SqlServerPeer; readonly database: string }> => {
      if ("reason" in found) return t.skip(found.reason);
      const peer = found;
      const database = `millrace_suite_${++count}`;
      await peer.drop(database);
      await peer.run("master", `CREATE DATABASE [${database}]`);
      await peer.run(database, "EXEC sys.sp_cdc_enable_db");
      t.onTestFinished(async () => {
        await peer.run(database, "EXEC sys.sp_cdc_disable_db");
        await peer.drop(database);
      });
      return { peer, database };
    };
    const reading = (t: TestContext, peer: SqlServerPeer, database: string, config: Readonly<Record<string, string>> = {}): Reading => {
      const made = new Reading(peer, database, {
        "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
        "schema.history.internal.file.filename": join(folder, `${database}.history`),
        ...config,
      });
      t.onTestFinished(() => made.stop());
      return made;
    };
    const item = async (peer: SqlServerPeer, database: string): Promise<void> => {
      await peer.run(database, "CREATE TABLE item (id int NOT NULL PRIMARY KEY, n int, txt varchar(50))");
      await peer.run(database, "INSERT INTO item VALUES (1, 1, 'one'), (2, 2, 'two')");
      await peer.run(database, enable("item"));
    };
    const streaming = async (t: TestContext, config: Readonly<Record<string, string>> = {}): Promise<Streaming> => {
      const { peer, database } = await on(t);
      await item(peer, database);
      const all = reading(t, peer, database, config);
      await all.start();
      await all.take(0, 2);
      return { peer, database, all };
    };
    const parts: SuiteParts = { on, reading, item, streaming };
    gapTests(parts);
    validationTests(parts);

    test("each type is the same in the snapshot and in the stream", async (t) => {
      const { peer, database } = await on(t);
      await peer.run(database, `CREATE TABLE types (id int NOT NULL PRIMARY KEY, ${TYPES.map(([n, type]) => `${n} ${type}`).join(", ")})`);
      await peer.run(database, enable("types"));
      const insert = (id: number, at: number): Promise<void> =>
        peer.run(database, `INSERT INTO types VALUES (${id}, ${TYPES.map(([, , literals]) => literals[at]).join(", ")})`);
      const none = (id: number): Promise<void> => peer.run(database, `INSERT INTO types (id) VALUES (${id})`);
      await insert(1, 0);
      await insert(2, 1);
      await none(3);
      const all = reading(t, peer, database, { "decimal.handling.mode": "string", "time.precision.mode": "isostring" });
      await all.start();
      const read = await all.take(0, 3);
      expect(ops(read)).toEqual(["r", "r", "r"]);
      await insert(11, 0);
      await insert(12, 1);
      await none(13);
      const streamed = await all.take(3, 3);
      expect(ops(streamed)).toEqual(["c", "c", "c"]);
      for (const [i, event] of read.entries())
        expect({ ...part(streamed[i], "after"), id: 0 }, `row ${i + 1}`).toEqual({ ...part(event, "after"), id: 0 });
    });
    test("updates, keys that change and deletes, in the order of the log over two tables", async (t) => {
      const { peer, database } = await on(t);
      await item(peer, database);
      await peer.run(database, "CREATE TABLE other (id int NOT NULL PRIMARY KEY)");
      await peer.run(database, enable("other"));
      const all = reading(t, peer, database);
      await all.start();
      await all.take(0, 2);
      await peer.run(
        database,
        `BEGIN TRAN; INSERT INTO other VALUES (7); UPDATE item SET n = 5 WHERE id = 1; UPDATE item SET id = 9 WHERE id = 2;
         DELETE FROM item WHERE id = 1; INSERT INTO other VALUES (8); COMMIT`,
      );
      const events = await all.take(2, 8);
      expect(events.map((e) => `${e.topic.split(".").at(-1)} ${op(e)} ${String(e.key?.["id"])}`)).toEqual([
        "other c 7",
        "item u 1",
        "item d 2",
        "item tombstone 2",
        "item c 9",
        "item d 1",
        "item tombstone 1",
        "other c 8",
      ]);
      expect([part(events[1], "before")?.["n"], part(events[1], "after")?.["n"]]).toEqual([1, 5]);
      expect(new Set(events.filter((e) => e.value !== null).map((e) => part(e, "source")?.["commit_lsn"])).size).toBe(1);
    });
    test("a restart goes on after what was handed out", async (t) => {
      const { peer, database, all } = await streaming(t);
      await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three')");
      await all.take(2, 1);
      await all.stop();
      await peer.run(database, "INSERT INTO item VALUES (4, 4, 'four'), (5, 5, 'five')");
      await all.start();
      expect(ids(await all.take(2, 3))).toEqual([3, 4, 5]);
      expect(await all.quiet(5)).toEqual([]);
    });
    test("a second capture instance is gone over to at its start", async (t) => {
      const { peer, database, all } = await streaming(t);
      await peer.run(database, "ALTER TABLE item ADD more varchar(10)");
      await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three', 'lost')");
      await peer.run(database, enable("item", ", @capture_instance = N'item_v2'"));
      await peer.run(database, "INSERT INTO item VALUES (4, 4, 'four', 'kept')");
      const events = await all.take(2, 2);
      expect(ids(events)).toEqual([3, 4]);
      expect(events.map((e) => part(e, "after")?.["more"])).toEqual([undefined, "kept"]);
      expect(await all.quiet(4)).toEqual([]);
    });
    test("a restart between a new capture instance's start and its first change reads the table as the instance has it", async (t) => {
      const { peer, database } = await on(t);
      await item(peer, database);
      await peer.run(database, "CREATE TABLE other (id int NOT NULL PRIMARY KEY)");
      await peer.run(database, enable("other"));
      const all = reading(t, peer, database);
      await all.start();
      await all.take(0, 2);
      await all.stop();
      await peer.run(database, "ALTER TABLE item ADD more varchar(10)");
      await peer.run(database, enable("item", ", @capture_instance = N'item_v2'"));
      await peer.run(database, "INSERT INTO other VALUES (1)");
      await all.captured("dbo_other", database, 1);
      // Both in one pass: the position is after the instance's start, and nothing was read from it.
      await all.start();
      await all.take(2, 1);
      await all.stop();
      await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three', 'kept')");
      await all.start();
      expect(part((await all.take(3, 1))[0], "after")).toMatchObject({ id: 3, more: "kept" });
    });
    test("source blocks of changed definitions are those of the last event, and name nothing right after a restart", async (t) => {
      const { peer, database } = await on(t);
      await item(peer, database);
      await peer.run(database, "CREATE TABLE other (id int NOT NULL PRIMARY KEY)");
      await peer.run(database, enable("other"));
      const all = reading(t, peer, database, { "include.schema.changes": "true" });
      const altered = (): Event | undefined => all.events.findLast((e) => e.topic === database && e.value?.["ddl"] === "N/A");
      await all.start();
      await all.take(0, 4);
      await peer.run(database, "INSERT INTO other VALUES (1)");
      await all.take(4, 1);
      await peer.run(database, "ALTER TABLE item ADD more varchar(10)");
      await peer.run(database, enable("item", ", @capture_instance = N'item_v2'"));
      await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three', 'a')");
      await all.take(5, 2);
      expect(part(altered(), "source")).toMatchObject({ db: database, schema: "dbo", table: "other", event_serial_no: 1 });
      await all.stop();
      await peer.run(
        database,
        "EXEC sys.sp_cdc_disable_table @source_schema = N'dbo', @source_name = N'item', @capture_instance = N'dbo_item'",
      );
      await peer.run(database, "ALTER TABLE item ADD last int");
      await peer.run(database, enable("item", ", @capture_instance = N'item_v3'"));
      await peer.run(database, "INSERT INTO item VALUES (4, 4, 'four', 'b', 1)");
      const from = all.events.length;
      await all.start();
      await all.take(from, 2);
      const source = part(altered(), "source");
      expect(source).toMatchObject({ db: "", schema: "", table: "", event_serial_no: null });
      expect(Date.now() - Number(source?.["ts_ms"])).toBeLessThan(60_000);
      expect(source?.["change_lsn"]).not.toBeNull();
    });
    test("rows of incremental snapshots have the position of the row that closes their window, and their own instant", async (t) => {
      const { peer, database } = await on(t);
      await item(peer, database);
      await peer.run(database, "CREATE TABLE sig (id varchar(64) NOT NULL PRIMARY KEY, type varchar(64), data varchar(2048))");
      await peer.run(database, enable("sig"));
      const all = reading(t, peer, database, { "signal.data.collection": `${database}.dbo.sig` });
      await all.start();
      await all.take(0, 2);
      await peer.run(database, `INSERT INTO sig VALUES ('s', 'execute-snapshot', '{"data-collections":["${database}.dbo.item"]}')`);
      await all.take(2, 5);
      const closing = all.events.find((e) => part(e, "after")?.["type"] === "snapshot-window-close");
      const rows = all.events.filter((e) => part(e, "source")?.["snapshot"] === "incremental");
      expect(ids(rows)).toEqual([1, 2]);
      const { commit_lsn, change_lsn, event_serial_no } = part(closing, "source") ?? {};
      for (const row of rows) expect(part(row, "source")).toMatchObject({ commit_lsn, change_lsn, event_serial_no });
      expect(Number(part(rows[0], "source")?.["ts_ms"])).toBeGreaterThanOrEqual(Number(part(closing, "source")?.["ts_ms"]) - 1000);
    });
    test("a second capture instance that is made while a pass reads is not overlooked", async (t) => {
      const { peer, database, all } = await streaming(t, { "max.batch.size": "10", "max.queue.size": "20" });
      await peer.run(database, "ALTER TABLE item ADD more varchar(10)");
      // The queue is full before the pass has come to its end.
      const goOn = all.hold();
      const rows = Array.from({ length: 100 }, (_, i) => `(${100 + i}, 0, 'x', 'lost')`);
      await peer.run(database, `INSERT INTO item VALUES ${rows.join(", ")}`);
      await all.captured("dbo_item", database, 100);
      expect((await all.quiet(2)).length).toBeLessThan(50);
      await peer.run(database, enable("item", ", @capture_instance = N'item_v2'"));
      goOn();
      await all.take(2, 100);
      await peer.run(database, "INSERT INTO item VALUES (4, 4, 'four', 'kept')");
      expect(part((await all.take(102, 1))[0], "after")).toMatchObject({ id: 4, more: "kept" });
    });
    test("the capture job stands still and goes on", async (t) => {
      const { peer, database, all } = await streaming(t);
      await peer.run(database, "EXEC sys.sp_cdc_stop_job @job_type = N'capture'");
      await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three')");
      expect(await all.quiet(2)).toEqual([]);
      await peer.run(database, "EXEC sys.sp_cdc_start_job @job_type = N'capture'");
      expect(ids(await all.take(2, 1))).toEqual([3]);
    });
    for (const mode of ["direct", "function"])
      test(`data.query.mode=${mode} in pages, a transaction over several polls`, async (t) => {
        const { peer, database, all } = await streaming(t, {
          "data.query.mode": mode,
          "streaming.fetch.size": "7",
          "max.iteration.transactions": "2",
          "max.batch.size": "10",
        });
        const rows = Array.from({ length: 100 }, (_, i) => `(${100 + i}, 0, 'x')`);
        await peer.run(database, `INSERT INTO item VALUES ${rows.join(", ")}`);
        await peer.run(database, "UPDATE item SET n = 1 WHERE id >= 100");
        await peer.run(database, "DELETE FROM item WHERE id >= 100");
        const events = await all.take(2, 400);
        expect(ops(events).filter((each) => each === "u")).toHaveLength(100);
        expect(ids(events.slice(0, 100))).toEqual(Array.from({ length: 100 }, (_, i) => 100 + i));
        expect(await all.quiet(402)).toEqual([]);
      });
    test("changes that the clean-up job took away stop the task by name", async (t) => {
      const { peer, database, all } = await streaming(t, { "errors.max.retries": "0" });
      await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three')");
      await all.take(2, 1);
      await all.stop();
      await peer.run(database, "INSERT INTO item VALUES (4, 4, 'four')");
      await peer.run(database, "INSERT INTO item VALUES (5, 5, 'five')");
      await all.captured("dbo_item", database, 3);
      await peer.run(
        database,
        `DECLARE @last binary(10) = sys.fn_cdc_get_max_lsn();
         EXEC sys.sp_cdc_cleanup_change_table @capture_instance = N'dbo_item', @low_water_mark = @last, @threshold = 5000`,
      );
      await all.start();
      await expect(all.take(3, 1)).rejects.toThrow(/no longer available on the server[\s\S]*clean-up job/);
    });
    const signal = (data: string): string =>
      `INSERT INTO sig VALUES ('s', 'execute-snapshot', '{"data-collections":["@.dbo.item"],"type":"blocking","additional-conditions":[{"data-collection":"@.dbo.item","filter":"${data}"}]}')`;
    const withSignals = async (t: TestContext): Promise<{ readonly all: Reading; readonly send: (filter: string) => Promise<void> }> => {
      const { peer, database } = await on(t);
      await item(peer, database);
      await peer.run(database, "CREATE TABLE sig (id varchar(64) NOT NULL PRIMARY KEY, type varchar(64), data varchar(2048))");
      await peer.run(database, enable("sig"));
      const all = reading(t, peer, database, { "signal.data.collection": `${database}.dbo.sig`, "errors.max.retries": "0" });
      await all.start();
      await all.take(0, 2);
      return { all, send: (filter) => peer.run(database, signal(filter).replaceAll("@", database)) };
    };
    test("rows of a snapshot say where they stand; the first of all only where the first table has rows", async (t) => {
      const { peer, database } = await on(t);
      await peer.run(database, "CREATE TABLE empty (id int NOT NULL PRIMARY KEY)");
      await peer.run(database, enable("empty"));
      await item(peer, database);
      await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three')");
      const all = reading(t, peer, database);
      await all.start();
      const events = await all.take(0, 3);
      expect(events.map((e) => part(e, "source")?.["snapshot"])).toEqual(["first_in_data_collection", "true", "last"]);
      const listed = reading(t, peer, database, { "table.include.list": "dbo.item,dbo.empty" });
      await listed.start();
      const inOrder = await listed.take(0, 3);
      expect(inOrder.map((e) => part(e, "source")?.["snapshot"])).toEqual(["first", "true", "last"]);
    });
    test("a blocking snapshot takes a whole statement as its filter", async (t) => {
      const { all, send } = await withSignals(t);
      await send("SELECT * FROM dbo.item WHERE id > 1");
      const events = await all.take(2, 2);
      expect(events.map((e) => `${op(e)} ${String(e.key?.["id"])}`)).toEqual(["c s", "r 2"]);
    });
    test("a statement that fails in the midst of a snapshot stops the task instead of holding it", async (t) => {
      const { all, send } = await withSignals(t);
      await send("id > (");
      await expect(all.take(3, 1)).rejects.toThrow(/syntax/i);
    });
    test("the doctor's statements mend what it found", async (t) => {
      const { peer, database } = await on(t);
      await peer.run(database, "CREATE TABLE item (id int NOT NULL PRIMARY KEY)");
      const config = addressOf(peer, database);
      const doctor = await sqlserverSource.diagnosis?.();
      const missing = async (): Promise<readonly string[]> => {
        const checks = (await doctor?.check(config, new AbortController().signal)) ?? [];
        return checks.flatMap((c) => (c.check === "capture instance" && !c.ok ? (c.sql ?? []) : []));
      };
      const found = await missing();
      expect(found.join("\n")).toContain("sys.sp_cdc_enable_table");
      for (const statement of found) if (!statement.startsWith("USE ")) await peer.run(database, statement);
      expect(await missing()).toEqual([]);
    });
  });
}
