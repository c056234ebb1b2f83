/** How a table is cut for the initial snapshot: by ranges of its primary key, which mean the same in a later run. */
import type { Connection } from "mysql2/promise";
import { type Dialect, rangeConditions } from "../cdc/incremental-snapshot/conditions.ts";
import type { KeyValues } from "../cdc/incremental-snapshot/port.ts";
import type { Column, Table } from "../cdc/table-model.ts";
import { quoted, rowsOf, type TableName } from "./catalog.ts";

/** How values of a key's column are read and written in statements. */
type Form = "number" | "text" | "bytes";
export interface CutColumn {
  readonly name: string;
  readonly form: Form;
}
/** More chunks would only make offsets long. */
const CHUNKS_MAX = 256;
const BYTES = new Set([-2, -3]);

/** Only types whose order in an index is that of comparisons: not enumerations (by number), nor floating point (inexact as text). */
function formOf({ typeName, jdbcType }: Column): Form | null {
  if (/^(?:TINY|SMALL|MEDIUM|BIG)?INT(?:EGER)?\b|^(?:DEC|DECIMAL|NUMERIC|FIXED)\b/.test(typeName)) return "number";
  if (/^(?:VAR)?BINARY\b/.test(typeName) || (/^(?:VAR)?CHAR/.test(typeName) && BYTES.has(jdbcType))) return "bytes";
  return /^(?:VAR)?CHAR\b/.test(typeName) ? "text" : null;
}
/** The columns at the front of the primary key by which it can be cut; empty: it cannot. */
export function cutColumns(table: Table): readonly CutColumn[] {
  const out: CutColumn[] = [];
  for (const name of table.primaryKeyColumnNames) {
    const column = table.columns.find((c) => c.name === name);
    const form = column === undefined || column.optional ? null : formOf(column);
    if (form === null) break;
    out.push({ name, form });
  }
  return out;
}
const dialect = (columns: readonly CutColumn[]): Dialect => ({
  identifier: quoted,
  // In hexadecimal, because what a backslash means depends on sql_mode. The column's collation wins over a literal's.
  literal(value, at) {
    const form = columns[at]?.form;
    return form === "number" ? value : form === "bytes" ? `X'${value}'` : `_utf8mb4 X'${Buffer.from(value, "utf8").toString("hex")}'`;
  },
});
/** The rows of chunk `i`: every row is in exactly one. "": all rows. */
export function chunkCondition(columns: readonly CutColumn[], bounds: readonly KeyValues[], i: number): string {
  const names = columns.map((c) => c.name);
  return rangeConditions(names, bounds[i - 1], bounds[i], dialect(columns)).join(" AND ");
}

/** The server's estimates of rows, by `database.table`. */
export async function rowEstimates(sql: Connection, databases: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (databases.length === 0) return new Map();
  const list = databases.map((name) => `_utf8mb4 X'${Buffer.from(name, "utf8").toString("hex")}'`).join(", ");
  const rows = await rowsOf(
    sql,
    `SELECT TABLE_SCHEMA AS d, TABLE_NAME AS t, TABLE_ROWS AS n FROM information_schema.tables WHERE TABLE_SCHEMA IN (${list})`,
  );
  return new Map(rows.map((r) => [`${r["d"] ?? ""}.${r["t"] ?? ""}`, Number(r["n"] ?? 0)]));
}

/**
 * Upper bounds of all chunks but the last, of `chunkRows` rows each; empty: the table stays whole. The index is walked for them,
 * which the server does many times faster than it sends rows.
 */
export async function boundsOf(
  sql: Connection,
  { database, table }: TableName,
  columns: readonly CutColumn[],
  chunkRows: number,
  aborted: () => boolean,
): Promise<readonly KeyValues[]> {
  const bounds: KeyValues[] = [];
  if (columns.length === 0) return bounds;
  const names = columns.map((c) => quoted(c.name)).join(", ");
  const values = columns.map((c, i) => `${c.form === "bytes" ? `HEX(${quoted(c.name)})` : quoted(c.name)} AS v${i}`).join(", ");
  const from = `${quoted(database)}.${quoted(table)}`;
  let step = chunkRows;
  while (bounds.length < CHUNKS_MAX && !aborted()) {
    const after = chunkCondition(columns, bounds, bounds.length);
    const where = after === "" ? "" : ` WHERE ${after}`;
    const [row] = await rowsOf(sql, `SELECT ${values} FROM ${from}${where} ORDER BY ${names} LIMIT 1 OFFSET ${step - 1}`);
    if (row === undefined) break;
    if (bounds.length === 0) {
      const rows = (await rowEstimates(sql, [database])).get(`${database}.${table}`) ?? 0;
      step = Math.max(chunkRows, Math.ceil(rows / CHUNKS_MAX));
    }
    bounds.push(columns.map((_, i) => row[`v${i}`] ?? null));
  }
  return bounds;
}
