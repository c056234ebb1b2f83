/** Records of the schema change topic: each DDL, and the tables as it left them. */
import type { Header, SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { arrayOf, INT64, OPTIONAL_STRING, type Schema, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { CHANGE, changeStruct } from "../cdc/table-change.ts";
import type { TableChange } from "../cdc/table-model.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { SOURCE_SCHEMAS } from "./source-info.ts";

const keySchema = (flavor: Flavor): Schema =>
  structOf([["databaseName", STRING]], { name: `io.debezium.connector.${flavor}.SchemaChangeKey`, version: 1 });
const valueSchema = (flavor: Flavor): Schema =>
  structOf(
    [
      ["source", SOURCE_SCHEMAS[flavor]],
      ["ts_ms", INT64],
      ["databaseName", OPTIONAL_STRING],
      ["schemaName", OPTIONAL_STRING],
      ["ddl", OPTIONAL_STRING],
      ["tableChanges", arrayOf(CHANGE)],
    ],
    { name: `io.debezium.connector.${flavor}.SchemaChangeValue`, version: 1 },
  );
const KEYS: Readonly<Record<Flavor, Schema>> = { mysql: keySchema("mysql"), mariadb: keySchema("mariadb") };
const VALUES: Readonly<Record<Flavor, Schema>> = { mysql: valueSchema("mysql"), mariadb: valueSchema("mariadb") };

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
  keySchema: KEYS[c.flavor],
  key: new Struct(KEYS[c.flavor], [c.databaseName]),
  valueSchema: VALUES[c.flavor],
  value: new Struct(VALUES[c.flavor], [c.source, BigInt(c.tsMs), c.databaseName, null, c.ddl, c.changes.map(changeStruct)]),
  timestamp: null,
  headers: c.headers,
  sourcePartition: c.partition,
  sourceOffset: c.offset,
});
