/**
 * Connect's schema model: what org.apache.kafka.connect.data.Schema says, as an immutable value. Equality is structural
 * (`sameSchema`); identity is the fast path, so producers of records reuse one object per shape.
 */
import type { ConnectValue } from "./value.ts";

export type SchemaType =
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "FLOAT32"
  | "FLOAT64"
  | "BOOLEAN"
  | "STRING"
  | "BYTES"
  | "ARRAY"
  | "MAP"
  | "STRUCT";

export interface SchemaField {
  readonly name: string;
  readonly index: number;
  readonly schema: Schema;
}

export interface Schema {
  readonly type: SchemaType;
  readonly optional: boolean;
  readonly name: string | null;
  readonly version: number | null;
  readonly doc: string | null;
  /** undefined: no default. (Null is what Kafka calls "no default" as well.) */
  readonly default: ConnectValue | undefined;
  /** Insertion order is kept: converters write it. */
  readonly parameters: Readonly<Record<string, string>> | null;
  /** STRUCT only, else empty. */
  readonly fields: readonly SchemaField[];
  /** STRUCT only: field by name. */
  readonly byName: ReadonlyMap<string, SchemaField>;
  /** MAP only. */
  readonly keySchema: Schema | null;
  /** MAP and ARRAY only. */
  readonly valueSchema: Schema | null;
}

export interface SchemaOptions {
  readonly optional?: boolean;
  readonly name?: string | null;
  readonly version?: number | null;
  readonly doc?: string | null;
  readonly default?: ConnectValue | undefined;
  readonly parameters?: Readonly<Record<string, string>> | null;
}

const NO_FIELDS: readonly SchemaField[] = [];
const NO_NAMES: ReadonlyMap<string, SchemaField> = new Map();

function build(
  type: SchemaType,
  o: SchemaOptions,
  fields: readonly SchemaField[],
  keySchema: Schema | null,
  valueSchema: Schema | null,
): Schema {
  return {
    type,
    optional: o.optional ?? false,
    name: o.name ?? null,
    version: o.version ?? null,
    doc: o.doc ?? null,
    default: o.default,
    parameters: o.parameters ?? null,
    fields,
    byName: fields.length === 0 ? NO_NAMES : new Map(fields.map((f) => [f.name, f])),
    keySchema,
    valueSchema,
  };
}

export const primitive = (type: Exclude<SchemaType, "ARRAY" | "MAP" | "STRUCT">, options: SchemaOptions = {}): Schema =>
  build(type, options, NO_FIELDS, null, null);
export const arrayOf = (valueSchema: Schema, options: SchemaOptions = {}): Schema => build("ARRAY", options, NO_FIELDS, null, valueSchema);
export const mapOf = (keySchema: Schema, valueSchema: Schema, options: SchemaOptions = {}): Schema =>
  build("MAP", options, NO_FIELDS, keySchema, valueSchema);
/** Fields in order. A name given twice is the caller's mistake. */
export function structOf(fields: readonly (readonly [name: string, schema: Schema])[], options: SchemaOptions = {}): Schema {
  return build(
    "STRUCT",
    options,
    fields.map(([name, schema], index) => ({ name, index, schema })),
    null,
    null,
  );
}
/** The same schema with some properties replaced. */
export function withOptions(schema: Schema, options: SchemaOptions): Schema {
  return build(schema.type, { ...schema, ...options }, schema.fields, schema.keySchema, schema.valueSchema);
}

/** Names of Kafka's logical types (org.apache.kafka.connect.data). */
export const DECIMAL = "org.apache.kafka.connect.data.Decimal";
export const DATE = "org.apache.kafka.connect.data.Date";
export const TIME = "org.apache.kafka.connect.data.Time";
export const TIMESTAMP = "org.apache.kafka.connect.data.Timestamp";

export const INT8 = primitive("INT8");
export const INT16 = primitive("INT16");
export const INT32 = primitive("INT32");
export const INT64 = primitive("INT64");
export const FLOAT32 = primitive("FLOAT32");
export const FLOAT64 = primitive("FLOAT64");
export const BOOLEAN = primitive("BOOLEAN");
export const STRING = primitive("STRING");
export const BYTES = primitive("BYTES");
export const OPTIONAL_INT8 = primitive("INT8", { optional: true });
export const OPTIONAL_INT16 = primitive("INT16", { optional: true });
export const OPTIONAL_INT32 = primitive("INT32", { optional: true });
export const OPTIONAL_INT64 = primitive("INT64", { optional: true });
export const OPTIONAL_FLOAT32 = primitive("FLOAT32", { optional: true });
export const OPTIONAL_FLOAT64 = primitive("FLOAT64", { optional: true });
export const OPTIONAL_BOOLEAN = primitive("BOOLEAN", { optional: true });
export const OPTIONAL_STRING = primitive("STRING", { optional: true });
export const OPTIONAL_BYTES = primitive("BYTES", { optional: true });
/** Collections whose elements have no common schema: what Values.parseString gives for `[1,"a"]` and `{}`. */
export const ARRAY_OF_ANY = build("ARRAY", {}, NO_FIELDS, null, null);
/** Keys of one type, values of several. */
export const mapOfAny = (keySchema: Schema): Schema => build("MAP", {}, NO_FIELDS, keySchema, null);
export const MAP_OF_ANY = build("MAP", {}, NO_FIELDS, null, null);
