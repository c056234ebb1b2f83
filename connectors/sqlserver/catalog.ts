/** What the server knows of databases, tables, columns, keys and capture instances. */
import { SourceError } from "../cdc/source-error.ts";
import type { Column, Table } from "../cdc/table-model.ts";
import type { CaptureInstance } from "./change-tables/capture-instance.ts";
import { type Lsn, lsnText, NOT_BEGUN } from "./change-tables/lsn.ts";
import { literal, quoted } from "./change-tables/statements.ts";
import type { Session } from "./connection.ts";
import { errorNumber, INVALID_OBJECT } from "./failures.ts";
import { jdbcOf } from "./jdbc-types.ts";

/** What questions need of a session. */
export type Asked = Pick<Session, "rows" | "first">;
export interface TableName {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
}
export const idOf = (t: TableName): string => `${t.database}.${t.schema}.${t.table}`;
export const fromOf = (t: TableName): string => `${quoted(t.database)}.${quoted(t.schema)}.${quoted(t.table)}`;
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number => Number(value ?? 0);

/** The name as the server spells it; null: there is no such database. */
export async function databaseName(session: Session, name: string): Promise<string | null> {
  const row = await session.first("SELECT name FROM sys.databases WHERE name = @name", { name });
  return row === null ? null : text(row[0]);
}
/** Where an object of `cdc` is missing because change data capture was disabled: says so; else the error as it is. */
export async function orDisabled(session: () => Promise<Asked>, database: string, error: unknown): Promise<unknown> {
  if (errorNumber(error) !== INVALID_OBJECT) return error;
  const statement = "SELECT CASE WHEN is_cdc_enabled = 1 THEN 1 ELSE 0 END FROM sys.databases WHERE name = @name";
  const row = await session()
    .then((asked) => asked.first(statement, { name: database }))
    .catch(() => null);
  if (row === null || Number(row[0]) === 1) return error;
  return new SourceError(
    `Change data capture is disabled in ${database}: its change tables are gone, and with them what was not read yet.\nEnable it again (USE ${quoted(database)}; EXEC sys.sp_cdc_enable_db; and sys.sp_cdc_enable_table for each table), then set snapshot.mode=when_needed, or delete the connector's offsets, to take a new snapshot.`,
    { cause: error, code: String(INVALID_OBJECT) },
  );
}
/** User tables, without those of change data capture, in the order of their names. */
export async function listTables(session: Session, database: string): Promise<readonly TableName[]> {
  const db = quoted(database);
  const rows = await session.rows(
    `SELECT s.name, t.name FROM ${db}.sys.tables t JOIN ${db}.sys.schemas s ON s.schema_id = t.schema_id WHERE s.name NOT IN (N'cdc', N'sys') AND t.name <> N'systranschemas' ORDER BY s.name, t.name`,
  );
  return rows.map((r) => ({ database, schema: text(r[0]), table: text(r[1]) }));
}

