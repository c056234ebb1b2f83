/**
 * Conditions on keys of several columns, written out column by column for databases that do not compare rows (SQL Server) or
 * that do not use an index for it (MySQL): `(a > 1) OR (a = 1 AND b > 2)`. NULLs are taken to sort first.
 */
import type { KeyValues } from "./port.ts";

export interface Dialect {
  /** `name` as a quoted identifier. */
  readonly identifier: (name: string) => string;
  /** A key's value as an expression; `at`: its place in the key. */
  readonly literal: (value: string, at: number) => string;
}

function compared(columns: readonly string[], key: KeyValues, dialect: Dialect, operator: ">" | "<"): readonly string[] {
  return columns.flatMap((column, i) => {
    const value = key[i] ?? null;
    const name = dialect.identifier(column);
    // Nothing is before NULL, everything else is after it.
    if (value === null && operator === "<") return [];
    const last = value === null ? `${name} IS NOT NULL` : `${name} ${operator} ${dialect.literal(value, i)}`;
    const orNull = operator === "<" ? `(${last} OR ${name} IS NULL)` : last;
    const equal = columns.slice(0, i).map((c, j) => {
      const v = key[j] ?? null;
      return v === null ? `${dialect.identifier(c)} IS NULL` : `${dialect.identifier(c)} = ${dialect.literal(v, j)}`;
    });
    return [`(${[...equal, orNull].join(" AND ")})`];
  });
}
/** Rows whose key comes after `key`. */
function afterKey(columns: readonly string[], key: KeyValues, dialect: Dialect): string {
  return `(${compared(columns, key, dialect, ">").join(" OR ")})`;
}
/** Rows whose key is `key` or comes before it. */
function upToKey(columns: readonly string[], key: KeyValues, dialect: Dialect): string {
  const same = columns.map((c, i) => {
    const v = key[i] ?? null;
    return v === null ? `${dialect.identifier(c)} IS NULL` : `${dialect.identifier(c)} = ${dialect.literal(v, i)}`;
  });
  return `(${[...compared(columns, key, dialect, "<"), `(${same.join(" AND ")})`].join(" OR ")})`;
}
/** Rows whose key comes after `after`, up to and with `upTo`; null or undefined: from the first, to the last. */
export const rangeConditions = (
  columns: readonly string[],
  after: KeyValues | null | undefined,
  upTo: KeyValues | null | undefined,
  dialect: Dialect,
): readonly string[] => [...(after ? [afterKey(columns, after, dialect)] : []), ...(upTo ? [upToKey(columns, upTo, dialect)] : [])];
/** Those rows of one chunk of an incremental snapshot that its signal asks for. */
export const chunkConditions = (
  columns: readonly string[],
  after: KeyValues | null,
  upTo: KeyValues,
  filter: string | null,
  dialect: Dialect,
): string => [...rangeConditions(columns, after, upTo, dialect), ...(filter === null ? [] : [`(${filter})`])].join(" AND ");
