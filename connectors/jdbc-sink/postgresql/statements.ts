/**
 * The SQL that applies many rows at once: every column travels as one text array and is cast to the column's own type, so
 * one prepared statement serves any number of rows and any type that has a text form.
 */
import type { RowShape, RowText } from "../change.ts";
import type { InsertMode } from "../config.ts";
import { quoteTable as tableText, type Statement, type Table, writable as writableColumns } from "../dialect.ts";
import type { TableId } from "../naming.ts";
import { arrayLiteral } from "../value-text.ts";

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteTable = (id: TableId): string => tableText({ quoteName }, id);
function source(table: Table, shape: RowShape, indexes: readonly number[]): { from: string; casts: string[]; names: string[] } {
  const names = indexes.map((i) => quoteName(shape.columns[i]?.name ?? ""));
  const casts = indexes.map((i, n) => `u.c${n}::${table.columns.get(shape.columns[i]?.name ?? "")?.type ?? "text"}`);
  const from = `unnest(${indexes.map((_, n) => `$${n + 1}::text[]`).join(", ")}) as u(${indexes.map((_, n) => `c${n}`).join(", ")})`;
  return { from, casts, names };
}
const columnsOf = (rows: readonly RowText[], indexes: readonly number[]): string[] =>
  indexes.map((i) => arrayLiteral(rows.map((r) => r[i] ?? null)));

/** Rows of one shape with the same known columns (see `knownColumns`). Key columns come first in the shape. */
export function writeStatement(mode: InsertMode, table: Table, shape: RowShape, rows: readonly RowText[]): Statement {
  const indexes = writableColumns({ columnKey: (name) => name }, table, shape, rows[0] ?? []);
  const { from, casts, names } = source(table, shape, indexes);
  const isKey = indexes.map((i) => i < shape.keyCount);
  const keys = names.filter((_, n) => isKey[n]);
  const values = columnsOf(rows, indexes);
  if (mode === "update") {
    const set = names.flatMap((name, n) => (isKey[n] ? [] : [`${name} = ${casts[n]}`]));
    const where = names.flatMap((name, n) => (isKey[n] ? [`t.${name} = ${casts[n]}`] : []));
    return { text: `update ${quoteTable(table.id)} as t set ${set.join(", ")} from ${from} where ${where.join(" and ")}`, values };
  }
  const overriding = indexes.some((i) => table.columns.get(shape.columns[i]?.name ?? "")?.identity) ? " overriding system value" : "";
  let text = `insert into ${quoteTable(table.id)} (${names.join(", ")})${overriding} select ${casts.join(", ")} from ${from}`;
  if (mode === "upsert" && keys.length > 0) {
    const set = names.flatMap((name, n) => (isKey[n] ? [] : [`${name} = excluded.${name}`]));
    text += ` on conflict (${keys.join(", ")}) do ${set.length > 0 ? `update set ${set.join(", ")}` : "nothing"}`;
  }
  return { text, values };
}

export function deleteStatement(table: Table, shape: RowShape, rows: readonly RowText[]): Statement {
  const indexes = shape.columns.map((_, i) => i);
  const { from, casts, names } = source(table, shape, indexes);
  // A null key matches null: rows of tables whose "key" is nullable are deleted too.
  const where = names.map((name, n) =>
    rows.some((r) => r[n] === null) ? `t.${name} is not distinct from ${casts[n]}` : `t.${name} = ${casts[n]}`,
  );
  return { text: `delete from ${quoteTable(table.id)} as t using ${from} where ${where.join(" and ")}`, values: columnsOf(rows, indexes) };
}
