/** Records of the schema change topic: each table as a snapshot found it, or as a new capture instance has it. */
import type { Header, SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { Struct } from "#connect/api/struct";
import { changeStruct, schemaChangeSchemas } from "../cdc/table-change.ts";
import type { TableChange } from "../cdc/table-model.ts";
import { SOURCE_SCHEMA } from "./source-info.ts";

const { key: KEY, value: VALUE } = schemaChangeSchemas("sqlserver", SOURCE_SCHEMA);

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
  value: new Struct(VALUE, [c.source, BigInt(c.tsMs), c.change.id.catalog, c.change.id.schema, c.ddl, [changeStruct(c.change)]]),
  timestamp: null,
  headers: c.headers,
  sourcePartition: c.partition,
  sourceOffset: c.offset,
});
