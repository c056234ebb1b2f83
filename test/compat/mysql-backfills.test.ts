/** Backfills of MySQL and MariaDB: without a table of signals and with one; cut off while rows change, paused, stopped, refused. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { mariadbSource, mysqlSource } from "#connectors/mysql/index";
import { ask, becomes, cutOff, lastStates, read, shown, tables } from "../golden/backfill-asks.ts";
import { SourceBench } from "../golden/task-bench.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";

const TEST_MS = 240_000;
const folder = mkdtempSync(join(tmpdir(), "backfills-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERVERS = [
  { name: "MySQL", plugin: mysqlSource, gtid: true, start: startMysql },
  { name: "MySQL without GTIDs", plugin: mysqlSource, gtid: false, start: startMysql },
  { name: "MariaDB", plugin: mariadbSource, gtid: true, start: startMariadb },
] as const;

describe.each(SERVERS)("$name", { timeout: TEST_MS }, ({ name, plugin, gtid, start }) => {
  let found: MysqlOrReason = { reason: "not started" };
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    found = await start({ port, gtid });
  }, 180_000);
  afterAll(async () => {
    if (!("reason" in found)) await found.stop();
  });
  const opened = async (
    t: TestContext,
    database: string,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly sql: Connection; readonly bench: SourceBench }> => {
    if ("reason" in found) return t.skip(found.reason);
    const sql = await found.connect();
    await sql.query(`CREATE DATABASE ${database}; USE ${database}; CREATE TABLE t (id int PRIMARY KEY, v int)`);
    const bench = new SourceBench(plugin, {
      "connector.class": plugin.classes[0] ?? "",
      "database.hostname": found.host,
      "database.port": String(found.port),
      "database.user": found.user,
      "database.password": found.password,
      "database.server.id": String(5000 + Math.floor(Math.random() * 100_000)),
      "database.include.list": database,
      "include.schema.changes": "false",
      "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
      "schema.history.internal.file.filename": join(folder, `${name}.${database}`.replaceAll(" ", "-")),
      "snapshot.mode": "no_data",
      "incremental.snapshot.chunk.size": "50",
      "max.batch.size": "40",
      ...extra,
    });
    return { sql, bench };
  };
  const fill = (sql: Connection, table: string, rows: number): Promise<unknown> =>
    sql.query(`INSERT INTO ${table} VALUES ${Array.from({ length: rows }, (_, i) => `(${i + 1}, 0)`).join(", ")}`);
  /** Streaming is there: what is asked for before is refused. */
  const streaming = async (bench: SourceBench): Promise<void> => {
    await bench.start();
    for (let i = 0; ; i++) {
      try {
        return void (await ask(bench, { id: "probe", kind: "blocking", tables: tables("none.none") }));
      } catch (error) {
        if (!String(error).includes("not open")) return;
        if (i > 800 || bench.failure !== null) throw bench.failure ?? error;
        await new Promise((r) => setTimeout(r, 25));
      }
    }
  };

  test("blocking: a table without a key, a condition; what cannot be read is refused with the server's words", async (t) => {
    const { sql, bench } = await opened(t, "refusals");
    await sql.query("CREATE TABLE nokey (v int); INSERT INTO nokey VALUES (1), (2)");
    await fill(sql, "t", 120);
    await streaming(bench);
    await expect(ask(bench, { kind: "blocking", tables: tables("refusals.other") })).rejects.toThrow(
      "The connector does not capture refusals.other; it captures",
    );
    for (const where of ["nothing = 1", "true) ; DROP TABLE nokey; SELECT (1", "1) UNION SELECT 1 -- "])
      await expect(ask(bench, { kind: "blocking", tables: [{ table: "refusals.t", where }] })).rejects.toThrow(
        "The condition for refusals.t is refused by the database",
      );
    const both = [...tables("refusals.nokey"), { table: "refusals.t", where: "id < 4 -- none but these" }];
    const blocking = await ask(bench, { kind: "blocking", tables: both });
    expect((await becomes(bench, blocking.id, "completed")).tables.map((each) => each.rows)).toEqual([2, 3]);
    await bench.until(5);
    if (gtid) {
      await expect(ask(bench, { tables: tables("refusals.nokey") })).rejects.toThrow("has no primary key");
      const request = { id: "mine", tables: [{ table: "refusals.t", where: "id % 2 = 0 -- even" }] };
      await ask(bench, request);
      const done = await becomes(bench, "mine", "completed");
      expect(done.tables).toMatchObject([{ state: "completed", rows: 60 }]);
      expect(await ask(bench, request)).toEqual(done);
      await bench.until(65);
      expect(
        read(bench, "refusals.t")
          .map((r) => r["id"])
          .slice(3),
      ).toEqual(Array.from({ length: 60 }, (_, i) => 2 * (i + 1)));
    } else
      await expect(ask(bench, { tables: tables("refusals.t") })).rejects.toThrow(
        'reading tables beside the stream needs a table for signals (signal.data.collection); or ask with "kind": "blocking"',
      );
    await bench.stop();
  });

  test.for([false, true])("cut off again and again while rows change, with a table of signals: %s", async (signals, t) => {
    const database = signals ? "cuts_signals" : "cuts";
    if (!gtid && !signals) t.skip("refused: see the test before");
    const extra: Readonly<Record<string, string>> = signals ? { "signal.data.collection": `${database}.debezium_signal` } : {};
    const { sql, bench } = await opened(t, database, extra);
    await sql.query("CREATE TABLE debezium_signal (id varchar(64) PRIMARY KEY, type varchar(32), data text)");
    await sql.query("CREATE TABLE u (id int PRIMARY KEY, v int)");
    await fill(sql, "t", 900);
    await fill(sql, "u", 300);
    await streaming(bench);
    await ask(bench, { id: "all", tables: tables(`${database}.t`, `${database}.u`) });
    await cutOff(
      bench,
      [0, 1, 90, 400],
      async (round) => {
        for (let i = 0; i < 20; i++) {
          await sql.query(
            `UPDATE t SET v = v + 1 WHERE id % 97 = ${i + 20 * round}; UPDATE t SET v = v + 1 WHERE id % 97 = ${i + 20 * round}`,
          );
          await sql.query(`DELETE FROM t WHERE id = ${1 + ((i * 71 + round * 13) % 900)}`);
        }
      },
      60_000,
    );
    await streaming(bench);
    const done = await becomes(bench, "all", "completed", 2400);
    await sql.query("INSERT INTO t VALUES (-1, -1)");
    for (let i = 0; i < 800 && !lastStates(bench, `${database}.t`).has('{"id":-1}'); i++) await new Promise((r) => setTimeout(r, 25));
    await bench.stop();
    expect(done.tables.map((each) => each.state)).toEqual(["completed", "completed"]);
    for (const table of ["t", "u"]) {
      const [rows] = await sql.query<RowDataPacket[]>(`SELECT id, v FROM ${table} ORDER BY id`);
      const states = [...lastStates(bench, `${database}.${table}`).values()] as { id: number; v: number }[];
      expect(states.sort((a, b) => a.id - b.id)).toEqual(rows.map((r) => ({ ...r })));
    }
  });

  test.runIf(gtid)("paused over a restart, resumed where it was, stopped; the next one waits for its turn", async (t) => {
    const { sql, bench } = await opened(t, "pauses");
    await fill(sql, "t", 20_000);
    await streaming(bench);
    await ask(bench, { id: "one", tables: tables("pauses.t") });
    await ask(bench, { id: "two", tables: [{ table: "pauses.t", where: "id <= 10" }] });
    await bench.until(100, 60_000);
    await bench.backfill({ do: "pause", id: "one" });
    expect(await shown(bench, "one")).toMatchObject({ state: "paused" });
    await new Promise((r) => setTimeout(r, 1000));
    const at = bench.records.length;
    await bench.stop();
    await streaming(bench);
    await sql.query("UPDATE t SET v = 1 WHERE id = 20000");
    await bench.until(at + 1, 60_000);
    await new Promise((r) => setTimeout(r, 300));
    expect(bench.records).toHaveLength(at + 1);
    expect([await shown(bench, "one"), await shown(bench, "two")]).toMatchObject([{ state: "paused" }, { state: "waiting" }]);
    const before = read(bench, "pauses.t").length;
    await bench.backfill({ do: "resume", id: "one" });
    await bench.until(at + 200, 60_000);
    // Where it was, with one chunk again at most.
    expect(Number(read(bench, "pauses.t")[before]?.["id"])).toBeGreaterThan(before - 50);
    await bench.backfill({ do: "stop", id: "one" });
    expect(await shown(bench, "one")).toMatchObject({ state: "stopped" });
    expect((await becomes(bench, "two", "completed", 2400)).tables[0]?.rows).toBe(10);
    await bench.stop();
    expect(read(bench, "pauses.t").length).toBeLessThan(20_000);
  });
});
