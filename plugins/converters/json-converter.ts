/** org.apache.kafka.connect.json.JsonConverter: schemas and values as JSON, byte for byte what Kafka's writes. */
import { byteSink, type ByteSink } from "#connect/api/byte-sink";
import type { ConfigDef } from "#connect/api/config";
import { oneOf, oneOfIgnoringCase } from "#connect/api/config-checks";
import { booleanSetting, numberSetting, parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConnectError, DataError } from "#connect/api/errors";
import type { Converter, ConverterPlugin, HeaderConverterPlugin, SchemaAndValue } from "#connect/api/plugin";
import type { Schema } from "#connect/api/schema";
import type { ConnectValue } from "#connect/api/value";
import { appendBytes } from "./json/append.ts";
import { valueWriter, type ValueWriter } from "./json/compile.ts";
import { decodeValue } from "./json/decode.ts";
import { writeSchema, writeValue } from "./json/interpret.ts";
import type { JsonOptions } from "./json/options.ts";
import { JsonParser, JsonSyntaxError, type JsonNode } from "./json/parse.ts";
import { readSchema, readValue } from "./json/read.ts";

const config: ConfigDef = [
  {
    name: "converter.type",
    type: "STRING",
    importance: "LOW",
    doc: "Whether the converter serves keys, values or headers; the runtime sets it.",
    check: oneOf("key", "value", "header"),
  },
  {
    name: "schemas.enable",
    type: "BOOLEAN",
    default: true,
    importance: "HIGH",
    doc: "Write each value together with its schema, and expect both when reading.",
    group: "Schemas",
    displayName: "Enable Schemas",
    width: "MEDIUM",
    orderInGroup: 0,
  },
  {
    name: "schemas.cache.size",
    type: "INT",
    default: 1000,
    importance: "HIGH",
    doc: "How many schemas are kept in translated form.",
    group: "Schemas",
    displayName: "Schema Cache Size",
    width: "MEDIUM",
    orderInGroup: 1,
  },
  {
    name: "decimal.format",
    type: "STRING",
    default: "BASE64",
    importance: "LOW",
    doc: "How decimals are written: BASE64 (the unscaled bytes) or NUMERIC (a JSON number). Both are read.",
    check: oneOfIgnoringCase("NUMERIC", "BASE64"),
    group: "Serialization",
    displayName: "Decimal Format",
    width: "MEDIUM",
    orderInGroup: 0,
  },
  {
    name: "replace.null.with.default",
    type: "BOOLEAN",
    default: true,
    importance: "LOW",
    doc: "Write a field's default where the field is null; if false, write null.",
    group: "Serialization",
    displayName: "Replace null with default",
    width: "MEDIUM",
    orderInGroup: 1,
  },
];
const ENVELOPE =
  'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.';
const PAYLOAD_PREFIX = Buffer.from(',"payload":');
const CLOSE = Buffer.from("}");

/** Everything that is written before and for values of one schema. */
interface Compiled {
  readonly prefix: Uint8Array | null;
  readonly write: ValueWriter;
}
function compiledFor(schema: Schema | null, o: JsonOptions): Compiled {
  const write: ValueWriter = schema === null ? (value, out) => writeValue(out, null, value, o) : valueWriter(schema, o);
  if (!o.schemasEnable) return { prefix: null, write };
  const out = byteSink(1024);
  appendBytes(out, Buffer.from('{"schema":'));
  if (schema === null) appendBytes(out, Buffer.from("null"));
  else writeSchema(out, schema, o);
  appendBytes(out, PAYLOAD_PREFIX);
  return { prefix: Buffer.from(out.bytes.subarray(0, out.length)), write };
}
function readJson(bytes: Uint8Array): JsonNode | undefined {
  try {
    return new JsonParser(bytes).document();
  } catch (e) {
    if (!(e instanceof JsonSyntaxError)) throw e;
    const cause = new ConnectError(`com.fasterxml.jackson.core.JsonParseException: ${e.message}`, {
      javaClass: "org.apache.kafka.common.errors.SerializationException",
      causeClass: "data",
    });
    throw new DataError("Converting byte[] to Kafka Connect data failed due to serialization error: ", cause);
  }
}

function create(raw: Readonly<Record<string, string | null>>, isKey: boolean): Converter {
  const parsed = parseConfig(config, { "converter.type": isKey ? "key" : "value", ...raw });
  const o: JsonOptions = {
    schemasEnable: booleanSetting(parsed, "schemas.enable"),
    decimalNumeric: stringSetting(parsed, "decimal.format").toUpperCase() === "NUMERIC",
    replaceNullWithDefault: booleanSetting(parsed, "replace.null.with.default"),
  };
  const cacheSize = Math.max(1, numberSetting(parsed, "schemas.cache.size"));
  const cache = new Map<Schema | null, Compiled>();
  let lastSchema: Schema | null | undefined;
  let last: Compiled | undefined;
  const lookup = (schema: Schema | null): Compiled => {
    let found = cache.get(schema);
    if (found === undefined) {
      if (cache.size >= cacheSize) cache.delete(cache.keys().next().value ?? null);
      found = compiledFor(schema, o);
      cache.set(schema, found);
    }
    lastSchema = schema;
    last = found;
    return found;
  };
  const write = (_topic: string, schema: Schema | null, value: ConnectValue, out: ByteSink): number => {
    if (value === null && schema === null) return -1;
    const start = out.length;
    const compiled = schema === lastSchema && last !== undefined ? last : lookup(schema);
    if (compiled.prefix !== null) appendBytes(out, compiled.prefix);
    compiled.write(value, out);
    if (compiled.prefix !== null) appendBytes(out, CLOSE);
    return out.length - start;
  };
  const sink = byteSink();
  const fromConnect = (topic: string, schema: Schema | null, value: ConnectValue): Uint8Array | null => {
    sink.length = 0;
    return write(topic, schema, value, sink) < 0 ? null : Buffer.from(sink.bytes.subarray(0, sink.length));
  };
  return { fromConnect, write, toConnect: reader(o, cacheSize) };
}

