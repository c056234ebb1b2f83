/** MySQL and MariaDB as targets. */
import type { Connection, ConnectionOptions, RowDataPacket } from "mysql2/promise";
import type { JdbcSinkSettings } from "../config.ts";
import { columnList, type Dialect, quoteTable, type Session, type TableColumn } from "../dialect.ts";
import type { TableId } from "../naming.ts";
import { columnKey, deleteStatements, quoteName, writeStatements } from "./statements.ts";
import { columnType, toText } from "./values.ts";

/** Strict, so that nothing is cut silently; backslashes escape, which the driver's quoting relies on. */
const SQL_MODE = "set session sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = ?";
/** Too many connections, shutdown, disk full, lock timeout, killed, read-only, deadlock, table full, and the client's own. */
const PASSING: ReadonlySet<number> = new Set([
  1020, 1021, 1040, 1053, 1114, 1129, 1203, 1205, 1206, 1213, 1226, 1290, 1317, 1836, 1927, 2006, 2013, 3024, 3572, 4031,
]);
/** Errors about a value that have no SQLSTATE of class 22 or 23: truncated, wrong text, no default, check. */
const DATA: ReadonlySet<number> = new Set([1265, 1364, 1366, 1411, 3140, 3819, 4025]);
const COLUMNS = `select column_name as name, column_type as type, extra from information_schema.columns
  where table_schema = coalesce(?, database()) and table_name = ? order by ordinal_position`;
const ZONES: ReadonlyMap<string, string> = new Map([
  ["UTC", "+00:00"],
  ["GMT", "+00:00"],
  ["Z", "+00:00"],
]);

function optionsOf({ target }: JdbcSinkSettings): ConnectionOptions {
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    ...(target.user === null ? {} : { user: target.user }),
    ...(target.password === null ? {} : { password: target.password }),
    ...(target.tls === "off" ? {} : { ssl: { rejectUnauthorized: target.tls === "verify", verifyIdentity: target.tls === "verify" } }),
    connectTimeout: 10_000,
    charset: "utf8mb4",
    supportBigNumbers: true,
    dateStrings: true,
  };
}
function session(connection: Connection): Session {
  return {
    begin: () => connection.beginTransaction(),
    commit: () => connection.commit(),
    rollback: () => connection.rollback(),
    async run({ text, values }) {
      await connection.query(text, [...values]);
    },
    async columns(id: TableId) {
      const [rows] = await connection.query<RowDataPacket[]>(COLUMNS, [id.schema, id.name]);
      return rows.map((row): TableColumn => {
        const extra = String(row["extra"] ?? row["EXTRA"] ?? "").toUpperCase();
        return {
          name: String(row["name"]),
          type: String(row["type"]),
          computed: /\b(VIRTUAL|STORED|PERSISTENT) GENERATED|^VIRTUAL|^PERSISTENT/.test(extra),
          identity: extra.includes("AUTO_INCREMENT"),
        };
      });
    },
    end: () => connection.end(),
  };
}

export const mysql: Dialect = {
  name: "MySQL",
  portDefault: 3306,
  ddlCommits: true,
  async connect(settings, _applicationName, lost) {
    // Loaded by those who write to it only.
    const driver = await import("mysql2/promise");
    const connection = await driver.createConnection(optionsOf(settings));
    connection.on("error", lost);
    try {
      await connection.query(SQL_MODE, [ZONES.get(settings.timeZone.toUpperCase()) ?? settings.timeZone]);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return session(connection);
  },
  verdict(error) {
    const number = "errno" in error && typeof error.errno === "number" ? error.errno : 0;
    const state = "sqlState" in error && typeof error.sqlState === "string" ? error.sqlState : "";
    // Not an answer of the server: the connection broke.
    if (state === "" || PASSING.has(number)) return "passing";
    return /^2[23]/.test(state) || DATA.has(number) ? "data" : "refused";
  },
  fold: (name) => name,
  columnKey,
  quoteName,
  toText,
  createTable: (id, shape) => `create table if not exists ${quoteTable(mysql, id)} (${columnList(mysql, shape, columnType)})`,
  addColumns: (id, columns) =>
    `alter table ${quoteTable(mysql, id)} ${columns.map((c) => `add column ${quoteName(c.name)} ${columnType({ ...c, key: false })}`).join(", ")}`,
  truncate: (id) => `delete from ${quoteTable(mysql, id)}`,
  write: writeStatements,
  delete: deleteStatements,
};
