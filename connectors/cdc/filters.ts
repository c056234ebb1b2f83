/** Which schemas, tables and columns a connector captures (`*.include.list`, `*.exclude.list`). */
import { anyOf } from "./expressions.ts";
import type { Settings } from "./settings.ts";

export interface Filters {
  /** `schema` and `table` as they stand in the catalogue. */
  table(schema: string, table: string): boolean;
  column(schema: string, table: string, column: string): boolean;
  /** Tables whose rows the initial snapshot reads; all captured ones unless `snapshot.include.collection.list` says less. */
  snapshot(schema: string, table: string): boolean;
}

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
  };
}