/** Definitions by schema and table, of all tables or of one. */
export async function readTables(session: Session, database: string, only: TableName | null = null): Promise<ReadonlyMap<string, Table>> {
  const db = quoted(database);
  const where = only === null ? "" : ` AND s.name = ${literal(only.schema)} AND t.name = ${literal(only.table)}`;
  const rows = await session.rows(
    `SELECT s.name, t.name, c.name, u.name, b.name, c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity, c.is_computed, d.definition FROM ${db}.sys.columns c JOIN ${db}.sys.tables t ON t.object_id = c.object_id JOIN ${db}.sys.schemas s ON s.schema_id = t.schema_id JOIN ${db}.sys.types u ON u.user_type_id = c.user_type_id LEFT JOIN ${db}.sys.types b ON b.user_type_id = c.system_type_id LEFT JOIN ${db}.sys.default_constraints d ON d.object_id = c.default_object_id WHERE s.name NOT IN (N'cdc', N'sys')${where} ORDER BY s.name, t.name, c.column_id`,
  );
  const keys = await readKeys(session, database, where);
  const columns = new Map<string, Column[]>();
  const names = new Map<string, TableName>();
  for (const r of rows) {
    const name = { database, schema: text(r[0]), table: text(r[1]) };
    const id = idOf(name);
    names.set(id, name);
    const list = columns.get(id) ?? [];
    columns.set(id, list);
    list.push(columnOf(r, list.length + 1));
  }
  const tables = new Map<string, Table>();
  for (const [id, name] of names)
    tables.set(id, {
      id: { catalog: database, schema: name.schema, table: name.table },
      columns: columns.get(id) ?? [],
      primaryKeyColumnNames: keys.get(id) ?? [],
      defaultCharsetName: null,
      comment: null,
      attributes: [],
    });
  return tables;
}
function columnOf(r: readonly unknown[], position: number): Column {
  const userType = text(r[3]);
  const base = userType === "sysname" ? "sysname" : text(r[4]) || userType;
  const size = { maxLength: number(r[5]), precision: number(r[6]), scale: number(r[7]) };
  const jdbc = jdbcOf(base, size);
  const nullable = r[8] === true;
  const identity = r[9] === true;
  const definition = typeof r[11] === "string" ? r[11] : null;
  const shown = base === "decimal" || base === "numeric" ? `${userType}()` : userType;
  const typeName = identity ? `${shown} identity` : userType;
  return {
    name: text(r[2]),
    position,
    jdbcType: jdbc.type,
    nativeType: null,
    typeName,
    typeExpression: typeName,
    charsetName: null,
    length: jdbc.length,
    scale: jdbc.scale,
    optional: nullable,
    autoIncremented: identity,
    generated: r[10] === true,
    comment: null,
    hasDefaultValue: nullable || definition !== null,
    defaultValueExpression: definition,
    enumValues: [],
  };
}
/** The primary key's columns, else those of the first unique index. */
async function readKeys(session: Session, database: string, where: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const db = quoted(database);
  const rows = await session.rows(
    `SELECT s.name, t.name, i.index_id, c.name FROM ${db}.sys.indexes i JOIN ${db}.sys.tables t ON t.object_id = i.object_id JOIN ${db}.sys.schemas s ON s.schema_id = t.schema_id JOIN ${db}.sys.index_columns x ON x.object_id = i.object_id AND x.index_id = i.index_id JOIN ${db}.sys.columns c ON c.object_id = x.object_id AND c.column_id = x.column_id WHERE i.is_unique = 1 AND x.key_ordinal > 0 AND s.name NOT IN (N'cdc', N'sys')${where} ORDER BY s.name, t.name, i.is_primary_key DESC, i.type, i.name, x.key_ordinal`,
  );
  const keys = new Map<string, string[]>();
  const chosen = new Map<string, unknown>();
  for (const r of rows) {
    const id = idOf({ database, schema: text(r[0]), table: text(r[1]) });
    if (!chosen.has(id)) {
      chosen.set(id, r[2]);
      keys.set(id, []);
    }
    if (chosen.get(id) === r[2]) keys.get(id)?.push(text(r[3]));
  }
  return keys;
}

/** Of all tables; those that started after `upTo`, or have not begun (the server knows no start yet), are left out. */
export async function readInstances(session: Session, database: string, upTo: Buffer | null): Promise<readonly CaptureInstance[]> {
  const db = quoted(database);
  const columns = new Map<number, string[]>();
  for (const r of await session.rows(`SELECT object_id, column_name FROM ${db}.cdc.captured_columns ORDER BY object_id, column_id`)) {
    const list = columns.get(number(r[0])) ?? [];
    columns.set(number(r[0]), list);
    list.push(text(r[1]));
  }
  const where = upTo === null ? "" : " WHERE ct.start_lsn <= @to";
  const rows = await session.rows(
    `SELECT OBJECT_SCHEMA_NAME(source_object_id, DB_ID(@db)), OBJECT_NAME(source_object_id, DB_ID(@db)), capture_instance, object_id, start_lsn FROM (SELECT ROW_NUMBER() OVER (PARTITION BY ct.source_object_id, ct.start_lsn ORDER BY ct.create_date DESC) AS n, ct.* FROM ${db}.cdc.change_tables AS ct${where}) AS latest WHERE n = 1`,
    { db: database, ...(upTo !== null && { to: upTo }) },
  );
  return rows
    .filter((r) => typeof r[0] === "string" && typeof r[1] === "string")
    .map((r) => ({
      schema: text(r[0]),
      table: text(r[1]),
      name: text(r[2]),
      startLsn: lsnOf(r[4]) ?? NOT_BEGUN,
      columns: columns.get(number(r[3])) ?? [],
    }))
    .sort((a, b) => (`${a.schema}.${a.table}` < `${b.schema}.${b.table}` ? -1 : 1));
}
const lsnOf = (value: unknown): Lsn | null => (value instanceof Uint8Array ? lsnText(value) : null);

