/** org.apache.kafka.connect.converters.ByteArrayConverter: bytes pass as they are. */
import type { ConfigDef } from "#connect/api/config";
import { oneOf } from "#connect/api/config-checks";
import { DataError } from "#connect/api/errors";
import { javaClass } from "#connect/api/java-text";
import type { Converter, ConverterPlugin, HeaderConverter, HeaderConverterPlugin } from "#connect/api/plugin";
import { OPTIONAL_BYTES, type Schema } from "#connect/api/schema";
import type { ConnectValue } from "#connect/api/value";

const config: ConfigDef = [
  {
    name: "converter.type",
    type: "STRING",
    importance: "LOW",
    doc: "Whether the converter serves keys, values or headers; the runtime sets it.",
    check: oneOf("key", "value", "header"),
  },
];
function fromConnect(_topic: string, schema: Schema | null, value: ConnectValue): Uint8Array | null {
  if (schema !== null && schema.type !== "BYTES") throw new DataError(`Invalid schema type for ByteArrayConverter: ${schema.type}`);
  if (value === null || value instanceof Uint8Array) return value;
  throw new DataError(`ByteArrayConverter is not compatible with objects of type ${javaClass(value, schema)}`);
}
const toConnect = (_topic: string, bytes: Uint8Array | null) => ({ schema: OPTIONAL_BYTES, value: bytes });
const converter: Converter & HeaderConverter = {
  fromConnect,
  toConnect,
  write(topic, schema, value, out) {
    const bytes = fromConnect(topic, schema, value);
    if (bytes === null) return -1;
    out.reserve(bytes.length);
    out.bytes.set(bytes, out.length);
    out.length += bytes.length;
    return bytes.length;
  },
  fromConnectHeader: (topic, _key, schema, value) => fromConnect(topic, schema, value),
  toConnectHeader: (topic, _key, bytes) => toConnect(topic, bytes),
};
const named = { name: "byte-array", classes: ["org.apache.kafka.connect.converters.ByteArrayConverter"], version: "4.1.0", config };
export const byteArrayConverter: ConverterPlugin = { kind: "converter", ...named, create: () => converter };
export const byteArrayHeaderConverter: HeaderConverterPlugin = { kind: "header-converter", ...named, create: () => converter };
