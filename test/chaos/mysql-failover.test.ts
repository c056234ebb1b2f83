/**
 * A source fails and its replica takes over: the connector goes on at the replica from every record that it can have stopped at, also in
 * the midst of a transaction, with nothing left out, nothing twice and all in order; then back to the first server, and once more with a
 * replica that has transactions and filters of its own.
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SourceOffset } from "#connect/api/record";
import { Struct } from "#connect/api/struct";
import { mariadbSource, mysqlSource } from "#connectors/mysql/index";
import { SourceBench } from "../golden/task-bench.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason, MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";
import { sleep } from "./millrace-process.ts";

const text = async (sql: Connection, statement: string): Promise<string> => {
  const [rows] = await sql.query<RowDataPacket[]>(statement);
  return String(Object.values(rows[0] ?? {})[0] ?? "");
};
interface Flavour {
  readonly name: string;
  readonly plugin: typeof mysqlSource;
  readonly start: (options: { port: number; arguments?: readonly string[] }) => Promise<MysqlOrReason>;
  readonly replicaArguments: readonly string[];
  follow(port: number): string;
  readonly leave: string;
  /** Begins transactions of the server's own. */
  readonly own: string;
  /** What the server has. */
  readonly executed: string;
  /** As `gtid.source.excludes` names the replica's own transactions. */
  readonly ownSource: string;
}
const FLAVOURS: readonly Flavour[] = [
  {
    name: "MySQL",
    plugin: mysqlSource,
    start: startMysql,
    replicaArguments: ["--server-id=2"],
    follow: (port) =>
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=${port}, SOURCE_USER='root', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1; START REPLICA`,
    leave: "STOP REPLICA; RESET REPLICA ALL",
    own: "DO 0",
    executed: "SELECT @@global.gtid_executed",
    ownSource: "SELECT @@server_uuid",
  },
  {
    name: "MariaDB",
    plugin: mariadbSource,
    start: startMariadb,
    replicaArguments: ["--server-id=2", "--log-slave-updates=ON"],
    follow: (port) =>
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${port}, MASTER_USER='root', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1; START SLAVE`,
    leave: "STOP SLAVE; RESET SLAVE ALL",
    own: "SET gtid_domain_id = 7",
    executed: "SELECT @@global.gtid_current_pos",
    ownSource: "SELECT @@gtid_domain_id",
  },
];

/** `table n` of each row's event, in order. */
const told = (bench: SourceBench): string[] =>
  bench.records.flatMap((r) => {
    if (!(r.value instanceof Struct) || !r.topic.includes(".shop.")) return [];
    const row = r.value.get("after") ?? r.value.get("before");
    return row instanceof Struct ? [`${r.topic.split(".")[2] ?? ""} ${Number(row.get("n"))}`] : [];
  });
/** Records after which it has stopped: in the first transactions, in a later one, at a transaction's end. */
const STOPS: readonly number[] = [0, 1, 2, 5, 9, 24, 37];
const WIDE = "REPEAT('x', 4000)";
/** Transactions of several statements and events, each row with the next number; with a change of the table before every third. */
class Load {
  n = 0;
  readonly expected: string[] = ["t 0", "t 0"];
  #row(table: string): number {
    this.n++;
    this.expected.push(`${table} ${this.n}`);
    return this.n;
  }
  async transaction(sql: Connection): Promise<void> {
    const rows = (count: number): string => Array.from({ length: count }, () => `(${this.#row("j")}, ${WIDE})`).join(", ");
    const statements = [
      `INSERT INTO shop.j (n, v) VALUES ${rows(2)}`,
      `REPLACE INTO shop.hidden VALUES (1, ${this.n})`,
      `UPDATE shop.t SET n = ${this.#row("t")} WHERE id = 1`,
      `INSERT INTO shop.j (n, v) VALUES ${rows(5)}`,
      `UPDATE shop.t SET n = ${this.#row("t")} WHERE id = 2`,
      `DELETE FROM shop.k WHERE n = ${this.n}`,
      `INSERT INTO shop.j (n, v) VALUES ${rows(2)}`,
    ];
    await sql.query(`BEGIN; ${statements.join("; ")}; COMMIT`);
  }
  async change(sql: Connection): Promise<void> {
    await sql.query(`ALTER TABLE shop.j ADD COLUMN c${this.n} int`);
  }
}

