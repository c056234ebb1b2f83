/** Records of schema change topics, the same for all databases: a statement, and the tables as it left them (Debezium's `tableChanges`). */
import type { Header, SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import {
  arrayOf,
  INT32,
  INT64,
  OPTIONAL_BOOLEAN,
  OPTIONAL_INT32,
  OPTIONAL_STRING,
  type Schema,
  STRING,
  structOf,
} from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { type Column, quotedTableId, type Table, type TableChange } from "./table-model.ts";

const STRINGS = arrayOf(STRING, { optional: true });
const COLUMN: Schema = structOf(
  [
    ["name", STRING],
    ["jdbcType", INT32],
    ["nativeType", OPTIONAL_INT32],
    ["typeName", STRING],
    ["typeExpression", OPTIONAL_STRING],
    ["charsetName", OPTIONAL_STRING],
    ["length", OPTIONAL_INT32],
    ["scale", OPTIONAL_INT32],
    ["position", INT32],
    ["optional", OPTIONAL_BOOLEAN],
    ["autoIncremented", OPTIONAL_BOOLEAN],
    ["generated", OPTIONAL_BOOLEAN],
    ["comment", OPTIONAL_STRING],
    ["defaultValueExpression", OPTIONAL_STRING],
    ["enumValues", STRINGS],
  ],
  { name: "io.debezium.connector.schema.Column", version: 1 },
);
const TABLE: Schema = structOf(
  [
    ["defaultCharsetName", OPTIONAL_STRING],
    ["primaryKeyColumnNames", STRINGS],
    ["columns", arrayOf(COLUMN)],
    ["comment", OPTIONAL_STRING],
  ],
  { name: "io.debezium.connector.schema.Table", version: 1, optional: true },
);
const CHANGE: Schema = structOf(
  [
    ["type", STRING],
    ["id", STRING],
    ["table", TABLE],
  ],
  { name: "io.debezium.connector.schema.Change", version: 1 },
);

const columnStruct = (c: Column): Struct =>
  new Struct(COLUMN, [
    c.name,
    c.jdbcType,
    c.nativeType,
    c.typeName,
    c.typeExpression,
    c.charsetName,
    c.length,
    c.scale,
    c.position,
    c.optional,
    c.autoIncremented,
    c.generated,
    c.comment,
    c.defaultValueExpression,
    c.enumValues.length === 0 ? null : [...c.enumValues],
  ]);
const tableStruct = (t: Table): Struct =>
  new Struct(TABLE, [t.defaultCharsetName, [...t.primaryKeyColumnNames], t.columns.map(columnStruct), t.comment]);

const changeStruct = (c: TableChange): Struct =>
  new Struct(CHANGE, [c.type, quotedTableId(c.id), c.table === null ? null : tableStruct(c.table)]);

export interface SchemaChange {
  readonly topic: string;
  readonly partition: SourcePartition;
  readonly headers: readonly Header[];
  /** The `source` block. */
  readonly source: Struct;
  readonly tsMs: number;
  readonly databaseName: string | null;
  readonly schemaName: string | null;
  /** Null: the table as a snapshot found it. */
  readonly ddl: string | null;
  readonly changes: readonly TableChange[];
  readonly offset: SourceOffset;
}
/** Makes the records of one connector; `connector` as in the schemas' names. */
export function schemaChangeRecords(connector: string, source: Schema): (change: SchemaChange) => SourceRecord {
  const keySchema = structOf([["databaseName", STRING]], { name: `io.debezium.connector.${connector}.SchemaChangeKey`, version: 1 });
  const valueSchema = structOf(
    [
      ["source", source],
      ["ts_ms", INT64],
      ["databaseName", OPTIONAL_STRING],
      ["schemaName", OPTIONAL_STRING],
      ["ddl", OPTIONAL_STRING],
      ["tableChanges", arrayOf(CHANGE)],
    ],
    { name: `io.debezium.connector.${connector}.SchemaChangeValue`, version: 1 },
  );
  return (c) => ({
    topic: c.topic,
    partition: 0,
    keySchema,
    key: new Struct(keySchema, [c.databaseName]),
    valueSchema,
    value: new Struct(valueSchema, [c.source, BigInt(c.tsMs), c.databaseName, c.schemaName, c.ddl, c.changes.map(changeStruct)]),
    timestamp: null,
    headers: c.headers,
    sourcePartition: c.partition,
    sourceOffset: c.offset,
  });
}
