/** io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent: JSON in a logical message becomes a row. */
import type { ConfigDef } from "#connect/api/config";
import { booleanSetting, parseConfig } from "#connect/api/config-parse";
import type { TransformPlugin } from "#connect/api/plugin";
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { JsonParser, JsonSyntaxError, type JsonNode } from "../converters/json/parse.ts";
import { DEBEZIUM_VERSION, debeziumError, ENVELOPE_SUFFIX, javaError } from "./debezium.ts";
import { inferredSchema, inferredValue, type NullBehavior } from "./json-schema-data.ts";
import { requireStruct } from "./side.ts";

const MESSAGE = "io.debezium.connector.postgresql.MessageValue";
const config: ConfigDef = [
  {
    name: "fields.null.include",
    type: "BOOLEAN",
    default: false,
    importance: "MEDIUM",
    orderInGroup: 1,
    width: "MEDIUM",
    displayName: "Defines whether to include fields with null values to the decoded structure",
    doc: "Whether nulls of the JSON become fields.",
  },
];
function parsed(content: Uint8Array): JsonNode {
  const text = Buffer.from(content).toString("utf8");
  if (!text.startsWith("{") && !text.startsWith("["))
    throw debeziumError(`Unable to parse logical decoding message content JSON string '${text}'`);
  try {
    return new JsonParser(content).value();
  } catch (e) {
    if (e instanceof JsonSyntaxError) throw debeziumError(`com.fasterxml.jackson.core.JsonParseException: ${e.message}`, e);
    throw e;
  }
}
function contentOf(value: Struct): Uint8Array {
  const message = requireStruct(value.get("message"), "Retrieve content of a logical decoding message");
  if (message.field("content").schema.type !== "BYTES") throw debeziumError("The content of a logical decoding message is non-binary");
  const content = message.get("content");
  if (content instanceof Uint8Array) return content;
  throw javaError("NullPointerException", "the message has no content");
}
function rowOf(content: Uint8Array, nulls: NullBehavior): { schema: Schema; row: ConnectValue } {
  const node = parsed(content);
  const schema = inferredSchema(null, node, nulls);
  if (schema === null) throw debeziumError("The content of a logical decoding message has no schema");
  return { schema, row: inferredValue(node, schema) };
}
export const decodeLogicalDecodingMessageContent: TransformPlugin = {
  kind: "transform",
  name: "decode-logical-decoding-message-content",
  classes: ["io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const nulls: NullBehavior = booleanSetting(parseConfig(config, raw), "fields.null.include") ? "optional_bytes" : "ignore";
    return {
      apply(record) {
        if (record.valueSchema?.name !== MESSAGE) return record;
        const value = requireStruct(record.value, "Retrieve a record value", record.valueSchema);
        const { schema, row } = rowOf(contentOf(value), nulls);
        const kept = value.schema.fields.filter((f) => f.name !== "message");
        const builder = new StructBuilder();
        for (const f of kept) builder.field(f.name, f.schema);
        builder.field("after", schema);
        const to = builder.build({ name: MESSAGE + ENVELOPE_SUFFIX });
        const slots = [...kept.map((f) => (f.name === "op" ? "c" : value.get(f.name))), row];
        return { ...record, keySchema: null, key: null, valueSchema: to, value: new Struct(to, slots) };
      },
    };
  },
};
