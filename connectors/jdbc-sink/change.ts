/**
 * From a sink record to what happens to one row. Takes Debezium's change events as they are and plain (flattened) records;
 * one plan per pair of schemas, so that nothing is looked up twice.
 */
import { ConnectError, DataError } from "#connect/api/errors";
import type { SinkRecord } from "#connect/api/record";
import { OPTIONAL_STRING, type Schema, primitive } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import type { JdbcSinkSettings } from "./config.ts";
import type { ToText } from "./dialect.ts";
import { type TableId, tableId, tableName } from "./naming.ts";

/** Debezium's placeholder for a TOAST value that the change did not touch (`unavailable.value.placeholder`). */
const UNAVAILABLE = "__debezium_unavailable_value";

export interface Column {
  readonly name: string;
  readonly schema: Schema;
  readonly toText: ToText;
  readonly key: boolean;
  /** Position in the row's struct; -1: the value comes from elsewhere (key, header, Kafka). */
  readonly field: number;
}
/** Key columns first. All rows of one shape have the same columns. */
export interface RowShape {
  readonly columns: readonly Column[];
  readonly keyCount: number;
}
/** Text of each column; undefined: not known, leave the column alone. */
export type RowText = (string | null | undefined)[];
export type Change =
  | { readonly kind: "write"; readonly table: TableId; readonly shape: RowShape; readonly row: RowText; readonly record: SinkRecord }
  | { readonly kind: "delete"; readonly table: TableId; readonly shape: RowShape; readonly row: RowText; readonly record: SinkRecord }
  | { readonly kind: "truncate"; readonly table: TableId; readonly record: SinkRecord };

const KAFKA_COLUMNS: readonly (readonly [string, Schema])[] = [
  ["__connect_topic", primitive("STRING")],
  ["__connect_partition", primitive("INT32")],
  ["__connect_offset", primitive("INT64")],
];

export const isEnvelope = (schema: Schema | null): boolean =>
  schema !== null && schema.type === "STRUCT" && (schema.name?.endsWith(".Envelope") ?? false) && schema.byName.has("op");

export interface ChangeReader {
  /** Null: nothing to do for this record (a tombstone without delete.enabled, a read of a heartbeat…). Throws DataError. */
  read(record: SinkRecord): Change | null;
}

export function changeReader(settings: JdbcSinkSettings): ChangeReader {
  const shapes = new WeakMap<Schema, Map<Schema | null, RowShape>>();
  const keyShapes = new WeakMap<Schema, RowShape>();
  const tables = new Map<string, TableId>();

  const table = (record: SinkRecord): TableId | null => {
    const name = tableName(settings.nameFormat, record);
    if (name === null) return null;
    let id = tables.get(name);
    if (id === undefined) {
      id = tableId(name, settings.fold);
      tables.set(name, id);
    }
    return id;
  };
  const shapeOf = (record: SinkRecord, keySchema: Schema | null, rowSchema: Schema): RowShape => {
    let byKey = shapes.get(rowSchema);
    if (byKey === undefined) shapes.set(rowSchema, (byKey = new Map()));
    let shape = byKey.get(keySchema);
    if (shape === undefined) {
      if (byKey.size > 64) byKey.clear();
      byKey.set(keySchema, (shape = rowShape(settings, record, keySchema, rowSchema)));
    }
    return shape;
  };
  const deletion = (record: SinkRecord): Change | null => {
    const to = settings.deleteEnabled ? table(record) : null;
    if (to === null || record.key === null || record.keySchema === null) return null;
    let shape = keyShapes.get(record.keySchema);
    if (shape === undefined) keyShapes.set(record.keySchema, (shape = keyShape(settings, record.keySchema)));
    const key = record.key;
    return {
      kind: "delete",
      table: to,
      shape,
      row: shape.columns.map((c, i) => textOf(c, keyValue(key, shapeField(settings, i, key)))),
      record,
    };
  };

  return {
    read(record) {
      if (record.value === null) return deletion(record);
      if (record.valueSchema === null || !(record.value instanceof Struct)) {
        throw new DataError(
          `Record in topic '${record.topic}', partition '${record.partition}', offset '${record.offset}' has no struct schema: the JDBC sink needs one (value.converter.schemas.enable=true)`,
        );
      }
      let row: ConnectValue = record.value;
      if (isEnvelope(record.valueSchema)) {
        const op = record.value.get("op");
        if (op === "d") return deletion(record);
        if (op === "t") {
          const to = settings.truncateEnabled ? table(record) : null;
          return to === null ? null : { kind: "truncate", table: to, record };
        }
        row = record.value.get("after");
      }
      if (!(row instanceof Struct)) return null;
      const to = table(record);
      if (to === null) return null;
      const shape = shapeOf(record, record.keySchema, row.schema);
      return { kind: "write", table: to, shape, row: rowText(settings, shape, record, row), record };
    },
  };
}

