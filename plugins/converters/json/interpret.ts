/**
 * Writes a value as JSON by walking its schema. The plain twin of compile.ts: used for schemaless values, for defaults,
 * where code generation is not allowed, and as the oracle in tests.
 */
import type { ByteSink } from "#connect/api/byte-sink";
import { ConnectError, DataError } from "#connect/api/errors";
import { doubleToString, floatToString, isList, isMap, javaClass, javaToString } from "#connect/api/java-text";
import { dateToDays, DAY_MS, decimalToBytes } from "#connect/api/logical";
import { sameSchema } from "#connect/api/same-schema";
import { DATE, DECIMAL, TIME, TIMESTAMP, type Schema, type SchemaType } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { Boxed, Decimal, type ConnectMap, type ConnectValue } from "#connect/api/value";
import { appendAscii, appendBase64, appendString, integer53, integer64 } from "./append.ts";
import type { JsonOptions } from "./options.ts";

export function appendInteger(out: ByteSink, value: number | bigint): void {
  out.reserve(21);
  out.length = typeof value === "bigint" ? integer64(out.bytes, out.length, value) : integer53(out.bytes, out.length, value);
}
/** As Jackson does, what JSON has no number for is written as a string. */
export function appendFloat(out: ByteSink, text: string, value: number): void {
  appendAscii(out, Number.isFinite(value) ? text : `"${text}"`);
}
const invalidType = (schema: Schema | null, value: ConnectValue): DataError =>
  new DataError(`Invalid type for ${schema === null ? "unknown schema" : schema.type}: ${javaClass(value)}`);

export function writeValue(out: ByteSink, schema: Schema | null, value: ConnectValue, o: JsonOptions): void {
  if (value === null) {
    writeNull(out, schema, o);
  } else if (schema === null) {
    writeSchemaless(out, value, o);
  } else if (!writeLogical(out, schema, value, o)) {
    writeByType(out, schema.type, schema, value, o);
  }
}
function writeNull(out: ByteSink, schema: Schema | null, o: JsonOptions): void {
  if (schema === null) return appendAscii(out, "null");
  if ((schema.default ?? null) !== null && o.replaceNullWithDefault) return writeValue(out, schema, schema.default ?? null, o);
  if (!schema.optional) throw new DataError("Conversion error: null value for field that is required and has no default value");
  appendAscii(out, "null");
}
/** False: the schema is no logical type that JsonConverter knows. */
function writeLogical(out: ByteSink, schema: Schema, value: ConnectValue, o: JsonOptions): boolean {
  switch (schema.name) {
    case null:
      return false;
    case DECIMAL:
      if (!(value instanceof Decimal))
        throw new DataError(`Invalid type for Decimal, expected BigDecimal but was ${javaClass(value, schema)}`);
      if (o.decimalNumeric) appendAscii(out, value.toString());
      else appendBase64(out, decimalToBytes(schema, value));
      return true;
    case DATE:
      appendInteger(out, dateToDays(asDate("Date", schema, value)));
      return true;
    case TIME: {
      const ms = asDate("Time", schema, value).getTime();
      if (ms < 0 || ms > DAY_MS) throw new DataError("Kafka Connect Time type should not have any date fields set to non-zero values.");
      appendInteger(out, ms);
      return true;
    }
    case TIMESTAMP:
      appendInteger(out, asDate("Timestamp", schema, value).getTime());
      return true;
    default:
      return false;
  }
}
function asDate(type: string, schema: Schema, value: ConnectValue): Date {
  if (value instanceof Date) return value;
  throw new DataError(`Invalid type for ${type}, expected Date but was ${javaClass(value, schema)}`);
}
function writeByType(out: ByteSink, type: SchemaType, schema: Schema, value: ConnectValue, o: JsonOptions): void {
  switch (type) {
    case "INT8":
    case "INT16":
    case "INT32":
      if (typeof value !== "number") throw invalidType(schema, value);
      return appendInteger(out, Math.trunc(value));
    case "INT64":
      if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) return appendInteger(out, value);
      throw invalidType(schema, value);
    case "FLOAT32":
      if (typeof value !== "number") throw invalidType(schema, value);
      return appendFloat(out, floatToString(value), value);
    case "FLOAT64":
      if (typeof value !== "number") throw invalidType(schema, value);
      return appendFloat(out, doubleToString(value), value);
    case "BOOLEAN":
      if (typeof value !== "boolean") throw invalidType(schema, value);
      return appendAscii(out, value ? "true" : "false");
    case "STRING":
      if (typeof value !== "string") throw invalidType(schema, value);
      return appendString(out, value);
    case "BYTES":
      if (!(value instanceof Uint8Array)) throw new DataError(`Invalid type for bytes type: ${javaClass(value)}`);
      return appendBase64(out, value);
    case "ARRAY":
      if (!isList(value)) throw invalidType(schema, value);
      return writeList(out, schema.valueSchema, value, o);
    case "MAP":
      if (!isMap(value)) throw invalidType(schema, value);
      return writeMap(out, schema, value, o);
    case "STRUCT":
      if (!(value instanceof Struct)) throw invalidType(schema, value);
      return writeStruct(out, schema, value, o);
  }
}
function writeSchemaless(out: ByteSink, value: ConnectValue, o: JsonOptions): void {
  switch (typeof value) {
    case "string":
      return appendString(out, value);
    case "boolean":
      return appendAscii(out, value ? "true" : "false");
    case "bigint":
      return appendInteger(out, value);
    case "number":
      return appendFloat(out, doubleToString(value), value);
    default:
  }
  if (value instanceof Boxed && value.type !== "bigint") {
    const n = Number(value.value);
    return value.type === "float32" ? appendFloat(out, floatToString(n), n) : appendInteger(out, n);
  }
  if (value instanceof Uint8Array) return appendBase64(out, value);
  if (isMap(value)) return writeMap(out, null, value, o);
  if (isList(value)) return writeList(out, null, value, o);
  if (value instanceof Struct) return writeStruct(out, value.schema, value, o);
  throw new DataError(`Java class ${javaClass(value)} does not have corresponding schema type.`);
}
function writeList(out: ByteSink, schema: Schema | null, list: readonly ConnectValue[], o: JsonOptions): void {
  let separator = "[";
  for (const item of list) {
    appendAscii(out, separator);
    separator = ",";
    writeValue(out, schema, item, o);
  }
  appendAscii(out, list.length === 0 ? "[]" : "]");
}
/** String keys make an object, all others an array of pairs. */
function writeMap(out: ByteSink, schema: Schema | null, map: ConnectMap, o: JsonOptions): void {
  const asObject = schema === null ? everyKeyIsString(map) : schema.keySchema?.type === "STRING";
  const keySchema = schema?.keySchema ?? null,
    valueSchema = schema?.valueSchema ?? null;
  appendAscii(out, asObject ? "{" : "[");
  let first = true;
  for (const [key, value] of map) {
    if (!first) appendAscii(out, ",");
    first = false;
    if (asObject) {
      // A key that is no string is a broken map; its text is what Jackson's asText gives.
      appendString(out, typeof key === "string" ? key : javaToString(key, keySchema));
      appendAscii(out, ":");
      writeValue(out, valueSchema, value, o);
    } else {
      appendAscii(out, "[");
      writeValue(out, keySchema, key, o);
      appendAscii(out, ",");
      writeValue(out, valueSchema, value, o);
      appendAscii(out, "]");
    }
  }
  appendAscii(out, asObject ? "}" : "]");
}
function everyKeyIsString(map: ConnectMap): boolean {
  for (const key of map.keys()) if (typeof key !== "string") return false;
  return true;
}
export function writeStruct(out: ByteSink, schema: Schema, struct: Struct, o: JsonOptions): void {
  if (struct.schema !== schema && !sameSchema(struct.schema, schema)) throw new DataError("Mismatching schema.");
  let separator = "{";
  for (const field of schema.fields) {
    appendAscii(out, separator);
    separator = ",";
    appendString(out, field.name);
    appendAscii(out, ":");
    writeValue(out, field.schema, struct.at(field.index), o);
  }
  appendAscii(out, schema.fields.length === 0 ? "{}" : "}");
}

