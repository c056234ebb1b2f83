/** How tasks begin on real servers: whose rows a snapshot sends, what is said where nothing is captured, what of the position is checked. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, describe, expect, test, type TestContext } from "vitest";
import { Struct } from "#connect/api/struct";
import { mariadbSource, mysqlSource } from "#connectors/mysql/connector";
import { until } from "../chaos/journal.ts";
import { freePorts } from "../peers/ports.ts";
import { SourceBench } from "../golden/task-bench.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlPeer } from "../peers/mysql-server.ts";

const folder = mkdtempSync(join(tmpdir(), "mysql-starts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const SERVERS = [
  { flavor: "mysql", start: startMysql, plugin: mysqlSource },
  { flavor: "mariadb", start: startMariadb, plugin: mariadbSource },
] as const;

describe.each(SERVERS)("$flavor", ({ start, plugin }) => {
  let peer: MysqlPeer | null = null;
  let sql: Connection | null = null;
  afterAll(() => peer?.stop());
  async function server(context: TestContext): Promise<MysqlPeer & { readonly sql: Connection }> {
    if (peer === null || sql === null) {
      const [port = 0] = await freePorts(1);
      const started = await start({ port });
      if ("reason" in started) return context.skip(started.reason);
      peer = started;
      sql = await started.connect();
    }
    return { ...peer, sql };
  }
  const bench = (at: MysqlPeer, database: string, settings: Readonly<Record<string, string>>): SourceBench =>
    new SourceBench(plugin, {
      "database.hostname": at.host,
      "database.port": String(at.port),
      "database.user": at.user,
      "database.password": "",
      "database.server.id": "7401",
      "database.include.list": database,
      "include.schema.changes": "false",
      "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
      ...settings,
    });
  const topics = (b: SourceBench): readonly string[] => b.records.map((r) => r.topic);
  const told = (b: SourceBench, text: string): boolean => b.logged.some((line) => line.includes(text));

  test("a snapshot sends no row of the signal table, and the stream sends those that come after it", async (context) => {
    const at = await server(context);
    await at.sql.query(
      "CREATE DATABASE signalled; USE signalled; CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); " +
        "CREATE TABLE sig (id varchar(64) PRIMARY KEY, type varchar(32), data varchar(2048)); INSERT INTO sig VALUES ('old', 'log', '{}')",
    );
    const b = bench(at, "signalled", { "signal.data.collection": "signalled.sig" });
    await b.start();
    try {
      await until(() => (topics(b).includes("p.signalled.a") ? null : "no row"));
      await at.sql.query("INSERT INTO signalled.sig VALUES ('new', 'log', '{}'); INSERT INTO signalled.a VALUES (2)");
      await until(() => (topics(b).length >= 3 ? null : JSON.stringify(topics(b))));
      expect(topics(b)).toEqual(["p.signalled.a", "p.signalled.sig", "p.signalled.a"]);
    } finally {
      await b.stop();
    }
  }, 120_000);

  test("a warning where no table is captured; none where there is one, or where the snapshot is to have none", async (context) => {
    const at = await server(context);
    await at.sql.query("CREATE DATABASE empty_one; CREATE DATABASE full_one; CREATE TABLE full_one.a (id int PRIMARY KEY)");
    const warned = async (database: string, settings: Readonly<Record<string, string>>): Promise<boolean> => {
      const b = bench(at, database, settings);
      await b.start();
      await until(() => (b.gauges.get("SnapshotCompleted") === 1 ? null : "no end of the snapshot"));
      await b.stop();
      return told(b, "no table is captured");
    };
    expect(await warned("empty_one", {})).toBe(true);
    expect(await warned("full_one", {})).toBe(false);
    expect(await warned("full_one", { "table.include.list": "full_one.no_such" })).toBe(true);
    expect(await warned("full_one", { "snapshot.include.collection.list": "full_one.no_such" })).toBe(false);
  }, 120_000);

  test("internal.log.position.check.enable=false: a log that is gone is the server's error, not the connector's", async (context) => {
    const at = await server(context);
    await at.sql.query("CREATE DATABASE gone; CREATE TABLE gone.a (id int PRIMARY KEY); INSERT INTO gone.a VALUES (1)");
    const history = {
      "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
      "schema.history.internal.file.filename": join(folder, `${plugin.name}.history`),
    };
    const b = bench(at, "gone", history);
    await b.start();
    await until(() => (topics(b).length > 0 && b.stored !== null ? null : "no row"));
    await b.stop();
    const stored = { ...b.stored, file: "binlog.000001", pos: 4 };
    Reflect.deleteProperty(stored, "gtids");
    await at.sql.query("FLUSH BINARY LOGS; FLUSH BINARY LOGS");
    const [[first]] = await at.sql.query<RowDataPacket[]>("SHOW BINARY LOGS");
    expect(first?.["Log_name"]).toBe("binlog.000001");
    await at.sql.query("PURGE BINARY LOGS TO 'binlog.000003'");
    // The server keeps a log that a reader which has just gone still holds.
    await until(async () => {
      const [[oldest]] = await at.sql.query<RowDataPacket[]>("SHOW BINARY LOGS");
      if (oldest?.["Log_name"] !== "binlog.000001") return null;
      await at.sql.query("PURGE BINARY LOGS TO 'binlog.000003'");
      return "the log is still there";
    });
    const failure = async (check: string): Promise<string> => {
      const again = bench(at, "gone", { ...history, "internal.log.position.check.enable": check, "snapshot.mode": "no_data" });
      again.stored = stored;
      await again.start().catch((error: unknown) => (again.failure = new Error(String(error))));
      await until(() => (again.failure === null ? "it has not failed" : null), 20_000);
      await again.stop();
      return String(again.failure);
    };
    const checked = await failure("true");
    expect(checked).toMatch(/no longer available|are lost/);
    // What the server says of it, as it is told of a log that is purged while streaming.
    expect(await failure("false")).not.toBe(checked);
  }, 120_000);

  test("rows of an incremental snapshot that come after a change of their table have its new columns", async (context) => {
    const at = await server(context);
    await at.sql.query(
      "CREATE DATABASE altered; USE altered; CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE sig (id varchar(64) PRIMARY KEY, type varchar(32), data varchar(2048)); " +
        "INSERT INTO a WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 600) SELECT i FROM r",
    );
    const b = bench(at, "altered", {
      "include.schema.changes": "true",
      "snapshot.mode": "no_data",
      "signal.data.collection": "altered.sig",
      "incremental.snapshot.chunk.size": "20",
    });
    await b.start();
    try {
      await until(() => (b.gauges.get("Connected") === 1 ? null : "not connected"));
      const before = b.records.length;
      await at.sql.query(
        `INSERT INTO altered.sig VALUES ('s', 'execute-snapshot', '{"type":"incremental","data-collections":["altered.a"]}')`,
      );
      const ids = (): Set<unknown> =>
        new Set(b.records.filter((r) => r.topic === "p.altered.a").map((r) => (r.key instanceof Struct ? r.key.get("id") : null)));
      for (let i = 0; i < 20; i++) {
        await at.sql.query(i % 2 === 0 ? "ALTER TABLE altered.a ADD x int DEFAULT 7" : "ALTER TABLE altered.a DROP x");
        await new Promise((wake) => setTimeout(wake, 40));
      }
      await until(() => (ids().size === 600 ? null : `${ids().size} of 600`), 60_000);
      let hasX = false;
      const wrong: unknown[] = [];
      for (const { topic, value } of b.records.slice(before)) {
        if (!(value instanceof Struct)) continue;
        if (topic === "p") {
          const ddl = value.get("ddl");
          hasX = typeof ddl === "string" && ddl.includes("ADD x");
        } else if (topic === "p.altered.a") {
          const after = value.get("after");
          if (after instanceof Struct && after.schema.byName.has("x") !== hasX) wrong.push(after.get("id"));
        }
      }
      expect(wrong).toEqual([]);
    } finally {
      await b.stop();
    }
  }, 120_000);
});
