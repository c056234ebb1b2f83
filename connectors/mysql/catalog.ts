/** What the connector asks the server: version, position, databases, tables and their definitions. */
import type { Connection } from "mysql2/promise";
import { SourceError } from "../cdc/source-error.ts";
import { charsetTable, charsetTableQuery, TABLES } from "./charsets.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { errorNumber } from "./failures.ts";

export type Row = Readonly<Record<string, string | null>>;

/** Rows with their values as text. */
export async function rowsOf(connection: Connection, sql: string): Promise<readonly Row[]> {
  const [rows] = await connection.query(sql);
  if (!Array.isArray(rows)) return [];
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v === null ? null : Buffer.isBuffer(v) ? v.toString("utf8") : String(v)])),
  );
}
export async function firstRow(connection: Connection, sql: string): Promise<Row> {
  return (await rowsOf(connection, sql))[0] ?? {};
}
export const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
/** Says the same under every sql_mode: what a backslash means depends on NO_BACKSLASH_ESCAPES. A column's collation wins over the literal's. */
export const literal = (text: string): string =>
  /[\\']/.test(text) ? `_utf8mb4 X'${Buffer.from(text, "utf8").toString("hex")}'` : `'${text}'`;

export interface Server {
  readonly mariadb: boolean;
  /** As in versioned comments: 90704, 101119. */
  readonly version: number;
  /** Whether the log can be asked for by GTIDs. */
  readonly gtidMode: boolean;
  readonly rowFormat: boolean;
  readonly logEnabled: boolean;
  /** `lower_case_table_names` */
  readonly ignoreTableCase: boolean;
  readonly charset: string;
  readonly collation: string;
  readonly serverUuid: string | null;
}
export async function readServer(connection: Connection): Promise<Server> {
  const row = await firstRow(
    connection,
    "SELECT VERSION() AS version, @@lower_case_table_names AS lct, @@character_set_server AS cs, @@collation_server AS co, @@log_bin AS log_bin, @@binlog_format AS format",
  ).catch(() =>
    // binlog_format is going away.
    firstRow(
      connection,
      "SELECT VERSION() AS version, @@lower_case_table_names AS lct, @@character_set_server AS cs, @@collation_server AS co, @@log_bin AS log_bin",
    ),
  );
  const version = row["version"] ?? "";
  const mariadb = version.includes("MariaDB");
  const [major = 0, minor = 0, patch = 0] = (/(\d+)\.(\d+)\.(\d+)/.exec(version.replace(/^5\.5\.5-/, "")) ?? []).slice(1).map(Number);
  const gtid = mariadb ? {} : await firstRow(connection, "SELECT @@gtid_mode AS mode, @@server_uuid AS uuid").catch((): Row => ({}));
  return {
    mariadb,
    version: major * 10_000 + minor * 100 + patch,
    // With ON_PERMISSIVE the server sends no log to who asks by GTIDs.
    gtidMode: mariadb || gtid["mode"] === "ON",
    rowFormat: (row["format"] ?? "ROW").toUpperCase() === "ROW",
    logEnabled: row["log_bin"] !== "0" && row["log_bin"] !== "OFF",
    ignoreTableCase: row["lct"] !== "0",
    charset: row["cs"] ?? "utf8mb4",
    collation: row["co"] ?? "",
    serverUuid: gtid["uuid"] ?? null,
  };
}

export interface LogPosition {
  readonly file: string;
  readonly position: number;
  /** Null: GTIDs are off. */
  readonly gtids: string | null;
}
/** Where the log stands now. Throws SourceError when there is none. */
export async function readLogPosition(connection: Connection, server: Server): Promise<LogPosition> {
  const statement = server.mariadb || server.version < 80_200 ? "SHOW MASTER STATUS" : "SHOW BINARY LOG STATUS";
  const row = await firstRow(connection, statement);
  const file = row["File"];
  if (file === undefined || file === null)
    throw new SourceError(
      "Cannot read the binlog filename and position via 'SHOW MASTER STATUS'. Make sure your server is correctly configured: log_bin is off.",
      { javaClass: "io.debezium.DebeziumException" },
    );
  const gtids = server.mariadb
    ? ((await firstRow(connection, "SELECT @@global.gtid_binlog_pos AS p"))["p"] ?? "")
    : (row["Executed_Gtid_Set"] ?? "").replaceAll(/\s/g, "");
  return { file, position: Number(row["Position"]), gtids: gtids === "" ? null : gtids };
}
/** Names of the logs that the server still has, in order. */
export const readLogFiles = async (connection: Connection): Promise<readonly string[]> =>
  (await rowsOf(connection, "SHOW BINARY LOGS")).map((r) => r["Log_name"] ?? "");

const SYSTEM = new Set(["mysql", "performance_schema", "sys", "information_schema"]);
export async function listDatabases(connection: Connection): Promise<readonly string[]> {
  const rows = await rowsOf(connection, "SHOW DATABASES");
  return rows.map((r) => r["Database"] ?? "").filter((name) => name !== "" && !SYSTEM.has(name.toLowerCase()));
}
export interface TableName {
  readonly database: string;
  readonly table: string;
}
const nameOf = (cell: unknown): string => (typeof cell === "string" ? cell : "");
const UNKNOWN_DATABASE = 1049;
const UNKNOWN_TABLE = 1146;
/** Databases and tables may be dropped at any moment. */
async function unlessGone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (errorNumber(error) === UNKNOWN_DATABASE || errorNumber(error) === UNKNOWN_TABLE) return null;
    throw error;
  }
}
/** Base tables, in the server's order. */
export async function listTables(connection: Connection, databases: readonly string[]): Promise<readonly TableName[]> {
  const found: TableName[] = [];
  for (const database of databases) {
    const sql = `SHOW FULL TABLES IN ${quoted(database)} WHERE Table_Type IN ('BASE TABLE', 'SYSTEM VERSIONED')`;
    const [list] = (await unlessGone(connection.query({ sql, rowsAsArray: true }))) ?? [];
    if (Array.isArray(list)) for (const row of list) if (Array.isArray(row)) found.push({ database, table: nameOf(row[0]) });
  }
  return found;
}
/** Null: the table is gone. */
export async function showCreateTable(connection: Connection, { database, table }: TableName): Promise<string | null> {
  const row = await unlessGone(firstRow(connection, `SHOW CREATE TABLE ${quoted(database)}.${quoted(table)}`));
  return row?.["Create Table"] ?? null;
}
export async function databaseCharset(
  connection: Connection,
  database: string,
): Promise<{ readonly charset: string; readonly collation: string }> {
  const row = await firstRow(
    connection,
    `SELECT DEFAULT_CHARACTER_SET_NAME AS cs, DEFAULT_COLLATION_NAME AS co FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${literal(database)}`,
  );
  return { charset: row["cs"] ?? "", collation: row["co"] ?? "" };
}
/** Characters of the single-byte sets, as the server has them. */
export async function readCharsetTables(connection: Connection): Promise<ReadonlyMap<string, readonly string[]>> {
  const there = new Set(
    (await rowsOf(connection, "SELECT CHARACTER_SET_NAME AS n FROM information_schema.CHARACTER_SETS")).map((r) => r["n"] ?? ""),
  );
  const tables = new Map<string, readonly string[]>();
  for (const name of TABLES) {
    if (!there.has(name)) continue;
    const characters = (await firstRow(connection, charsetTableQuery([name])))["c"] ?? "";
    const table = charsetTable(characters);
    if (table !== null) tables.set(name, table);
  }
  return tables;
}
/** The flavor that a connector is for must be the server's. */
export function checkFlavor(flavor: Flavor, server: Server): void {
  if ((flavor === "mariadb") === server.mariadb) return;
  const other = server.mariadb ? "io.debezium.connector.mariadb.MariaDbConnector" : "io.debezium.connector.mysql.MySqlConnector";
  throw new SourceError(
    `The server is ${server.mariadb ? "MariaDB" : "MySQL"}, not ${flavor === "mysql" ? "MySQL" : "MariaDB"}; use connector.class=${other}`,
  );
}
