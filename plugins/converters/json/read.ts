/** From JSON nodes to schemas and values, with the coercions of Kafka's JsonConverter. */
import { DataError, SchemaBuilderError } from "#connect/api/errors";
import { bytesToDecimal, DAY_MS, daysToDate } from "#connect/api/logical";
import { arrayOf, DATE, DECIMAL, mapOf, primitive, TIME, TIMESTAMP, withOptions, type Schema, type SchemaType } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import { validateValue } from "#connect/api/validate-value";
import { Decimal, type ConnectValue } from "#connect/api/value";
import { JsonFloat, nodeType, type JsonNode } from "./parse.ts";
import type { JsonOptions } from "./options.ts";

const PRIMITIVES: Readonly<Record<string, Exclude<SchemaType, "ARRAY" | "MAP" | "STRUCT">>> = {
  boolean: "BOOLEAN",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  float: "FLOAT32",
  double: "FLOAT64",
  bytes: "BYTES",
  string: "STRING",
};

export function readSchema(node: JsonNode, o: JsonOptions): Schema | null {
  if (node === null) return null;
  const object = node instanceof Map ? node : new Map<string, JsonNode>();
  const type = object.get("type");
  if (typeof type !== "string") throw new DataError("Schema must contain 'type' field");
  const plain = PRIMITIVES[type];
  let schema: Schema;
  if (plain !== undefined) schema = primitive(plain);
  else if (type === "array") schema = arrayOf(element(object.get("items"), "Array schema did not specify the element type", o));
  else if (type === "map") {
    const keys = element(object.get("keys"), "Map schema did not specify the key type", o);
    schema = mapOf(keys, element(object.get("values"), "Map schema did not specify the value type", o));
  } else if (type === "struct") schema = structSchema(object.get("fields"), o);
  else throw new DataError(`Unknown schema type: ${type}`);
  return withProperties(schema, object, o);
}
function element(node: JsonNode | undefined, complaint: string, o: JsonOptions): Schema {
  const schema = node === undefined ? null : readSchema(node, o);
  if (schema === null) throw new DataError(complaint);
  return schema;
}
function structSchema(fields: JsonNode | undefined, o: JsonOptions): Schema {
  if (!Array.isArray(fields)) throw new DataError('Struct schema\'s "fields" argument is not an array.');
  const builder = new StructBuilder();
  for (const field of fields) {
    const name = field instanceof Map ? field.get("field") : undefined;
    if (typeof name !== "string") throw new DataError("Struct schema's field name not specified properly");
    const schema = readSchema(field, o);
    if (schema !== null) builder.field(name, schema);
  }
  return builder.build();
}
function withProperties(schema: Schema, object: ReadonlyMap<string, JsonNode>, o: JsonOptions): Schema {
  const name = object.get("name"),
    version = object.get("version"),
    doc = object.get("doc"),
    parameters = object.get("parameters"),
    fallback = object.get("default");
  let read: Record<string, string> | null = null;
  if (parameters instanceof Map) {
    for (const [key, value] of parameters) {
      if (typeof value !== "string") throw new DataError("Schema parameters must have string values.");
      read ??= {};
      read[key] = value;
    }
  }
  const described = withOptions(schema, {
    optional: object.get("optional") === true,
    name: typeof name === "string" ? name : null,
    version: typeof version === "number" || typeof version === "bigint" ? Number(BigInt.asIntN(32, BigInt(version))) : null,
    doc: typeof doc === "string" ? doc : null,
    parameters: read,
  });
  if (fallback === undefined) return described;
  const value = readValue(described, fallback, o);
  if (value === null) return described;
  try {
    validateValue(described, value);
  } catch {
    throw new SchemaBuilderError("Invalid default value");
  }
  return withOptions(described, { default: value });
}

export function readValue(schema: Schema | null, node: JsonNode | undefined, o: JsonOptions): ConnectValue {
  if (schema === null) return schemaless(node);
  if (node === undefined || node === null) {
    if ((schema.default ?? null) !== null && o.replaceNullWithDefault) return schema.default ?? null;
    if (schema.optional) return null;
    throw new DataError(`Invalid null value for required ${schema.type} field`);
  }
  if (schema.name !== null) {
    const logical = readLogical(schema, node);
    if (logical !== undefined) return logical;
  }
  return readByType(schema, node, o);
}
function schemaless(node: JsonNode | undefined): ConnectValue {
  if (node === undefined || node === null) return null;
  if (typeof node === "number") return BigInt(node);
  if (typeof node === "bigint") return BigInt.asIntN(64, node);
  if (typeof node !== "object") return node;
  if (node instanceof JsonFloat) return node.value;
  if (Array.isArray(node)) return node.map(schemaless);
  const map = new Map<ConnectValue, ConnectValue>();
  for (const [key, value] of node) map.set(key, schemaless(value));
  return map;
}
const isIntegral = (node: JsonNode): node is number | bigint => typeof node === "number" || typeof node === "bigint";