const TYPE_NAMES: Readonly<Record<SchemaType, string>> = {
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FLOAT32: "float",
  FLOAT64: "double",
  BOOLEAN: "boolean",
  STRING: "string",
  BYTES: "bytes",
  ARRAY: "array",
  MAP: "map",
  STRUCT: "struct",
};
/** The schema's own JSON; `field` is the name under which it stands in a struct. */
export function writeSchema(out: ByteSink, schema: Schema, o: JsonOptions, field: string | null = null): void {
  appendAscii(out, `{"type":"${TYPE_NAMES[schema.type]}"`);
  if (schema.type === "ARRAY" || schema.type === "MAP") {
    if (schema.keySchema !== null) {
      appendAscii(out, ',"keys":');
      writeSchema(out, schema.keySchema, o);
    }
    if (schema.valueSchema === null) throw new ConnectError(`schema ${schema.type} without element type`);
    appendAscii(out, schema.type === "MAP" ? ',"values":' : ',"items":');
    writeSchema(out, schema.valueSchema, o);
  } else if (schema.type === "STRUCT") {
    appendAscii(out, ',"fields":[');
    schema.fields.forEach((f, i) => {
      if (i > 0) appendAscii(out, ",");
      writeSchema(out, f.schema, o, f.name);
    });
    appendAscii(out, "]");
  }
  appendAscii(out, `,"optional":${schema.optional}`);
  if (schema.name !== null) appendMember(out, "name", schema.name);
  if (schema.version !== null) appendAscii(out, `,"version":${schema.version}`);
  if (schema.doc !== null) appendMember(out, "doc", schema.doc);
  if (schema.parameters !== null) {
    let separator = ',"parameters":{';
    for (const [key, value] of Object.entries(schema.parameters)) {
      appendAscii(out, separator);
      separator = ",";
      appendString(out, key);
      appendAscii(out, ":");
      appendString(out, value);
    }
    appendAscii(out, separator === "," ? "}" : `${separator}}`);
  }
  if ((schema.default ?? null) !== null) {
    appendAscii(out, ',"default":');
    writeValue(out, schema, schema.default ?? null, o);
  }
  if (field !== null) appendMember(out, "field", field);
  appendAscii(out, "}");
}
function appendMember(out: ByteSink, name: string, text: string): void {
  appendAscii(out, `,"${name}":`);
  appendString(out, text);
}
