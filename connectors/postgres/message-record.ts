/** Records of messages that applications write to the log with pg_logical_emit_message. */
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { OPTIONAL_BYTES, OPTIONAL_INT64, OPTIONAL_STRING, type Schema, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { TRANSACTION_BLOCK } from "../cdc/envelope.ts";
import { SOURCE_SCHEMA } from "./source-info.ts";

const MESSAGE_KEY: Schema = structOf([["prefix", OPTIONAL_STRING]], { name: "io.debezium.connector.postgresql.MessageKey", version: 1 });
const MESSAGE: Schema = structOf(
  [
    ["prefix", OPTIONAL_STRING],
    ["content", OPTIONAL_BYTES],
  ],
  { name: "io.debezium.connector.postgresql.Message", version: 1 },
);
const MESSAGE_VALUE: Schema = structOf(
  [
    ["op", STRING],
    ["ts_ms", OPTIONAL_INT64],
    ["source", SOURCE_SCHEMA],
    ["transaction", TRANSACTION_BLOCK],
    ["message", MESSAGE],
  ],
  { name: "io.debezium.connector.postgresql.MessageValue", version: 1 },
);

/** `content` is copied. */
export function messageRecord(
  topic: string,
  partition: SourcePartition,
  tsMs: number,
  prefix: string,
  content: Buffer,
  source: Struct,
  block: Struct | null,
  offset: SourceOffset,
): SourceRecord {
  return {
    topic,
    partition: null,
    keySchema: MESSAGE_KEY,
    key: new Struct(MESSAGE_KEY, [prefix]),
    valueSchema: MESSAGE_VALUE,
    value: new Struct(MESSAGE_VALUE, ["m", BigInt(tsMs), source, block, new Struct(MESSAGE, [prefix, Buffer.from(content)])]),
    timestamp: null,
    headers: [],
    sourcePartition: partition,
    sourceOffset: offset,
  };
}