interface Seen {
  /** The bytes of the schema in the topic's last record. */
  readonly text: Buffer;
  readonly schema: Schema | null;
}
const ENVELOPE_START = Buffer.from('{"schema":');

/** The envelope as JsonConverter itself writes it, with the topic's last schema; undefined: read it the long way. */
function readKnown(bytes: Buffer, seen: Seen, o: JsonOptions): SchemaAndValue | undefined {
  const from = ENVELOPE_START.length,
    end = from + seen.text.length,
    payload = end + PAYLOAD_PREFIX.length;
  if (bytes.length < payload || bytes.compare(seen.text, 0, seen.text.length, from, end) !== 0) return undefined;
  if (bytes.compare(ENVELOPE_START, 0, from, 0, from) !== 0 || bytes.compare(PAYLOAD_PREFIX, 0, PAYLOAD_PREFIX.length, end, payload) !== 0)
    return undefined;
  try {
    const parser = new JsonParser(bytes, payload);
    const value = seen.schema === null ? readValue(null, parser.value(), o) : decodeValue(parser, seen.schema, o);
    return parser.space() === 0x7d ? { schema: seen.schema, value } : undefined;
  } catch {
    // The long way tells what is wrong.
    return undefined;
  }
}
/** The schema's bytes in an envelope of exactly `schema` and `payload`, in this order and without spaces; null: another form. */
function schemaText(bytes: Buffer): Buffer | null {
  const from = ENVELOPE_START.length;
  if (bytes.length < from || bytes.compare(ENVELOPE_START, 0, from, 0, from) !== 0) return null;
  const parser = new JsonParser(bytes, from);
  parser.value();
  const end = parser.at;
  parser.at += PAYLOAD_PREFIX.length;
  if (bytes.length < parser.at || bytes.compare(PAYLOAD_PREFIX, 0, PAYLOAD_PREFIX.length, end, parser.at) !== 0) return null;
  parser.value();
  return parser.space() === 0x7d ? Buffer.from(bytes.subarray(from, end)) : null;
}
/** Schemas travel with every record and are nearly always the same bytes: their translation is kept by these bytes. */
function reader(o: JsonOptions, cacheSize: number): Converter["toConnect"] {
  const schemas = new Map<string, Schema | null>();
  const lastOf = new Map<string, Seen>();
  const schemaOf = (topic: string, bytes: Buffer, node: JsonNode): Schema | null => {
    const text = schemaText(bytes);
    if (text === null) return readSchema(node, o);
    const key = text.latin1Slice(0, text.length);
    let schema = schemas.get(key);
    if (schema === undefined) {
      schema = readSchema(node, o);
      if (schemas.size >= cacheSize) schemas.delete(schemas.keys().next().value ?? "");
      schemas.set(key, schema);
    }
    if (lastOf.size >= cacheSize) lastOf.clear();
    lastOf.set(topic, { text, schema });
    return schema;
  };
  return (topic, given) => {
    if (given === null) return { schema: null, value: null };
    const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    if (!o.schemasEnable) return { schema: null, value: readValue(null, readJson(bytes), o) };
    const seen = lastOf.get(topic);
    const known = seen === undefined ? undefined : readKnown(bytes, seen, o);
    if (known !== undefined) return known;
    const node = readJson(bytes);
    if (!(node instanceof Map) || node.size !== 2 || !node.has("schema") || !node.has("payload")) throw new DataError(ENVELOPE);
    const schema = schemaOf(topic, bytes, node.get("schema") ?? null);
    return { schema, value: readValue(schema, node.get("payload"), o) };
  };
}

export const jsonConverter: ConverterPlugin = {
  kind: "converter",
  name: "json",
  classes: ["org.apache.kafka.connect.json.JsonConverter"],
  version: "4.1.0",
  config,
  create,
};
/** The same bytes for headers; a header without value is a null schema and value. */
export const jsonHeaderConverter: HeaderConverterPlugin = {
  ...jsonConverter,
  kind: "header-converter",
  create: (raw) => {
    const converter = create(raw, false);
    return {
      fromConnectHeader: (topic, _key, schema, value) => converter.fromConnect(topic, schema, value),
      toConnectHeader: (topic, _key, bytes) => converter.toConnect(topic, bytes),
    };
  },
};
