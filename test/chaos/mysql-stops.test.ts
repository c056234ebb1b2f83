/**
 * F18 and F21 where going on would lose something: logs purged while we were away, a schema history that is lost or has lost its
 * beginning. The task stops and says what is missing, and goes on as the message says. And one transaction of many rows in bounded memory.
 * MILLRACE_BIG_ROWS=10000000 is the full size.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason, MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";
import { connectorStates, type MillraceProcess, putConnector, sleep, startMillrace } from "./millrace-process.ts";

const ROWS = Number(process.env["MILLRACE_BIG_ROWS"] ?? 200_000);
/** Above what the process has without any work, in the broker and the connector together. */
const GROWTH_MIB_MAX = 170;
const J = "org.apache.kafka.connect.json.JsonConverter";

describe.each([
  ["mysql", startMysql],
  ["mariadb", startMariadb],
] as const)("%s", (flavor, start) => {
  let folder = "";
  let peer: MysqlOrReason = { reason: "not started" };
  let millrace: MillraceProcess;
  let sql: Connection;
  beforeAll(async () => {
    const [port = 0, broker = 0, rest = 0] = await freePorts(3);
    peer = await start({ port, arguments: ["--innodb-buffer-pool-size=128M"] });
    if ("reason" in peer) return;
    folder = await mkdtemp(join(tmpdir(), "millrace-stops-"));
    millrace = await startMillrace(join(folder, "data"), broker, rest, { "offset.flush.interval.ms": "100" });
    sql = await peer.connect();
  });
  afterAll(async () => {
    await millrace?.stop();
    if (!("reason" in peer)) await peer.stop();
    if (folder !== "") await rm(folder, { recursive: true, force: true });
  });

  const post = (server: MysqlPeer, name: string, more: Readonly<Record<string, string>> = {}): Promise<void> =>
    putConnector(millrace.rest, name, {
      "connector.class": `io.debezium.connector.${flavor}.${flavor === "mysql" ? "MySqlConnector" : "MariaDbConnector"}`,
      "database.hostname": server.host,
      "database.port": String(server.port),
      "database.user": server.user,
      "database.password": server.password,
      "database.server.id": String(8000 + name.length),
      "topic.prefix": name,
      "database.include.list": name,
      "schema.history.internal.kafka.bootstrap.servers": millrace.bootstrap,
      "schema.history.internal.kafka.topic": `${name}.history`,
      "key.converter": J,
      "value.converter": J,
      "key.converter.schemas.enable": "false",
      "value.converter.schemas.enable": "false",
      ...more,
    });
  const end = async (name: string): Promise<number> => {
    const admin = await createKafkaClients().admin({ "bootstrap.servers": millrace.bootstrap });
    const [at] = await admin.endOffsets([{ topic: `${name}.${name}.t`, partition: 0 }]).catch(() => [0]);
    await admin.close();
    return at ?? 0;
  };
  const until = async (what: string, reached: () => Promise<boolean>, limitMs = 90_000): Promise<void> => {
    for (const limit = Date.now() + limitMs; !(await reached()); await sleep(100))
      if (Date.now() > limit) throw new Error(`${what}: ${await connectorStates(millrace.rest)}`);
  };
  const call = async (method: string, path: string): Promise<void> => {
    const response = await fetch(`${millrace.rest}/connectors/${path}`, { method });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  const state = async (name: string): Promise<string> => (await fetch(`${millrace.rest}/connectors/${name}/status`)).text();
  const failure = async (name: string): Promise<string> => {
    await until(`${name} stops`, async () => (await state(name)).includes('"FAILED"'));
    return state(name);
  };
  /** A connector that has streamed `rows` rows and is stopped. */
  const stopped = async (name: string): Promise<MysqlPeer | string> => {
    if ("reason" in peer) return peer.reason;
    await sql.query(
      `CREATE DATABASE ${name}; USE ${name}; CREATE TABLE t (id int PRIMARY KEY, v varchar(100)); INSERT INTO t VALUES (1, 'a')`,
    );
    await post(peer, name);
    await until("the snapshot", async () => (await end(name)) === 1);
    await sql.query("INSERT INTO t VALUES (2, 'b')");
    await until("the stream", async () => (await end(name)) === 2);
    await sleep(500);
    await call("PUT", `${name}/stop`);
    await until("the end", async () => (await state(name)).includes("STOPPED"));
    return peer;
  };

  test("logs that were purged meanwhile stop the task, with what is missing; when_needed takes a new snapshot", async (context) => {
    const server = await stopped("purged");
    if (typeof server === "string") return context.skip(server);
    await sql.query("INSERT INTO t VALUES (3, 'lost'); DELETE FROM t WHERE id = 3; FLUSH BINARY LOGS");
    // MariaDB keeps a log until all that it holds is in the tables' files, and says nothing.
    await until("the purge", async () => {
      const [logs] = await sql.query<RowDataPacket[]>("SHOW BINARY LOGS");
      await sql.query(`PURGE BINARY LOGS TO '${String(logs.at(-1)?.["Log_name"])}'`);
      const [left] = await sql.query<RowDataPacket[]>("SHOW BINARY LOGS");
      return left.length === 1;
    });
    await call("PUT", "purged/resume");
    const trace = await failure("purged");
    expect(trace).toContain("no longer available on the server");
    expect(trace).toMatch(/were purged|is not on the server any more/);
    expect(trace).toContain("snapshot.mode=when_needed");
    expect(await end("purged")).toBe(2);
    await post(server, "purged", { "snapshot.mode": "when_needed" });
    await until("the new snapshot", async () => (await end("purged")) >= 4);
    await sql.query("INSERT INTO t VALUES (4, 'after')");
    await until("the stream after it", async () => (await end("purged")) >= 5);
  });

  test("a lost schema history stops the task; recovery rebuilds it and nothing is left out", async (context) => {
    const server = await stopped("history_lost");
    if (typeof server === "string") return context.skip(server);
    const admin = await createKafkaClients().admin({ "bootstrap.servers": millrace.bootstrap });
    await admin.deleteTopics(["history_lost.history"]);
    await admin.close();
    await sql.query("INSERT INTO t VALUES (3, 'meanwhile')");
    await call("PUT", "history_lost/resume");
    const trace = await failure("history_lost");
    expect(trace).toContain("The db history topic is missing");
    expect(trace).toContain("snapshot.mode=recovery");
    expect(await end("history_lost")).toBe(2);
    await post(server, "history_lost", { "snapshot.mode": "recovery" });
    await until("the row from before", async () => (await end("history_lost")) === 3);
    await sql.query("ALTER TABLE t ADD w int; INSERT INTO t VALUES (4, 'after', 5)");
    await until("a row after it", async () => (await end("history_lost")) === 4);
  });

  test("a snapshot without rows ends with its last schema change", async (context) => {
    if ("reason" in peer) return context.skip(peer.reason);
    await sql.query("CREATE DATABASE bare; USE bare; CREATE TABLE t (id int PRIMARY KEY)");
    await post(peer, "bare");
    const ended = /"snapshot":"last"(?!.*"snapshot":"true").*CREATE TABLE `t`/s;
    await until("the schema change", async () => ended.test(await valuesOf(millrace.bootstrap, "bare")));
    await sql.query("INSERT INTO t VALUES (1)");
    await until("the first row of a table of later", async () => (await end("bare")) === 1);
  });

  test("a table that is altered while a snapshot reads another one is read by its new definition", async (context) => {
    if ("reason" in peer) return context.skip(peer.reason);
    const name = "altered";
    await sql.query(`CREATE DATABASE ${name}; USE ${name}; CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v varchar(200))`);
    await sql.query(
      "CREATE TABLE u (id int PRIMARY KEY, v varchar(9)); INSERT INTO u VALUES (1, 'before'); INSERT INTO t (v) VALUES (REPEAT('x', 200))",
    );
    for (let rows = 1; rows < 200_000; rows *= 2) await sql.query("INSERT INTO t (v) SELECT v FROM t");
    await post(peer, name);
    await until("rows of the first table", async () => (await end(name)) > 0);
    await sql.query("ALTER TABLE u RENAME COLUMN v TO w, ADD COLUMN x int DEFAULT 7");
    await until("the second table's row", async () =>
      (await valuesOf(millrace.bootstrap, `${name}.${name}.u`)).includes('"w":"before","x":7'),
    );
    expect(await state(name)).not.toContain("FAILED");
    expect(millrace.output()).toContain(`The definition of ${name}.u has changed during its snapshot`);
  });

  test(`a transaction of ${ROWS} rows in bounded memory (needs Linux's /proc)`, async (context) => {
    if ("reason" in peer) return context.skip(peer.reason);
    if (process.platform !== "linux") return context.skip("needs /proc");
    await sql.query("CREATE DATABASE big; USE big; CREATE TABLE t (id int PRIMARY KEY, v varchar(100)); INSERT INTO t VALUES (0, '')");
    await post(peer, "big");
    await until("the snapshot", async () => (await end("big")) === 1);
    const before = memoryMib(millrace.pid, "VmRSS");
    await sql
      .query("SET SESSION cte_max_recursion_depth = 1000000")
      .catch(() => sql.query("SET SESSION max_recursive_iterations = 1000000"));
    await sql.query("START TRANSACTION");
    for (let from = 1; from <= ROWS; from += 50_000)
      await sql.query(
        `INSERT INTO t WITH RECURSIVE s(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM s WHERE i < ${Math.min(ROWS, from + 49_999)}) SELECT i, repeat('v', 90) FROM s`,
      );
    await sql.query("COMMIT");
    await until("all rows", async () => (await end("big")) === ROWS + 1, 90_000 + ROWS / 10);
    const peak = memoryMib(millrace.pid, "VmHWM");
    console.log(`${flavor}: ${Math.round(before)} MiB before, ${Math.round(peak)} MiB at most`);
    expect(peak - before).toBeLessThan(GROWTH_MIB_MAX);
  });
});

function memoryMib(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
}
/** What a topic of one partition holds, as text; empty while there is no such topic. */
async function valuesOf(bootstrap: string, topic: string): Promise<string> {
  const consumer = await createKafkaClients().consumer({ "bootstrap.servers": bootstrap, "auto.offset.reset": "earliest" });
  consumer.assign([{ topic, partition: 0 }]);
  try {
    const records = await consumer.poll(500);
    return records.map((r) => (r.value === null ? "" : Buffer.from(r.value).toString())).join("\n");
  } catch {
    return "";
  } finally {
    await consumer.close();
  }
}
