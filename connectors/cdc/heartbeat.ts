/** `heartbeat.interval.ms`: a record that carries the position when no data does. */
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { INT64, type Schema, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";

const KEY: Schema = structOf([["serverName", STRING]], { name: "io.debezium.connector.common.ServerNameKey", version: 1 });
const VALUE: Schema = structOf([["ts_ms", INT64]], { name: "io.debezium.connector.common.Heartbeat", version: 1 });

export const heartbeatRecord = (
  topic: string,
  prefix: string,
  nowMs: number,
  partition: SourcePartition,
  offset: SourceOffset,
): SourceRecord => ({
  topic,
  partition: 0,
  keySchema: KEY,
  key: new Struct(KEY, [prefix]),
  valueSchema: VALUE,
  value: new Struct(VALUE, [BigInt(nowMs)]),
  timestamp: null,
  headers: [],
  sourcePartition: partition,
  sourceOffset: offset,
});
