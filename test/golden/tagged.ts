/** The recorded form of schemas, values and records (tagged JSON) and our own values, both ways. */
import { floatToString, isList, isMap } from "#connect/api/java-text";
import { isSinkRecord, type ConnectRecord } from "#connect/api/record";
import { arrayOf, mapOf, primitive, structOf, withOptions, type Schema, type SchemaType } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { Boxed, Decimal, type ConnectValue } from "#connect/api/value";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonRecord = { readonly [key: string]: Json };

export function objectOf(json: Json | undefined): JsonRecord {
  if (typeof json === "object" && json !== null && !isArray(json)) return json;
  throw new Error(`not an object: ${JSON.stringify(json)}`);
}
export const isArray = (json: Json | undefined): json is readonly Json[] => Array.isArray(json);
const arrayIn = (json: Json | undefined): readonly Json[] => (isArray(json) ? json : []);
/** A text or number as text. */
export function textOf(json: Json | undefined): string {
  if (typeof json === "string" || typeof json === "number" || typeof json === "boolean") return String(json);
  throw new Error(`not a text: ${JSON.stringify(json)}`);
}
export const textOrNull = (json: Json | undefined): string | null => (typeof json === "string" ? json : null);

export function schemaFrom(json: Json | undefined): Schema | null {
  if (json === null || json === undefined) return null;
  if (typeof json === "string") return primitive(json.toUpperCase() === "INT32" ? "INT32" : "STRING");
  const o = objectOf(json);
  const type = o["type"] as SchemaType;
  let schema: Schema;
  if (type === "STRUCT")
    schema = structOf(arrayIn(o["fields"]).map((f) => [textOf(objectOf(f)["name"]), required(objectOf(f)["schema"])] as const));
  else if (type === "MAP") schema = mapOf(required(o["keySchema"]), required(o["valueSchema"]));
  else if (type === "ARRAY") schema = arrayOf(required(o["valueSchema"]));
  else schema = primitive(type);
  const parameters = o["parameters"];
  const described = withOptions(schema, {
    optional: o["optional"] === true,
    name: textOrNull(o["name"]),
    version: typeof o["version"] === "number" ? o["version"] : null,
    doc: textOrNull(o["doc"]),
    parameters: parameters === undefined ? null : (objectOf(parameters) as Record<string, string>),
  });
  return o["default"] === undefined ? described : withOptions(described, { default: valueFrom(o["default"], described) });
}
function required(json: Json | undefined): Schema {
  const schema = schemaFrom(json);
  if (schema === null) throw new Error("schema expected");
  return schema;
}
const TAG_TYPES: Readonly<Record<string, SchemaType>> = { int8: "INT8", int16: "INT16", int32: "INT32", float32: "FLOAT32" };
const numberFrom = (v: Json | undefined): number => Number(v);

export function valueFrom(json: Json | undefined, schema: Schema | null): ConnectValue {
  if (json === null || json === undefined) return null;
  if (typeof json !== "object") return json;
  const [tag, v] = Object.entries(objectOf(json))[0] ?? ["", null];
  switch (tag) {
    case "int8":
    case "int16":
    case "int32":
      return schema?.type === TAG_TYPES[tag] ? numberFrom(v) : new Boxed(tag, numberFrom(v));
    case "float32":
      return schema?.type === "FLOAT32" ? Math.fround(numberFrom(v)) : new Boxed("float32", Math.fround(numberFrom(v)));
    case "float64":
      return numberFrom(v);
    case "int64":
      return BigInt(textOf(v));
    case "decimal":
      return Decimal.parse(textOf(v));
    case "bigint":
      return new Boxed("bigint", BigInt(textOf(v)));
    case "bytes":
      return Buffer.from(textOf(v), "base64");
    case "date":
      return new Date(numberFrom(v));
    case "list":
      return arrayIn(v).map((x) => valueFrom(x, schema?.valueSchema ?? null));
    case "map":
      return new Map(
        arrayIn(v).map(
          (e) => [valueFrom(arrayIn(e)[0], schema?.keySchema ?? null), valueFrom(arrayIn(e)[1], schema?.valueSchema ?? null)] as const,
        ),
      );
    case "struct": {
      if (schema === null) throw new Error("struct without schema");
      const given = objectOf(v);
      return new Struct(
        schema,
        schema.fields.map((f) => valueFrom(given[f.name], f.schema)),
      );
    }
    default:
      throw new Error(`unknown tag ${tag}`);
  }
}

