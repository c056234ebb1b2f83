/** Schema and value inferred from a JSON document, as Debezium's outbox router expands payloads. */
import { JsonFloat, nodeType, type JsonNode } from "../converters/json/parse.ts";
import { ConnectError, DataError } from "#connect/api/errors";
import { sameSchema } from "#connect/api/same-schema";
import {
  arrayOf,
  OPTIONAL_BOOLEAN,
  OPTIONAL_BYTES,
  OPTIONAL_FLOAT64,
  OPTIONAL_INT32,
  OPTIONAL_INT64,
  OPTIONAL_STRING,
  type Schema,
  type SchemaType,
} from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";

/** What a null becomes: nothing, or a field of optional bytes. */
export type NullBehavior = "ignore" | "optional_bytes";

const shown = (node: JsonNode): string =>
  node instanceof JsonFloat ? node.text : node === null || typeof node === "object" ? "" : String(node);

export function inferredSchema(key: string | null, node: JsonNode, nulls: NullBehavior): Schema | null {
  if (node === null) return nulls === "optional_bytes" ? OPTIONAL_BYTES : null;
  if (typeof node === "string") return OPTIONAL_STRING;
  if (typeof node === "boolean") return OPTIONAL_BOOLEAN;
  if (typeof node === "number") return (node | 0) === node ? OPTIONAL_INT32 : OPTIONAL_INT64;
  if (typeof node === "bigint") return BigInt.asIntN(64, node) === node ? OPTIONAL_INT64 : OPTIONAL_FLOAT64;
  if (node instanceof JsonFloat) return OPTIONAL_FLOAT64;
  if (Array.isArray(node)) return node.length === 0 ? null : arrayOf(elementSchema(key, node, nulls), { optional: true });
  const builder = new StructBuilder();
  for (const [name, value] of node) {
    const path = key === null || key.trim() === "" ? name : `${key}.${name}`;
    const schema = inferredSchema(path, value, nulls);
    if (schema !== null && !builder.has(name)) builder.field(name, schema);
  }
  return builder.build({ name: key, optional: true });
}
function elementSchema(key: string | null, items: readonly JsonNode[], nulls: NullBehavior): Schema {
  const sample = firstElement(items, nulls);
  if (sample instanceof Map) {
    const schemas: Schema[] = [];
    for (const item of items) {
      const schema = item instanceof Map ? inferredSchema(key, item, nulls) : null;
      if (schema !== null && !schemas.some((s) => sameSchema(s, schema))) schemas.push(schema);
    }
    const [only, ...others] = schemas;
    return others.length === 0 && only !== undefined ? only : schemas.reduce(merged);
  }
  const schema = inferredSchema(null, sample, nulls);
  if (schema === null) throw new ConnectError("Array '' has unrecognized member schema.", { causeClass: "data" });
  return schema;
}
/** The first element that is not null; all others have to be of its kind. */
function firstElement(items: readonly JsonNode[], nulls: NullBehavior): JsonNode {
  let first: JsonNode = null;
  for (const item of items) {
    if (item === null) continue;
    first ??= item;
    if (nodeType(item) !== nodeType(first))
      throw new ConnectError(`Field is not a homogenous array (${shown(first)} x ${nodeType(item)}).`, { causeClass: "data" });
    if (nodeType(first) !== "NUMBER") continue;
    const a = inferredSchema(null, first, nulls),
      b = inferredSchema(null, item, nulls);
    if (a === b) continue;
    const types = `different number types (Schema{${a?.type ?? ""}} x Schema{${b?.type ?? ""}})`;
    throw new ConnectError(`Field is not a homogenous array (${shown(first)} x ${shown(item)}), ${types}`, { causeClass: "data" });
  }
  return first;
}
function merged(left: Schema, right: Schema): Schema {
  const fields = new Map(right.fields.map((f) => [f.name, f.schema] as const));
  for (const f of left.fields) {
    const other = fields.get(f.name);
    if (other === undefined || f.schema.type !== "BYTES") fields.set(f.name, f.schema);
  }
  const builder = new StructBuilder();
  for (const [name, schema] of fields) builder.field(name, schema);
  return builder.build(basicsOf(left));
}
const FITS: Readonly<Record<string, readonly SchemaType[]>> = {
  STRING: ["STRING"],
  BOOLEAN: ["BOOLEAN"],
  NUMBER: ["INT32", "INT64", "FLOAT64"],
  ARRAY: ["ARRAY"],
  OBJECT: ["STRUCT"],
};
/** Throws where the structs of an array do not agree about a field. */
export function inferredValue(node: JsonNode | undefined, schema: Schema): ConnectValue {
  if (node === undefined || node === null) return null;
  if (FITS[nodeType(node)]?.includes(schema.type) !== true)
    throw new DataError(`a ${nodeType(node)} stands where another record of the array has ${schema.type}`);
  if (Array.isArray(node)) {
    const element = schema.valueSchema;
    return element === null ? [] : node.map((item) => inferredValue(item, element));
  }
  if (node instanceof Map) {
    return new Struct(
      schema,
      schema.fields.map((f) => inferredValue(node.get(f.name), f.schema)),
    );
  }
  if (node instanceof JsonFloat) return node.value;
  if (typeof node === "number" || typeof node === "bigint") return schema.type === "INT64" ? BigInt(node) : Number(node);
  return node;
}
