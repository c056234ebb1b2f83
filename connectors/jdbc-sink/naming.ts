/** Table names from topics and source blocks (Debezium's DefaultCollectionNamingStrategy), and identifiers of the database. */
import { Struct } from "#connect/api/struct";
import type { SinkRecord } from "#connect/api/record";

/** Null: the format asks for a source field that this record does not have (a tombstone): the record has no table. */
export function tableName(format: string, record: SinkRecord): string | null {
  let missing = false;
  const name = format.replaceAll(/\$\{(topic|source\.([^}]*))\}/g, (_all, what: string, field: string | undefined) => {
    if (what === "topic") return record.topic.replaceAll(".", "_");
    const value = sourceField(record.value, field ?? "");
    if (value === null) missing = true;
    return value ?? "";
  });
  return missing ? null : name;
}

function sourceField(value: unknown, field: string): string | null {
  if (!(value instanceof Struct)) return null;
  const source = value.schema.byName.has("source") ? value.get("source") : null;
  if (!(source instanceof Struct) || !source.schema.byName.has(field)) return null;
  const found = source.get(field);
  return typeof found === "string" ? found : null;
}

/** A table as schema and name; null: the search path decides. */
export interface TableId {
  readonly schema: string | null;
  readonly name: string;
}
/** `fold`: what the database makes of names without quotes. */
export function tableId(name: string, fold: (name: string) => string): TableId {
  const folded = fold(name);
  const dot = folded.indexOf(".");
  return dot < 0 ? { schema: null, name: folded } : { schema: folded.slice(0, dot), name: folded.slice(dot + 1) };
}
/** Names the table in maps. */
export const tableKey = (id: TableId): string => `${id.schema ?? ""}\0${id.name}`;
