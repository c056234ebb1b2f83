/** What a server's settings change in its log: checksums, switched while they are read, compression, partial JSON, character sets. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import { afterEach, expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { mariadbSource, mysqlSource } from "#connectors/mysql/index";
import { SourceBench } from "../golden/task-bench.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";

let peer: MysqlPeer | null = null;
let bench: SourceBench | null = null;
let folder = "";
afterEach(async () => {
  await bench?.stop();
  await peer?.stop();
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});
const CASES = [
  { name: "MySQL", plugin: mysqlSource, start: startMysql, arguments: ["--binlog-row-value-options=PARTIAL_JSON"] },
  { name: "MariaDB", plugin: mariadbSource, start: startMariadb, arguments: ["--log-bin-compress=ON", "--log-bin-compress-min-len=10"] },
];

test.for(CASES)("$name", async ({ plugin, start, arguments: more }, context) => {
  const [port = 0] = await freePorts(1);
  const found = await start({ port, arguments: ["--binlog-checksum=NONE", ...more] });
  if ("reason" in found) return context.skip(found.reason);
  peer = found;
  folder = await mkdtemp(join(tmpdir(), "millrace-log-settings-"));
  const sql = await found.connect();
  await sql.query("CREATE DATABASE d; USE d; CREATE TABLE t (id int PRIMARY KEY, j json, v text)");
  const reader = new SourceBench(plugin, {
    "connector.class": plugin.classes[0] ?? "",
    "database.hostname": found.host,
    "database.port": String(found.port),
    "database.user": found.user,
    "database.password": found.password,
    "database.server.id": "6601",
    "include.schema.changes": "false",
    "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
    "schema.history.internal.file.filename": join(folder, "history"),
  });
  bench = reader;
  let events = 0;
  const change = async (): Promise<void> => {
    const id = events + 1;
    events += 2;
    await sql.query(`INSERT INTO d.t VALUES (${id}, '{"a": ${id}, "b": "xxxxxxxxxxxxxxxx"}', REPEAT('äbc', 100))`);
    await sql.query(`UPDATE d.t SET j = JSON_SET(j, '$.a', ${id + 1}) WHERE id = ${id}`);
  };
  await change();
  events = 1;
  await reader.start();
  await reader.until(events);
  for (const checksum of ["CRC32", "NONE", "CRC32"]) {
    await sql.query(`SET GLOBAL binlog_checksum = ${checksum}`);
    for (let i = 0; i < 3; i++) await change();
    await reader.until(events);
  }
  await reader.stop();
  await change();
  await sql.query("SET GLOBAL binlog_checksum = NONE");
  await change();
  await reader.start();
  await reader.until(events);
  await new Promise((r) => setTimeout(r, 200));
  const last = new Map<unknown, unknown>();
  for (const r of reader.records) {
    const after = r.value instanceof Struct ? r.value.get("after") : null;
    if (after instanceof Struct) last.set(after.get("id"), [plainJson(after.get("j")), after.get("v")]);
  }
  const [rows] = await sql.query<RowDataPacket[]>("SELECT id, CAST(j AS char) j, v FROM d.t ORDER BY id");
  expect([...last]).toEqual(rows.map((row) => [row["id"], [plainJson(row["j"]), row["v"]]]));
  expect(reader.records).toHaveLength(events);

  // What a database takes from its session is not in the text of the statement that makes it.
  const text = "äöü€";
  await sql.query("SET NAMES utf8mb4; SET character_set_server = latin1; CREATE DATABASE plain; CREATE DATABASE IF NOT EXISTS d");
  await sql.query(`CREATE TABLE plain.a (id int PRIMARY KEY, v varchar(9)); INSERT INTO plain.a VALUES (1, '${text}')`);
  await sql.query(`CREATE TABLE d.a (id int PRIMARY KEY, v varchar(9)); INSERT INTO d.a VALUES (1, '${text}')`);
  await reader.until(events + 2);
  await reader.stop();
  await sql.query(`CREATE TABLE plain.b (id int PRIMARY KEY, v varchar(9)); INSERT INTO plain.b VALUES (2, '${text}')`);
  await reader.start();
  await reader.until(events + 3);
  const after = (r: (typeof reader.records)[number]): unknown => (r.value instanceof Struct ? r.value.get("after") : null);
  const texts = reader.records.slice(events).map(after);
  expect(texts.map((row) => (row instanceof Struct ? row.get("v") : null))).toEqual([text, text, text]);
});
const plainJson = (text: unknown): unknown => (typeof text === "string" && text.startsWith("{") ? JSON.parse(text) : text);
