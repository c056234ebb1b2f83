/**
 * Statements for SQL Server: rows travel as a table of text parameters that is cast to the columns' types. An upsert is an update
 * and an insert of what is missing, under key-range locks: MERGE alone does not keep two writers from inserting the same key.
 */
import type { RowShape, RowText } from "../change.ts";
import type { InsertMode } from "../config.ts";
import { portions, quoteTable as tableText, type Statement, type Table, type TableColumn, writable } from "../dialect.ts";
import type { TableId } from "../naming.ts";

export const quoteName = (name: string): string => `[${name.replaceAll("]", "]]")}]`;
/** Names do not know case in the usual collations. */
export const columnKey = (name: string): string => name.toLowerCase();
const quoteTable = (id: TableId): string => tableText({ quoteName }, id);
/** A request takes 2100 parameters, a table of VALUES 1000 rows. */
const PARAMETERS_MAX = 2000;
const ROWS_MAX = 1000;

interface Source {
  readonly names: readonly string[];
  readonly casts: readonly string[];
  /** Keys are compared with `=`, or as null where a row's key is null. */
  readonly matches: readonly string[];
  /** `(values …) as s(…)` with the parameters of these rows. */
  from(rows: readonly RowText[]): string;
  readonly indexes: readonly number[];
}
/** Texts are assigned, so that one that is too long is refused and not cut. */
function cast(parameter: string, column: TableColumn | undefined, key: boolean): string {
  const type = column?.type ?? "nvarchar(max)";
  if (/^(var)?binary/.test(type)) return `convert(varbinary(max), ${parameter}, 2)`;
  if (/^n?(var)?char|^n?text/.test(type) && !key) return parameter;
  return `cast(${parameter} as ${type})`;
}
function source(table: Table, shape: RowShape, indexes: readonly number[], nullKeys: boolean): Source {
  const columns = indexes.map((i) => table.columns.get(columnKey(shape.columns[i]?.name ?? "")));
  const names = indexes.map((i) => quoteName(shape.columns[i]?.name ?? ""));
  const casts = indexes.map((i, n) => cast(`s.c${n}`, columns[n], i < shape.keyCount));
  const matches = indexes.flatMap((i, n) => {
    if (i >= shape.keyCount) return [];
    const equal = `t.${names[n] ?? ""} = ${casts[n] ?? ""}`;
    return [nullKeys ? `(${equal} or (t.${names[n] ?? ""} is null and s.c${n} is null))` : equal];
  });
  const from = (rows: readonly RowText[]): string => {
    const row = (_: RowText, r: number): string => `(${indexes.map((_i, n) => `@p${r * indexes.length + n}`).join(", ")})`;
    return `(values ${rows.map(row).join(", ")}) as s(${indexes.map((_i, n) => `c${n}`).join(", ")})`;
  };
  return { names, casts, matches, from, indexes };
}
const bounded = (rows: readonly RowText[], columns: number): RowText[][] =>
  portions(rows, Math.min(ROWS_MAX, Math.floor(PARAMETERS_MAX / Math.max(1, columns))));
const valuesOf = (rows: readonly RowText[], indexes: readonly number[]): (string | null)[] =>
  rows.flatMap((row) => indexes.map((i) => row[i] ?? null));

export function writeStatements(mode: InsertMode, table: Table, shape: RowShape, rows: readonly RowText[]): Statement[] {
  const indexes = writable({ columnKey }, table, shape, rows[0] ?? []);
  const s = source(table, shape, indexes, false);
  const name = quoteTable(table.id);
  const identity = indexes.some((i) => table.columns.get(columnKey(shape.columns[i]?.name ?? ""))?.identity === true);
  // What the database numbers itself cannot be updated.
  const set = indexes.flatMap((i, n) =>
    i < shape.keyCount || table.columns.get(columnKey(shape.columns[i]?.name ?? ""))?.identity === true
      ? []
      : [`t.${s.names[n] ?? ""} = ${s.casts[n] ?? ""}`],
  );
  const upsert = mode === "upsert" && s.matches.length > 0;
  return bounded(rows, indexes.length).map((portion) => {
    const from = s.from(portion);
    const update = `update t set ${set.join(", ")} from ${name} as t with (updlock, holdlock) inner join ${from} on ${s.matches.join(" and ")};`;
    const missing = `where not exists (select 1 from ${name} as t with (updlock, holdlock) where ${s.matches.join(" and ")})`;
    const insert = `insert into ${name} (${s.names.join(", ")}) select ${s.casts.join(", ")} from ${from}${upsert ? ` ${missing}` : ""};`;
    const numbered = identity ? `set identity_insert ${name} on; ${insert} set identity_insert ${name} off;` : insert;
    const text = mode === "update" ? update : `${upsert && set.length > 0 ? `${update} ` : ""}${numbered}`;
    return { text, values: valuesOf(portion, indexes) };
  });
}

export function deleteStatements(table: Table, shape: RowShape, rows: readonly RowText[]): Statement[] {
  const s = source(
    table,
    shape,
    shape.columns.map((_, i) => i),
    rows.some((row) => row.includes(null)),
  );
  return bounded(rows, shape.columns.length).map((portion) => ({
    text: `delete t from ${quoteTable(table.id)} as t inner join ${s.from(portion)} on ${s.matches.join(" and ")}`,
    values: valuesOf(portion, s.indexes),
  }));
}
