/** Records of the schema change topic: each DDL, and the tables as it left them. */
import type { Header, SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { Struct } from "#connect/api/struct";
import { changeStruct, schemaChangeSchemas } from "../cdc/table-change.ts";
import type { TableChange } from "../cdc/table-model.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { SOURCE_SCHEMAS } from "./source-info.ts";

const SCHEMAS: Readonly<Record<Flavor, ReturnType<typeof schemaChangeSchemas>>> = {
  mysql: schemaChangeSchemas("mysql", SOURCE_SCHEMAS.mysql),
  mariadb: schemaChangeSchemas("mariadb", SOURCE_SCHEMAS.mariadb),
};

export interface SchemaChange {
  readonly flavor: Flavor;
  readonly topic: string;
  readonly partition: SourcePartition;
  readonly headers: readonly Header[];
  readonly source: Struct;
  readonly tsMs: number;
  readonly databaseName: string;
  readonly ddl: string;
  readonly changes: readonly TableChange[];
  readonly offset: SourceOffset;
}
export const schemaChangeRecord = (c: SchemaChange): SourceRecord => ({
  topic: c.topic,
  partition: 0,
  keySchema: SCHEMAS[c.flavor].key,
  key: new Struct(SCHEMAS[c.flavor].key, [c.databaseName]),
  valueSchema: SCHEMAS[c.flavor].value,
  value: new Struct(SCHEMAS[c.flavor].value, [c.source, BigInt(c.tsMs), c.databaseName, null, c.ddl, c.changes.map(changeStruct)]),
  timestamp: null,
  headers: c.headers,
  sourcePartition: c.partition,
  sourceOffset: c.offset,
});