/** How far the capture job has come; null: it has not run. */
export async function maxLsn(session: Session, database: string): Promise<Lsn | null> {
  return lsnOf((await session.first(`SELECT ${quoted(database)}.sys.fn_cdc_get_max_lsn()`))?.[0]);
}
/** Where the oldest capture instance begins; the clean-up job moves it. */
export async function oldestStartLsn(session: Session, database: string): Promise<Lsn | null> {
  return lsnOf((await session.first(`SELECT MIN(start_lsn) FROM ${quoted(database)}.cdc.change_tables`))?.[0]);
}
/** Instances that begin after a position although they were made before it: changes that they had are gone. */
export async function movedInstances(
  session: Session,
  database: string,
  commit: Buffer,
): Promise<readonly (TableName & { readonly instance: string; readonly startLsn: Lsn })[]> {
  const db = quoted(database);
  const rows = await session.rows(
    `SELECT OBJECT_SCHEMA_NAME(source_object_id, DB_ID(@db)), OBJECT_NAME(source_object_id, DB_ID(@db)), capture_instance, start_lsn FROM ${db}.cdc.change_tables WHERE start_lsn > @commit AND create_date < (SELECT COALESCE(MIN(CASE WHEN start_lsn = @commit THEN tran_end_time END), MIN(tran_end_time)) FROM ${db}.cdc.lsn_time_mapping)`,
    { db: database, commit },
  );
  return rows.map((r) => ({ database, schema: text(r[0]), table: text(r[1]), instance: text(r[2]), startLsn: lsnText(r[3] as Buffer) }));
}
/** Null: it is not known (the right to see it is missing). */
export async function agentRunning(session: Asked, database: string, query: string | null): Promise<boolean | null> {
  const db = quoted(database);
  const statement =
    query?.replaceAll("[#db]", db) ??
    `SELECT CASE WHEN dss.[status] = 4 THEN 1 ELSE 0 END AS isRunning FROM ${db}.sys.dm_server_services dss WHERE dss.[servicename] LIKE N'SQL Server Agent (%'`;
  const row = await session.first(statement);
  const value = row?.[0];
  return value === undefined || value === null ? null : Number(value) === 1;
}
/** How far the capture job has come beside the tables. Times are the server's own, as text. */
export interface CaptureProgress {
  /** Of the captured tables, by any statement; null: not since the server was started. */
  readonly changedAt: string | null;
  /** The newest transaction that the job knows; it notes one about every five minutes even if nothing happens. */
  readonly capturedAt: string | null;
  /** From the newest transaction to the last change; negative: the job has passed it. */
  readonly behindSeconds: number;
  /** Since the last change. */
  readonly ageSeconds: number;
}
/** Needs VIEW SERVER STATE (VIEW DATABASE STATE on Azure). */
export async function captureProgress(session: Asked, database: string): Promise<CaptureProgress> {
  const db = quoted(database);
  const row = await session.first(
    `SELECT CONVERT(nvarchar(30), changed.at, 126) AS changed, CONVERT(nvarchar(30), known.at, 126) AS captured, DATEDIFF(second, COALESCE(known.at, '1900-01-01'), changed.at) AS behind, DATEDIFF(second, changed.at, SYSDATETIME()) AS age FROM (SELECT MAX(last_user_update) AS at FROM ${db}.sys.dm_db_index_usage_stats WHERE database_id = DB_ID(@db) AND object_id IN (SELECT source_object_id FROM ${db}.cdc.change_tables)) AS changed CROSS JOIN (SELECT MAX(tran_end_time) AS at FROM ${db}.cdc.lsn_time_mapping) AS known`,
    { db: database },
  );
  const time = (value: unknown): string | null => (typeof value === "string" ? value : null);
  return { changedAt: time(row?.[0]), capturedAt: time(row?.[1]), behindSeconds: number(row?.[2]), ageSeconds: number(row?.[3]) };
}
export interface KeyOf {
  readonly table: TableName;
  /** First column of the key. */
  readonly column: string;
}
/** The highest key of each table, as text; by the index, without waiting for locks. */
export async function highestKeys(session: Asked, tables: readonly KeyOf[]): Promise<readonly unknown[]> {
  const one = ({ table, column }: KeyOf): string =>
    `(SELECT TOP (1) CONVERT(nvarchar(400), ${quoted(column)}) FROM ${fromOf(table)} WITH (NOLOCK) ORDER BY ${quoted(column)} DESC)`;
  return (await session.first(`SELECT ${tables.map(one).join(", ")}`)) ?? [];
}
/** UTC, in microseconds since 1970. */
export async function serverMicros(session: Session): Promise<number> {
  const row = await session.first("SELECT DATEDIFF_BIG(MICROSECOND, '1970-01-01', SYSUTCDATETIME())");
  return Number(row?.[0] ?? 0);
}
