/** Values of keys as texts that offsets can hold, and as literals of SQL. */
import type { Dialect } from "../cdc/incremental-snapshot/conditions.ts";
import type { KeyValues } from "../cdc/incremental-snapshot/port.ts";
import type { Column, Table } from "../cdc/table-model.ts";
import { literal, quoted } from "./change-tables/statements.ts";

/** `java.sql.Types` whose texts are numbers. */
const NUMBERS = new Set([-7, -6, 5, 4, -5, 2, 3, 7, 8]);
const BINARY = new Set([-2, -3, -4]);

function dateTime(value: Date & { readonly nanosecondsDelta?: number }): string {
  const extra = Math.round((value.nanosecondsDelta ?? 0) * 1e7);
  return `${value.toISOString().slice(0, -1)}${String(extra).padStart(4, "0")}`;
}
function valueText(value: unknown, column: Column): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "string") return String(value);
  if (!(value instanceof Date)) return null;
  const text = dateTime(value);
  if (column.jdbcType === 91) return text.slice(0, 10);
  if (column.jdbcType === 92) return text.slice(11);
  // datetime and smalldatetime take no more than milliseconds.
  return column.typeName.startsWith("datetime2") ? text : text.slice(0, 23);
}
const columnOf = (table: Table, name: string): Column | undefined => table.columns.find((c) => c.name === name);

export const keyValues = (table: Table, key: readonly string[], values: readonly unknown[]): KeyValues =>
  key.map((name, i) => {
    const column = columnOf(table, name);
    return column === undefined ? null : valueText(values[i], column);
  });
export function keyDialect(table: Table, key: readonly string[]): Dialect {
  const columns = key.map((name) => columnOf(table, name));
  return {
    identifier: quoted,
    literal(value, at) {
      const column = columns[at];
      const type = column?.jdbcType ?? 12;
      if (NUMBERS.has(type)) return value;
      if (BINARY.has(type)) return `0x${value}`;
      if (type === 93 && column !== undefined)
        return `CONVERT(${column.typeName.startsWith("datetime2") ? `datetime2(${column.scale ?? 7})` : column.typeName}, '${value}', 126)`;
      // A literal of the other kind would be converted in the column, past its index.
      const narrow = type === 12 || type === 1 || type === -1;
      return narrow && /^[ -~]*$/.test(value) ? literal(value).slice(1) : literal(value);
    },
  };
}
