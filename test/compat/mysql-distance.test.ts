/** How far MySQL and MariaDB say that their log is ahead: of a task that reads, of one that is stuck, of one that is away. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SourcePosition } from "#connect/api/diagnosis";
import { mariadbSource, mysqlSource } from "#connectors/mysql/index";
import { SourceBench } from "../golden/task-bench.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";

const ROWS = 3000;
const SERVERS = [
  { name: "MySQL", plugin: mysqlSource, start: startMysql },
  { name: "MariaDB", plugin: mariadbSource, start: startMariadb },
] as const;

describe.each(SERVERS)("$name", ({ plugin, start }) => {
  let found: MysqlOrReason = { reason: "not started" };
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    found = await start({ port });
  }, 180_000);
  afterAll(async () => {
    if (!("reason" in found)) await found.stop();
  });
  test("nothing waits for who passes over what is not captured; what is not sent waits", async (t) => {
    if ("reason" in found) return t.skip(found.reason);
    const sql = await found.connect();
    await sql.query(
      "CREATE DATABASE far; USE far; CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY, v text)",
    );
    const config = {
      "connector.class": plugin.classes[0] ?? "",
      "database.hostname": found.host,
      "database.port": String(found.port),
      "database.user": found.user,
      "database.password": found.password,
      "database.server.id": "6301",
      "table.include.list": "far.t",
      "topic.prefix": "p",
      "snapshot.mode": "no_data",
      "include.schema.changes": "false",
      // A batch of the default size could take so much that sockets hold the rest.
      "max.batch.size": "100",
      "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
    };
    const bench = new SourceBench(plugin, config);
    const asked = async (): Promise<SourcePosition> => {
      const position = await (await plugin.diagnosis?.())?.position?.(config, bench.stored, AbortSignal.timeout(30_000));
      if (position === null || position === undefined) throw new Error("no position");
      return position;
    };
    const until = async (wanted: (p: SourcePosition) => boolean): Promise<SourcePosition> => {
      for (let i = 0; ; i++) {
        const position = await asked();
        if (wanted(position)) return position;
        if (i > 300 || bench.failure !== null) throw bench.failure ?? new Error(JSON.stringify(position));
        await new Promise((r) => setTimeout(r, 100));
      }
    };
    const write = async (table: string, from: number): Promise<void> => {
      for (let i = 0; i < ROWS; i += 100) {
        const rows = Array.from({ length: 100 }, (_, j) => `(${from + i + j}, REPEAT('x', 10000))`);
        await sql.query(`INSERT INTO ${table} VALUES ${rows.join(", ")}`);
      }
    };
    await bench.start();
    await until((p) => p.reached !== null);
    await sql.query("INSERT INTO t VALUES (-1, 'first')");
    await bench.until(1);
    await write("other", 0);
    const reading = await until((p) => p.reached !== null);
    expect(reading).toMatchObject({ behindBytes: 0, reached: reading.head, waiting: null });
    expect(Number(reading.details["stored_behind_bytes"])).toBeGreaterThan(ROWS * 10_000);
    // From the next batch on nobody asks for more.
    bench.onBatch = () => 0;
    await write("t", 0);
    const stuck = await until((p) => p.reached === null && p.behindBytes !== null);
    expect(stuck.behindBytes).toBeGreaterThan(ROWS * 10_000);
    await bench.stop();
    const away = await asked();
    expect([away.reached, away.details["sending"]]).toEqual([null, null]);
    expect(away.behindBytes).toBeGreaterThan(ROWS * 10_000);
  });
});
