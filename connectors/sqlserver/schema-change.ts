/** Records of the schema change topic: each table as a snapshot found it, or as a new capture instance has it. */
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
import { type Column, quotedTableId, type Table, type TableChange } from "../cdc/table-model.ts";
import { SOURCE_SCHEMA } from "./source-info.ts";

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
const KEY: Schema = structOf([["databaseName", STRING]], { name: "io.debezium.connector.sqlserver.SchemaChangeKey", version: 1 });
const VALUE: Schema = structOf(
  [
    ["source", SOURCE_SCHEMA],
    ["ts_ms", INT64],
    ["databaseName", OPTIONAL_STRING],
    ["schemaName", OPTIONAL_STRING],
    ["ddl", OPTIONAL_STRING],
    ["tableChanges", arrayOf(CHANGE)],
  ],
  { name: "io.debezium.connector.sqlserver.SchemaChangeValue", version: 1 },
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

export interface SchemaChange {
  readonly topic: string;
  readonly partition: SourcePartition;
  readonly headers: readonly Header[];
  readonly source: Struct;
  readonly tsMs: number;
  /** Null: the table as a snapshot found it. */
  readonly ddl: string | null;
  readonly change: TableChange;
  readonly offset: SourceOffset;
}
export const schemaChangeRecord = (c: SchemaChange): SourceRecord => ({
  topic: c.topic,
  partition: 0,
  keySchema: KEY,
  key: new Struct(KEY, [c.change.id.catalog]),
  valueSchema: VALUE,
  value: new Struct(VALUE, [
    c.source,
    BigInt(c.tsMs),
    c.change.id.catalog,
    c.change.id.schema,
    c.ddl,
    [new Struct(CHANGE, [c.change.type, quotedTableId(c.change.id), c.change.table === null ? null : tableStruct(c.change.table)])],
  ]),
  timestamp: null,
  headers: c.headers,
  sourcePartition: c.partition,
  sourceOffset: c.offset,
});
