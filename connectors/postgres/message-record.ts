/** Records of messages that applications write to the log with pg_logical_emit_message. */
import type { SourceOffset, SourcePartition, SourceRecord } from "#connect/api/record";
import { OPTIONAL_BYTES, OPTIONAL_INT64, OPTIONAL_STRING, type Schema, STRING, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { TRANSACTION_BLOCK } from "../cdc/envelope.ts";
import type { TypeModes } from "./column-type.ts";
import { SOURCE_SCHEMA } from "./source-info.ts";
import { binaryText } from "../cdc/binary-text.ts";

const MESSAGE_KEY: Schema = structOf([["prefix", OPTIONAL_STRING]], { name: "io.debezium.connector.postgresql.MessageKey", version: 1 });
/** How the content is shown, by `binary.handling.mode`. */
export interface MessageForm {
  readonly value: Schema;
  readonly message: Schema;
  /** A copy of the bytes, or their text. */
  content(bytes: Buffer): Uint8Array | string;
}
export function messageForm(mode: TypeModes["binary"]): MessageForm {
  const bytes = mode === "bytes";
  const message = structOf(
    [
      ["prefix", OPTIONAL_STRING],
      ["content", bytes ? OPTIONAL_BYTES : OPTIONAL_STRING],
    ],
    { name: "io.debezium.connector.postgresql.Message", version: 1 },
  );
  const value = structOf(
    [
      ["op", STRING],
      ["ts_ms", OPTIONAL_INT64],
      ["source", SOURCE_SCHEMA],
      ["transaction", TRANSACTION_BLOCK],
      ["message", message],
    ],
    { name: "io.debezium.connector.postgresql.MessageValue", version: 1 },
  );
  return { value, message, content: (content) => (bytes ? Buffer.from(content) : binaryText(content, mode)) };
}

/** `content` is copied. */
export function messageRecord(
  form: MessageForm,
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
    valueSchema: form.value,
    value: new Struct(form.value, ["m", BigInt(tsMs), source, block, new Struct(form.message, [prefix, form.content(content)])]),
    timestamp: null,
    headers: [],
    sourcePartition: partition,
    sourceOffset: offset,
  };
}