/** undefined: no logical type that the converter knows. */
function readLogical(schema: Schema, node: JsonNode): ConnectValue | undefined {
  switch (schema.name) {
    case DECIMAL:
      return readDecimal(schema, node);
    case DATE:
    case TIME: {
      const type = schema.name === DATE ? "Date" : "Time";
      if (typeof node !== "number" || (node | 0) !== node)
        throw new DataError(`Invalid type for ${type}, underlying representation should be integer but was ${nodeType(node)}`);
      if (type === "Time" && (node < 0 || node > DAY_MS))
        throw new DataError(`Time values must use number of milliseconds greater than 0 and less than ${DAY_MS}`);
      return type === "Date" ? daysToDate(node) : new Date(node);
    }
    case TIMESTAMP:
      if (!isIntegral(node))
        throw new DataError(`Invalid type for Timestamp, underlying representation should be integral but was ${nodeType(node)}`);
      return new Date(Number(BigInt.asIntN(64, BigInt(node))));
    default:
      return undefined;
  }
}
function readDecimal(schema: Schema, node: JsonNode): Decimal {
  if (isIntegral(node)) return new Decimal(BigInt(node), 0);
  if (node instanceof JsonFloat) return Decimal.parse(node.text) ?? new Decimal(0n, 0);
  if (typeof node !== "string")
    throw new DataError(`Invalid type for Decimal, underlying representation should be numeric or bytes but was ${nodeType(node)}`);
  try {
    return bytesToDecimal(schema, decodeBase64(node));
  } catch (e) {
    throw new DataError("Invalid bytes for Decimal field", e);
  }
}
function decodeBase64(text: string): Uint8Array {
  const bad = /[^A-Za-z0-9+/=\s]/.exec(text);
  if (bad !== null) throw new DataError(`Illegal character '${bad[0]}' (code 0x${bad[0].charCodeAt(0).toString(16)}) in base64 content`);
  if (text.replace(/[\s]/g, "").length % 4 !== 0)
    throw new DataError("Unexpected end of base64-encoded String: base64 variant 'MIME-NO-LINEFEEDS' expects padding");
  return Buffer.from(text, "base64");
}
/** JsonNode.intValue and longValue: fractions are cut, other types give 0, the rest wraps. */
function integerOf(node: JsonNode, bits: number): bigint {
  if (isIntegral(node)) return BigInt.asIntN(bits, BigInt(node));
  if (!(node instanceof JsonFloat)) return 0n;
  const decimal = Decimal.parse(node.text);
  if (decimal === null) return 0n;
  const scaled =
    decimal.scale > 0
      ? decimal.unscaled / 10n ** BigInt(Math.min(decimal.scale, 5000))
      : decimal.unscaled * 10n ** BigInt(Math.min(-decimal.scale, 5000));
  return BigInt.asIntN(bits, scaled);
}
function int32Of(node: JsonNode): number {
  return typeof node === "number"
    ? node > 0x7fffffff || node < -0x80000000
      ? Number(BigInt.asIntN(32, BigInt(node)))
      : node
    : Number(integerOf(node, 32));
}
function doubleOf(node: JsonNode): number {
  if (isIntegral(node)) return Number(node);
  return node instanceof JsonFloat ? node.value : 0;
}
function readByType(schema: Schema, node: JsonNode, o: JsonOptions): ConnectValue {
  switch (schema.type) {
    case "BOOLEAN":
      return node === true;
    case "INT8":
      return (int32Of(node) << 24) >> 24;
    case "INT16":
      return (int32Of(node) << 16) >> 16;
    case "INT32":
      return int32Of(node);
    case "INT64":
      return typeof node === "number" ? BigInt(node) : integerOf(node, 64);
    case "FLOAT32":
      return Math.fround(doubleOf(node));
    case "FLOAT64":
      return doubleOf(node);
    case "STRING":
      return typeof node === "string" ? node : null;
    case "BYTES":
      if (typeof node !== "string") return null;
      try {
        return decodeBase64(node);
      } catch (e) {
        throw new DataError("Invalid bytes field", e);
      }
    case "ARRAY": {
      const items = Array.isArray(node) ? node : node instanceof Map ? Array.from(node.values()) : [];
      return items.map((item) => readValue(schema.valueSchema, item, o));
    }
    case "MAP":
      return readMap(schema, node, o);
    case "STRUCT":
      return readStruct(schema, node, o);
  }
}
function readMap(schema: Schema, node: JsonNode, o: JsonOptions): ConnectValue {
  const map = new Map<ConnectValue, ConnectValue>();
  if (schema.keySchema === null || schema.keySchema.type === "STRING") {
    if (!(node instanceof Map))
      throw new DataError(`Maps with string fields should be encoded as JSON objects, but found ${nodeType(node)}`);
    for (const [key, value] of node) map.set(key, readValue(schema.valueSchema, value, o));
    return map;
  }
  if (!Array.isArray(node))
    throw new DataError(`Maps with non-string fields should be encoded as JSON array of tuples, but found ${nodeType(node)}`);
  for (const entry of node) {
    if (!Array.isArray(entry)) throw new DataError(`Found invalid map entry instead of array tuple: ${nodeType(entry)}`);
    if (entry.length !== 2) throw new DataError(`Found invalid map entry, expected length 2 but found :${entry.length}`);
    map.set(readValue(schema.keySchema, entry[0], o), readValue(schema.valueSchema, entry[1], o));
  }
  return map;
}
function readStruct(schema: Schema, node: JsonNode, o: JsonOptions): ConnectValue {
  if (!(node instanceof Map)) throw new DataError(`Structs should be encoded as JSON objects, but found ${nodeType(node)}`);
  const slots = new Array<ConnectValue>(schema.fields.length).fill(null);
  for (const field of schema.fields) {
    const value = readValue(field.schema, node.get(field.name), o);
    // Text that is no text, bytes that are none: Struct.put refuses them.
    if (value === null && !field.schema.optional) validateValue(field.schema, value, `field: "${field.name}"`);
    slots[field.index] = value;
  }
  return new Struct(schema, slots);
}
