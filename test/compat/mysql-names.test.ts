/** Names of tables in any case on servers with lower_case_table_names=1. Expected is what Debezium 3.4 gives for the same statements. */
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
afterEach(async () => {
  await bench?.stop();
  await peer?.stop();
});
const STATEMENTS = [
  "USE MIXDB; INSERT INTO oRders VALUES (2, 'b')",
  // Debezium does not find this table, and stops at its next row.
  "ALTER TABLE MIXDB.ORDERS ADD COLUMN Extra int; INSERT INTO Orders VALUES (3, 'c', 9)",
  "CREATE TABLE NewOne (Id int PRIMARY KEY, V varchar(5)); INSERT INTO newone VALUES (4, 'd')",
  "ALTER TABLE NEWone ADD COLUMN Q int; INSERT INTO NewOne VALUES (5, 'e', 1)",
  "RENAME TABLE newone TO Renamed; INSERT INTO renamed VALUES (6, 'f', 1)",
  "CREATE TABLE LikeIt LIKE ORDERS; INSERT INTO likeit VALUES (7, 'g', 1)",
];
/** Topic, database and table of the source block, key. */
const EVENTS = [
  ["p.mixdb.orders", "mixdb", "orders", 1],
  ["p.mixdb.orders", "mixdb", "orders", 2],
  ["p.mixdb.orders", "mixdb", "orders", 3],
  ["p.mixdb.NewOne", "mixdb", "newone", 4],
  ["p.mixdb.NewOne", "mixdb", "newone", 5],
  ["p.mixdb.Renamed", "mixdb", "renamed", 6],
  ["p.mixdb.LikeIt", "mixdb", "likeit", 7],
];

test.for([
  { name: "MySQL", plugin: mysqlSource, start: startMysql },
  { name: "MariaDB", plugin: mariadbSource, start: startMariadb },
])("$name", async ({ plugin, start }, context) => {
  const [port = 0] = await freePorts(1);
  const found = await start({ port, arguments: ["--lower-case-table-names=1"] });
  if ("reason" in found) return context.skip(found.reason);
  peer = found;
  const sql = await found.connect();
  await sql.query(
    "CREATE DATABASE MixDb; CREATE TABLE MixDb.Orders (Id int PRIMARY KEY, Name varchar(20)); INSERT INTO mixdb.ORDERS VALUES (1, 'a')",
  );
  bench = new SourceBench(plugin, {
    "connector.class": plugin.classes[0] ?? "",
    "database.hostname": found.host,
    "database.port": String(found.port),
    "database.user": found.user,
    "database.password": found.password,
    "database.server.id": "6501",
    "table.include.list": "MixDb.Orders,MIXDB.newone,mixdb.RENAMED,MixDb.LikeIt",
    "include.schema.changes": "false",
    "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
  });
  await bench.start();
  await bench.until(1);
  for (const statement of STATEMENTS) await sql.query(statement);
  await bench.until(EVENTS.length);
  const seen = bench.records.map((r) => {
    const [source, key] = [r.value instanceof Struct ? r.value.get("source") : null, r.key instanceof Struct ? r.key.get("Id") : null];
    return source instanceof Struct ? [r.topic, source.get("db"), source.get("table"), key] : [];
  });
  expect(seen).toEqual(EVENTS);
});
