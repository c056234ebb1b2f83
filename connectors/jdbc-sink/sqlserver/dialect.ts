/** SQL Server as a target. */
import type sql from "mssql";
import type { JdbcSinkSettings } from "../config.ts";
import { columnList, type Dialect, quoteTable, type Session, type TableColumn } from "../dialect.ts";
import type { TableId } from "../naming.ts";
import { columnKey, deleteStatements, quoteName, writeStatements } from "./statements.ts";
import { columnType, toText } from "./values.ts";

/** Memory, locks, deadlock, log or disk full, snapshot conflict, the server going away or being moved. */
const PASSING: ReadonlySet<number> = new Set([
  701, 802, 1105, 1205, 1222, 3960, 6005, 9002, 10053, 10054, 10928, 10929, 40197, 40501, 40613,
]);
/** Overflow, conversion, null, foreign key or check, duplicates, text that is too long, broken XML or uniqueidentifier. */
const DATA: ReadonlySet<number> = new Set([
  220, 232, 241, 242, 245, 248, 295, 515, 517, 547, 2601, 2627, 2628, 8114, 8115, 8134, 8152, 8169, 8170, 9420, 9421, 9436,
]);
const COLUMNS = `select c.name as name, t.name as type, c.max_length as length, c.precision as precision, c.scale as scale,
    c.is_identity as identity_column, c.is_computed as computed
  from sys.columns c inner join sys.types t on t.user_type_id = c.user_type_id where c.object_id = object_id(@p0) order by c.column_id`;

function typeText(type: string, length: number, precision: number, scale: number): string {
  if (/^(decimal|numeric)$/.test(type)) return `${type}(${precision},${scale})`;
  if (/^(time|datetime2|datetimeoffset)$/.test(type)) return `${type}(${scale})`;
  if (/^n(var)?char$/.test(type)) return `${type}(${length < 0 ? "max" : length / 2})`;
  return /^((var)?char|(var)?binary)$/.test(type) ? `${type}(${length < 0 ? "max" : length})` : type;
}
function configOf({ target }: JdbcSinkSettings, applicationName: string): sql.config {
  return {
    server: target.host,
    port: target.port,
    database: target.database,
    ...(target.user === null ? {} : { user: target.user }),
    ...(target.password === null ? {} : { password: target.password }),
    connectionTimeout: 10_000,
    requestTimeout: 600_000,
    pool: { max: 1, min: 1 },
    options: { encrypt: target.tls !== "off", trustServerCertificate: target.tls !== "verify", appName: applicationName },
  };
}
function session(driver: typeof sql, pool: sql.ConnectionPool): Session {
  let transaction: sql.Transaction | null = null;
  const query = (text: string, values: readonly (string | null)[]): Promise<sql.IResult<Record<string, unknown>>> => {
    const request = transaction === null ? pool.request() : transaction.request();
    values.forEach((value, i) => request.input(`p${i}`, driver.NVarChar(driver.MAX), value));
    return values.length === 0 ? request.batch(text) : request.query(text);
  };
  const end = async (how: "commit" | "rollback"): Promise<void> => {
    const open = transaction;
    transaction = null;
    await open?.[how]();
  };
  return {
    async begin() {
      const begun = pool.transaction();
      await begun.begin();
      transaction = begun;
    },
    commit: () => end("commit"),
    rollback: () => end("rollback"),
    async run({ text, values }) {
      await query(text, values);
    },
    async columns(id: TableId) {
      const { recordset } = await query(COLUMNS, [quoteTable(sqlserver, id)]);
      return recordset.map(
        (row): TableColumn => ({
          name: String(row["name"]),
          type: typeText(String(row["type"]), Number(row["length"]), Number(row["precision"]), Number(row["scale"])),
          computed: row["computed"] === true || row["type"] === "timestamp",
          identity: row["identity_column"] === true,
        }),
      );
    },
    end: () => pool.close(),
  };
}

export const sqlserver: Dialect = {
  name: "SQL Server",
  portDefault: 1433,
  ddlCommits: false,
  async connect(settings, applicationName, lost) {
    // Loaded by those who write to it only.
    const { default: driver } = await import("mssql");
    const pool = new driver.ConnectionPool(configOf(settings, applicationName));
    pool.on("error", lost);
    await pool.connect();
    return session(driver, pool);
  },
  verdict(error) {
    if ("code" in error && error.code === "ELOGIN") return "refused";
    const number = "number" in error && typeof error.number === "number" ? error.number : 0;
    // Not an answer of the server: the connection broke.
    if (number === 0 || PASSING.has(number)) return "passing";
    return DATA.has(number) ? "data" : "refused";
  },
  fold: (name) => name,
  columnKey,
  quoteName,
  toText,
  createTable: (id, shape) =>
    `if object_id(N'${quoteTable(sqlserver, id).replaceAll("'", "''")}') is null create table ${quoteTable(sqlserver, id)} (${columnList(sqlserver, shape, columnType)})`,
  addColumns: (id, columns) =>
    `alter table ${quoteTable(sqlserver, id)} add ${columns.map((c) => `${quoteName(c.name)} ${columnType({ ...c, key: false })} null`).join(", ")}`,
  truncate: (id) => `truncate table ${quoteTable(sqlserver, id)}`,
  write: writeStatements,
  delete: deleteStatements,
};
