/** What a script answers, put back into the types of the record: what it left alone stays the very value that it was. */
import { DataError } from "#connect/api/errors";
import { OPTIONAL_BOOLEAN, OPTIONAL_FLOAT64, OPTIONAL_INT64, OPTIONAL_STRING, type Schema, structOf } from "#connect/api/schema";
import { basicsOf } from "#connect/api/struct-builder";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { LONG, type Plain, plainValue } from "./scripting.ts";

export interface Typed {
  readonly schema: Schema | null;
  readonly value: ConnectValue;
}
type PlainObject = { readonly [key: string]: Plain };
const isObject = (v: Plain | undefined): v is PlainObject => typeof v === "object" && v !== null && !Array.isArray(v);
const longOf = (v: Plain): bigint | null => (isObject(v) && typeof v[LONG] === "string" ? BigInt(v[LONG]) : null);
const same = (a: Plain, b: Plain): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Without a schema: objects become maps, whole numbers int64. */
function untyped(v: Plain): ConnectValue {
  const long = longOf(v);
  if (long !== null) return long;
  if (typeof v === "number") return Number.isSafeInteger(v) ? BigInt(v) : v;
  if (v === null || typeof v === "string" || typeof v === "boolean") return v;
  if (isObject(v)) return new Map(Object.entries(v).map(([key, each]) => [key, untyped(each)] as const));
  return (v as readonly Plain[]).map(untyped);
}
/** The schema of a field that a script has added. */
function inferred(v: Plain, name: string): Schema {
  if (typeof v === "boolean") return OPTIONAL_BOOLEAN;
  if (typeof v === "string" || v === null) return OPTIONAL_STRING;
  if (longOf(v) !== null || Number.isSafeInteger(v)) return OPTIONAL_INT64;
  if (typeof v === "number") return OPTIONAL_FLOAT64;
  throw new DataError(`The script added ${name} with an object or list, which a record with a schema cannot take`);
}
function typed(schema: Schema, v: Plain, where: string): ConnectValue {
  if (v === null) return null;
  const refuse = (): DataError =>
    new DataError(`The script answered ${JSON.stringify(v)} for ${where}, which is ${schema.name ?? schema.type}`);
  if (schema.name !== null) throw refuse();
  switch (schema.type) {
    case "STRING":
      if (typeof v === "string") return v;
      break;
    case "BOOLEAN":
      if (typeof v === "boolean") return v;
      break;
    case "INT64": {
      const long = longOf(v);
      if (long !== null) return long;
      if (Number.isSafeInteger(v)) return BigInt(Number(v));
      break;
    }
    case "INT8":
    case "INT16":
    case "INT32": {
      const bits = Number(schema.type.slice(3));
      if (typeof v === "number" && Number.isInteger(v) && Math.abs(v + 0.5) < 2 ** (bits - 1)) return v;
      break;
    }
    case "FLOAT32":
    case "FLOAT64":
      if (typeof v === "number") return v;
      break;
    default:
  }
  throw refuse();
}

/** One script's answers. Schemas that it makes are kept, because converters compile per schema. */
export class ScriptValues {
  readonly #made = new Map<Schema, Map<string, Schema>>();

  /** Throws DataError for what does not fit. */
  restored(before: Typed, after: Plain, where: string): Typed {
    const { schema, value } = before;
    if (same(plainValue(value), after)) return before;
    if (schema === null) return { schema, value: untyped(after) };
    if (schema.type !== "STRUCT" || !isObject(after)) return { schema, value: typed(schema, after, where) };
    return this.#struct(schema, value instanceof Struct ? value : null, after, where);
  }
  #struct(schema: Schema, before: Struct | null, after: PlainObject, where: string): Typed {
    const fitting = this.#schemaFor(schema, after);
    const struct = new Struct(fitting);
    for (const field of fitting.fields) {
      const known = schema.fields.find((f) => f.name === field.name);
      const was = known === undefined || before === null ? null : before.get(field.name);
      const next = this.restored({ schema: field.schema, value: was }, after[field.name] ?? null, `${where}.${field.name}`);
      // A nested object with other fields has another schema than its field.
      if (next.schema !== field.schema) throw new DataError(`The script changed the fields of ${where}.${field.name}, which has a schema`);
      struct.put(field.name, next.value);
    }
    return { schema: fitting, value: struct };
  }
  /** The schema itself while the names are the same. */
  #schemaFor(schema: Schema, after: PlainObject): Schema {
    const names = Object.keys(after);
    if (names.length === schema.fields.length && schema.fields.every((f) => Object.hasOwn(after, f.name))) return schema;
    const added = names.filter((n) => !schema.fields.some((f) => f.name === n));
    const kept = schema.fields.filter((f) => Object.hasOwn(after, f.name));
    const fields = [...kept.map((f) => [f.name, f.schema] as const), ...added.map((n) => [n, inferred(after[n] ?? null, n)] as const)];
    const key = fields.map(([name, s]) => `${name}:${s.type}`).join("\n");
    const made = this.#made.get(schema) ?? new Map<string, Schema>();
    this.#made.set(schema, made);
    const cached = made.get(key);
    if (cached !== undefined) return cached;
    const built = structOf(fields, { ...basicsOf(schema), optional: schema.optional });
    if (made.size < SCHEMAS_MAX) made.set(key, built);
    return built;
  }
}
const SCHEMAS_MAX = 1_000;
