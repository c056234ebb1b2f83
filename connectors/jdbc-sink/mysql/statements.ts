/** Statements for MySQL and MariaDB: many rows each, values as text that the server casts in its strict mode. */
import type { RowShape, RowText } from "../change.ts";
import type { InsertMode } from "../config.ts";
import { portions, quoteTable as tableText, type Statement, type Table, writable } from "../dialect.ts";
import type { TableId } from "../naming.ts";
import { placeholder } from "./values.ts";

export const quoteName = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
/** Names of columns do not know case. */
export const columnKey = (name: string): string => name.toLowerCase();
const quoteTable = (id: TableId): string => tableText({ quoteName }, id);
/** Well below the smallest usual `max_allowed_packet`, 16 MiB, with room for escapes. */
const STATEMENT_CHARS_MAX = 4_000_000;

interface Target {
  readonly indexes: readonly number[];
  readonly names: readonly string[];
  readonly places: readonly string[];
}
function target(shape: RowShape, indexes: readonly number[]): Target {
  const columns = indexes.flatMap((i) => shape.columns[i] ?? []);
  return { indexes, names: columns.map((c) => quoteName(c.name)), places: columns.map((c) => placeholder(c.schema)) };
}
const valuesOf = (row: RowText, indexes: readonly number[]): (string | null)[] => indexes.map((i) => row[i] ?? null);
function bounded(rows: readonly RowText[]): RowText[][] {
  let chars = 0;
  for (const row of rows) for (const value of row) chars += value?.length ?? 0;
  return portions(rows, chars <= STATEMENT_CHARS_MAX ? rows.length : Math.ceil((rows.length * STATEMENT_CHARS_MAX) / chars));
}

export function writeStatements(mode: InsertMode, table: Table, shape: RowShape, rows: readonly RowText[]): Statement[] {
  const t = target(shape, writable({ columnKey }, table, shape, rows[0] ?? []));
  const isKey = t.indexes.map((i) => i < shape.keyCount);
  const name = quoteTable(table.id);
  if (mode === "update") {
    const set = t.names.flatMap((n, i) => (isKey[i] === true ? [] : [`${n} = ${t.places[i] ?? "?"}`]));
    const where = t.names.flatMap((n, i) => (isKey[i] === true ? [`${n} = ${t.places[i] ?? "?"}`] : []));
    const order = [...t.indexes.filter((_, i) => isKey[i] !== true), ...t.indexes.filter((_, i) => isKey[i] === true)];
    const text = `update ${name} set ${set.join(", ")} where ${where.join(" and ")}`;
    return rows.map((row) => ({ text, values: valuesOf(row, order) }));
  }
  let tail = "";
  if (mode === "upsert" && isKey.includes(true)) {
    const rest = t.names.filter((_, i) => isKey[i] !== true);
    // A row that is all key has nothing to update; naming a key column keeps other errors errors, which INSERT IGNORE would not.
    tail = ` on duplicate key update ${(rest.length > 0 ? rest : t.names.slice(0, 1)).map((n) => `${n} = values(${n})`).join(", ")}`;
  }
  const place = `(${t.places.join(", ")})`;
  return bounded(rows).map((portion) => ({
    text: `insert into ${name} (${t.names.join(", ")}) values ${portion.map(() => place).join(", ")}${tail}`,
    values: portion.flatMap((row) => valuesOf(row, t.indexes)),
  }));
}

export function deleteStatements(table: Table, shape: RowShape, rows: readonly RowText[]): Statement[] {
  const t = target(
    shape,
    shape.columns.map((_, i) => i),
  );
  const nulls = rows.some((row) => row.includes(null));
  // A null key matches null. Lists of rows use the key's index as ranges.
  const one = nulls ? `(${t.names.map((n, i) => `${n} <=> ${t.places[i] ?? "?"}`).join(" and ")})` : `(${t.places.join(", ")})`;
  return bounded(rows).map((portion) => {
    const all = portion.map(() => one);
    const where = nulls ? all.join(" or ") : `(${t.names.join(", ")}) in (${all.join(", ")})`;
    return { text: `delete from ${quoteTable(table.id)} where ${where}`, values: portion.flatMap((row) => valuesOf(row, t.indexes)) };
  });
}