export function schemaTo(schema: Schema | null): Json {
  if (schema === null) return null;
  return {
    type: schema.type,
    optional: schema.optional,
    ...(schema.name === null ? {} : { name: schema.name }),
    ...(schema.version === null ? {} : { version: schema.version }),
    ...(schema.doc === null ? {} : { doc: schema.doc }),
    ...((schema.default ?? null) === null ? {} : { default: valueTo(schema.default ?? null, schema) }),
    ...(schema.parameters === null ? {} : { parameters: schema.parameters }),
    ...(schema.type === "STRUCT" ? { fields: schema.fields.map((f) => ({ name: f.name, schema: schemaTo(f.schema) })) } : {}),
    ...(schema.type === "ARRAY" || schema.type === "MAP" ? { valueSchema: schemaTo(schema.valueSchema) } : {}),
    ...(schema.type === "MAP" ? { keySchema: schemaTo(schema.keySchema) } : {}),
  };
}
const finite = (v: number, text: string): Json => (Number.isFinite(v) ? { [text]: v } : { [text]: String(v) });
const float32 = (v: number): Json => (Number.isFinite(v) ? { float32: Number(floatToString(v)) } : { float32: String(v) });

export function valueTo(value: ConnectValue, schema: Schema | null): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return { int64: String(value) };
  if (typeof value === "number") {
    switch (schema?.type) {
      case "INT8":
      case "INT16":
      case "INT32":
        return { [schema.type.toLowerCase()]: value };
      case "INT64":
        return { int64: String(value) };
      case "FLOAT32":
        return float32(value);
      default:
        return finite(value, "float64");
    }
  }
  if (value instanceof Boxed) {
    if (value.type === "float32") return float32(Number(value.value));
    return value.type === "bigint" ? { bigint: String(value.value) } : { [value.type]: Number(value.value) };
  }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("base64") };
  if (value instanceof Decimal) return { decimal: value.toPlainString() };
  if (value instanceof Date) return { date: value.getTime() };
  if (value instanceof Struct)
    return { struct: Object.fromEntries(value.schema.fields.map((f) => [f.name, valueTo(value.at(f.index), f.schema)])) };
  if (isMap(value))
    return { map: Array.from(value, ([k, v]) => [valueTo(k, schema?.keySchema ?? null), valueTo(v, schema?.valueSchema ?? null)]) };
  return { list: isList(value) ? value.map((v) => valueTo(v, schema?.valueSchema ?? null)) : [] };
}

export function recordFrom(json: Json | undefined): ConnectRecord {
  const r = objectOf(json);
  const part = (name: string) => {
    const side = r[name] === undefined || r[name] === null ? {} : objectOf(r[name]);
    const schema = schemaFrom(side["schema"]);
    return { schema, value: valueFrom(side["value"], schema) };
  };
  const key = part("key"),
    value = part("value");
  const fields = {
    topic: textOf(r["topic"]),
    keySchema: key.schema,
    key: key.value,
    valueSchema: value.schema,
    value: value.value,
    timestamp: typeof r["timestamp"] === "number" ? r["timestamp"] : null,
    headers: arrayIn(r["headers"]).map((h) => {
      const o = objectOf(h);
      const schema = schemaFrom(o["schema"]);
      return { key: textOf(o["key"]), schema, value: valueFrom(o["value"], schema) };
    }),
  };
  const partition = typeof r["partition"] === "number" ? r["partition"] : null;
  if (r["recordType"] !== "sink") return { ...fields, partition, sourcePartition: {}, sourceOffset: {} };
  const offset = Number(r["offset"] ?? 0);
  const at = partition ?? 0;
  return {
    ...fields,
    partition: at,
    offset,
    timestampType: "CREATE_TIME",
    originalTopic: fields.topic,
    originalPartition: at,
    originalOffset: offset,
  };
}
export function recordTo(r: ConnectRecord): Json {
  return {
    recordType: isSinkRecord(r) ? "sink" : "source",
    topic: r.topic,
    partition: r.partition,
    key: { schema: schemaTo(r.keySchema), value: valueTo(r.key, r.keySchema) },
    value: { schema: schemaTo(r.valueSchema), value: valueTo(r.value, r.valueSchema) },
    timestamp: r.timestamp,
    headers: r.headers.map((h) => ({ key: h.key, schema: schemaTo(h.schema), value: valueTo(h.value, h.schema) })),
    ...(isSinkRecord(r) ? { offset: r.offset } : {}),
  };
}
