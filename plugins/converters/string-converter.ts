/** org.apache.kafka.connect.storage.StringConverter: values as text, both for keys, values and headers. */
import type { ConfigDef } from "#connect/api/config";
import { oneOf } from "#connect/api/config-checks";
import { parseConfig } from "#connect/api/config-parse";
import { ConnectError } from "#connect/api/errors";
import { javaToString } from "#connect/api/java-text";
import type { Converter, ConverterPlugin, HeaderConverter, HeaderConverterPlugin } from "#connect/api/plugin";
import type { RawConfig } from "#connect/api/config";
import { OPTIONAL_STRING, type Schema } from "#connect/api/schema";
import type { ConnectValue } from "#connect/api/value";
import { charset, type Charset } from "./charset.ts";

const config: ConfigDef = [
  {
    name: "converter.type",
    type: "STRING",
    importance: "LOW",
    doc: "Whether the converter serves keys, values or headers; the runtime sets it.",
    check: oneOf("key", "value", "header"),
  },
  {
    name: "converter.encoding",
    type: "STRING",
    default: "UTF-8",
    importance: "HIGH",
    doc: "Character set of the text, by its Java name.",
    displayName: "Encoding",
    width: "MEDIUM",
  },
];
/** `key.serializer.encoding` and its like go before `converter.encoding`, as Kafka's (de)serializers read them. */
function encodingFor(raw: RawConfig, kind: "key" | "value", side: "serializer" | "deserializer"): Charset {
  const name = raw[`${kind}.${side}.encoding`] ?? raw["converter.encoding"] ?? "UTF-8";
  const found = charset(name);
  if (found !== null) return found;
  throw new ConnectError(`Unsupported encoding ${name}`, {
    javaClass: "org.apache.kafka.common.errors.SerializationException",
    causeClass: "config",
    cause: new ConnectError(name, { javaClass: "java.nio.charset.UnsupportedCharsetException", causeClass: "config" }),
  });
}
export function createStringConverter(raw: RawConfig, kind: "key" | "value" | "header"): Converter & HeaderConverter {
  parseConfig(config, { "converter.type": kind, ...raw });
  const side = kind === "key" ? "key" : "value";
  const write = encodingFor(raw, side, "serializer"),
    read = encodingFor(raw, side, "deserializer");
  const fromConnect = (_topic: string, schema: Schema | null, value: ConnectValue): Uint8Array | null =>
    value === null ? null : write.encode(javaToString(value, schema));
  const toConnect = (_topic: string, bytes: Uint8Array | null) => ({
    schema: OPTIONAL_STRING,
    value: bytes === null ? null : read.decode(bytes),
  });
  return {
    fromConnect,
    toConnect,
    fromConnectHeader: (topic, _key, schema, value) => fromConnect(topic, schema, value),
    toConnectHeader: (topic, _key, bytes) => toConnect(topic, bytes),
  };
}
const named = { name: "string", classes: ["org.apache.kafka.connect.storage.StringConverter"], version: "4.1.0", config };
export const stringConverter: ConverterPlugin = {
  kind: "converter",
  ...named,
  create: (raw, isKey) => createStringConverter(raw, isKey ? "key" : "value"),
};
export const stringHeaderConverter: HeaderConverterPlugin = {
  kind: "header-converter",
  ...named,
  create: (raw) => createStringConverter(raw, "header"),
};