function textOf(column: Column, value: ConnectValue): string | null {
  return value === null ? null : column.toText(value);
}
/** A key that is no struct is its own only column. */
const keyValue = (key: ConnectValue, field: string): ConnectValue => (key instanceof Struct ? key.get(field) : key);

function shapeField(settings: JdbcSinkSettings, index: number, key: ConnectValue): string {
  if (settings.keyFields.length > 0) return settings.keyFields[index] ?? "";
  return key instanceof Struct ? (key.schema.fields[index]?.name ?? "") : "";
}

/** The columns of a record's key, in order. */
function keyColumns(settings: JdbcSinkSettings, keySchema: Schema | null): Column[] {
  if (keySchema === null)
    throw new ConnectError("Configured primary key mode 'record_key' cannot have null schema", { causeClass: "data" });
  if (keySchema.type !== "STRUCT") {
    const name = settings.keyFields[0];
    if (name === undefined)
      throw new ConnectError("primary.key.fields must name the key column when the record's key is a primitive", { causeClass: "config" });
    return [column(settings, settings.fold(name), keySchema, true)];
  }
  const names = settings.keyFields.length > 0 ? settings.keyFields : keySchema.fields.map((f) => f.name);
  return names.map((name) => {
    const field = keySchema.byName.get(name);
    if (field === undefined)
      throw new ConnectError(`primary.key.fields names ${name}, which the record's key does not have`, { causeClass: "config" });
    return column(settings, settings.fold(name), field.schema, true);
  });
}
function column(settings: JdbcSinkSettings, name: string, schema: Schema, key: boolean, field = -1): Column {
  return { name, schema, toText: settings.dialect.toText(schema), key, field };
}
function keyShape(settings: JdbcSinkSettings, keySchema: Schema): RowShape {
  const columns = keyColumns(settings, keySchema);
  return { columns, keyCount: columns.length };
}

function rowShape(settings: JdbcSinkSettings, record: SinkRecord, keySchema: Schema | null, rowSchema: Schema): RowShape {
  const fieldOf = new Map(rowSchema.fields.map((f) => [settings.fold(f.name), f.index]));
  let keys: Column[] = [];
  if (settings.keyMode === "kafka") keys = KAFKA_COLUMNS.map(([name, schema]) => column(settings, name, schema, true));
  else if (settings.keyMode === "record_key") keys = keyColumns(settings, keySchema);
  else if (settings.keyMode === "record_header")
    keys = settings.keyFields.map((name) => column(settings, settings.fold(name), headerSchema(record, name), true));
  else if (settings.keyMode === "record_value") {
    const names = settings.keyFields.length > 0 ? settings.keyFields : rowSchema.fields.map((f) => f.name);
    keys = names.map((name) => {
      const folded = settings.fold(name);
      return column(settings, folded, rowSchema.byName.get(name)?.schema ?? OPTIONAL_STRING, true, fieldOf.get(folded));
    });
  }
  const named = new Set(keys.map((k) => k.name));
  const rest = rowSchema.fields
    .filter((f) => settings.includes(record.topic, f.name) && !named.has(settings.fold(f.name)))
    .map((f) => column(settings, settings.fold(f.name), f.schema, false, f.index));
  return { columns: [...keys, ...rest], keyCount: keys.length };
}
function headerSchema(record: SinkRecord, name: string): Schema {
  return record.headers.find((h) => h.key === name)?.schema ?? OPTIONAL_STRING;
}

function rowText(settings: JdbcSinkSettings, shape: RowShape, record: SinkRecord, row: Struct): RowText {
  const out: RowText = [];
  for (let i = 0; i < shape.columns.length; i++) {
    const c = shape.columns[i];
    if (c === undefined) break;
    if (i < shape.keyCount && settings.keyMode !== "record_value") {
      out.push(textOf(c, keyOf(settings, record, i)));
      continue;
    }
    const value = c.field < 0 ? null : row.at(c.field);
    out.push(isUnavailable(value) ? undefined : textOf(c, value));
  }
  return out;
}
function keyOf(settings: JdbcSinkSettings, record: SinkRecord, index: number): ConnectValue {
  if (settings.keyMode === "kafka") return index === 0 ? record.topic : index === 1 ? record.partition : BigInt(record.offset);
  if (settings.keyMode === "record_header") return record.headers.find((h) => h.key === settings.keyFields[index])?.value ?? null;
  return keyValue(record.key, shapeField(settings, index, record.key));
}
function isUnavailable(value: ConnectValue): boolean {
  if (typeof value === "string") return value === UNAVAILABLE;
  if (value instanceof Uint8Array) return value.length === UNAVAILABLE.length && Buffer.from(value).toString("latin1") === UNAVAILABLE;
  return Array.isArray(value) && value.length === 1 && value[0] === UNAVAILABLE;
}