describe.each(FLAVOURS)("$name", (flavour) => {
  let folder = "";
  const peers: MysqlPeer[] = [];
  let reason = "";
  const load = new Load();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-failover-"));
    const [a = 0, b = 0] = await freePorts(2);
    const found = await Promise.all([flavour.start({ port: a }), flavour.start({ port: b, arguments: flavour.replicaArguments })]);
    for (const peer of found) {
      if ("reason" in peer) reason = peer.reason;
      else peers.push(peer);
    }
  }, 180_000);
  afterAll(async () => {
    await Promise.all(peers.map((p) => p.stop()));
    await rm(folder, { recursive: true, force: true });
  });
  const benchOf = (peer: MysqlPeer, history: string, more: Readonly<Record<string, string>> = {}): SourceBench =>
    new SourceBench(flavour.plugin, {
      "connector.class": flavour.plugin.classes[0] ?? "",
      "database.hostname": peer.host,
      "database.port": String(peer.port),
      "database.user": peer.user,
      "database.server.id": "6401",
      "topic.prefix": "p",
      "table.include.list": "shop.j,shop.t,shop.own",
      "snapshot.mode": "no_data",
      "include.schema.changes": "false",
      "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
      "schema.history.internal.file.filename": history,
      ...more,
    });
  const caughtUp = async (from: Connection, to: Connection): Promise<void> => {
    const wanted = await text(from, flavour.executed);
    const wait = flavour.name === "MySQL" ? `WAIT_FOR_EXECUTED_GTID_SET('${wanted}', 20)` : `MASTER_GTID_WAIT('${wanted}', 20)`;
    expect(await text(to, `SELECT ${wait}`)).toBe("0");
  };
  const until = async (bench: SourceBench, last: string): Promise<string[]> => {
    for (const limit = Date.now() + 20_000; ; await sleep(10)) {
      const seen = told(bench);
      if (seen.includes(last)) return seen;
      if (bench.failure !== null) throw bench.failure;
      if (Date.now() > limit) throw new Error(`${last} does not come: ${JSON.stringify(seen)} ${bench.logged.slice(-5).join("\n")}`);
    }
  };

  const count = async (bench: SourceBench, most: number): Promise<void> => {
    for (const limit = Date.now() + 10_000; told(bench).length < most && bench.failure === null && Date.now() < limit; ) await sleep(10);
  };
  const history = (): string => join(folder, "history");

  test("from each record that it can have stopped at", async (t) => {
    const [source, replica] = peers;
    if (reason !== "" || source === undefined || replica === undefined) return t.skip(reason);
    const [at, to] = await Promise.all([source.connect(), replica.connect()]);
    await at.query(
      "CREATE DATABASE shop; CREATE TABLE shop.j (n int PRIMARY KEY, v text); CREATE TABLE shop.t (id int PRIMARY KEY, n int); CREATE TABLE shop.hidden LIKE shop.t; CREATE TABLE shop.k LIKE shop.t;",
    );
    // Its logs have higher numbers than the replica's.
    await at.query("FLUSH BINARY LOGS; FLUSH BINARY LOGS");
    const rows = "INSERT INTO shop.t VALUES (1, 0), (2, 0)";
    await to.query(flavour.follow(source.port));
    await caughtUp(at, to);
    await to.query(`${flavour.own}; CREATE TABLE shop.own (id int PRIMARY KEY, n int); INSERT INTO shop.own VALUES (1, -1), (2, -2)`);
    const bench = benchOf(source, history());
    await bench.start();
    await sleep(500);
    await at.query(rows);
    await until(bench, "t 0");
    for (let i = 0; i < 4; i++) {
      if (i === 2) await load.change(at);
      if (i === 3) {
        await caughtUp(at, to);
        await to.query("FLUSH BINARY LOGS");
      }
      await load.transaction(at);
    }
    await until(bench, load.expected.at(-1) ?? "");
    await bench.stop();
    await caughtUp(at, to);
    await source.kill();
    await to.query(flavour.leave);
    await load.change(to);
    await load.transaction(to);
    const events = bench.records.filter((r) => r.topic.includes(".shop."));
    expect(told(bench)).toEqual(load.expected.slice(0, events.length));
    const wrong: string[] = [];
    for (const [k, record] of events.entries()) {
      if (!STOPS.includes(k)) continue;
      const own = `${history()}-${k}`;
      await copyFile(history(), own);
      const next = benchOf(replica, own);
      next.stored = JSON.parse(JSON.stringify(record.sourceOffset)) as SourceOffset;
      const seen: string[] = [];
      // Stopped once more, at the replica.
      for (const most of [3, Number.POSITIVE_INFINITY]) {
        next.keepsOnly(most);
        await next.start();
        await (most === 3 ? count(next, most) : until(next, load.expected.at(-1) ?? "")).catch((e: unknown) => seen.push(String(e)));
        await next.stop();
      }
      seen.push(...told(next));
      const [a, b] = [seen.join(), ["own -1", "own -2", ...load.expected.slice(k + 1)].join()];
      if (a !== b) wrong.push(`${k} ${JSON.stringify(record.sourceOffset)}: ${a}\n   instead of ${b}`);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    // Logs with transactions of the replica's own are purged: lost, unless they are not wanted.
    const [logs] = await to.query<RowDataPacket[]>("SHOW BINARY LOGS");
    await to.query(`PURGE BINARY LOGS TO '${String(logs.at(-1)?.["Log_name"])}'`);
    const own = await text(to, flavour.ownSource);
    const offset = JSON.parse(JSON.stringify(events.at(-1)?.sourceOffset)) as SourceOffset;
    const lacking = benchOf(replica, history());
    lacking.stored = offset;
    await expect(lacking.start()).rejects.toThrow(/purged/);
    await lacking.stop();
    const without = benchOf(replica, history(), { "gtid.source.excludes": own, "gtid.source.filter.dml.events": "false" });
    without.stored = offset;
    await without.start();
    await until(without, load.expected.at(-1) ?? "");
    await without.stop();
    expect(told(without)).toEqual(load.expected.slice(events.length));
  });
});
