/** Which schemas, tables and columns a connector captures (`*.include.list`, `*.exclude.list`). */
import { anchored, anyOf, splitExpressions } from "./expressions.ts";
import type { Settings } from "./settings.ts";

export interface Filters {
  /** `schema` and `table` as they stand in the catalogue. */
  table(schema: string, table: string): boolean;
  column(schema: string, table: string, column: string): boolean;
  /** Tables whose rows the initial snapshot reads; all captured ones unless `snapshot.include.collection.list` says less. */
  snapshot(schema: string, table: string): boolean;
  /**
   * Tables in the order in which a snapshot reads them: that of `table.include.list`, by name (UTF-16 units) where one of its
   * expressions takes several; the signal table, where none takes it, is the last.
   */
  inSnapshotOrder<T>(tables: readonly T[], idOf: (table: T) => string): readonly T[];
}
/** By name, as the JVM sorts texts. */
export const byName = <T>(tables: readonly T[], idOf: (table: T) => string): readonly T[] =>
  tables.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : idOf(a) > idOf(b) ? 1 : 0));

/** `container`: what tables are in, as the settings call it. `builtinTables`: names, in lower case, that are captured in no schema. */
export function filtersOf(
  settings: Settings,
  builtinSchemas: readonly string[],
  container: "schema" | "database" = "schema",
  builtinTables: readonly string[] = [],
): Filters {
  const listed = (name: string): ((text: string) => boolean) | null => anyOf(settings.optional(name), name);
  const schemaIn = listed(`${container}.include.list`),
    schemaOut = listed(`${container}.exclude.list`);
  const tableIn = listed("table.include.list"),
    tableOut = listed("table.exclude.list");
  const columnIn = listed("column.include.list"),
    columnOut = listed("column.exclude.list");
  const snapshotIn = listed("snapshot.include.collection.list");
  const signalTable = settings.optional("signal.data.collection");
  const listedTables = splitExpressions(settings.optional("table.include.list") ?? "").map((e) => anchored(e, "table.include.list"));
  const table = (schema: string, name: string): boolean => {
    const id = `${schema}.${name}`;
    if (builtinSchemas.includes(schema) || builtinTables.includes(name.toLowerCase())) return false;
    if (signalTable !== null && id === signalTable) return true;
    if (schemaIn !== null ? !schemaIn(schema) : schemaOut?.(schema) === true) return false;
    return tableIn !== null ? tableIn(id) : tableOut?.(id) !== true;
  };
  return {
    table,
    column(schema, name, column) {
      const id = `${schema}.${name}.${column}`;
      return columnIn !== null ? columnIn(id) : columnOut?.(id) !== true;
    },
    snapshot: (schema, name) => table(schema, name) && (snapshotIn === null || snapshotIn(`${schema}.${name}`)),
    inSnapshotOrder(tables, idOf) {
      const sorted = byName(tables, idOf);
      return [...new Set([...listedTables.flatMap((e) => sorted.filter((t) => e.test(idOf(t)))), ...sorted])];
    },
  };
}
