/** Values of every type with their schemas, and records around them, in the form of the recorded cases (test/golden/connect). */
import type { Json } from "../../golden/tagged.ts";

export type JsonObject = { readonly [key: string]: Json };
export interface Typed {
  readonly schema: Json;
  readonly value: Json;
}
export interface Case {
  readonly kind: "smt" | "converter";
  readonly case: JsonObject;
}

export const schema = (type: string, more: JsonObject = {}): JsonObject => ({ type, optional: false, ...more });
export const optional = (type: string, more: JsonObject = {}): JsonObject => ({ type, optional: true, ...more });
export const logical = (type: string, name: string, more: JsonObject = {}): JsonObject => schema(type, { name, version: 1, ...more });
export const fields = (of: { readonly [name: string]: Json }): Json => Object.entries(of).map(([name, s]) => ({ name, schema: s }));
const TEXT = schema("STRING");

export const DATE = "org.apache.kafka.connect.data.Date";
export const TIME = "org.apache.kafka.connect.data.Time";
export const TIMESTAMP = "org.apache.kafka.connect.data.Timestamp";
export const DECIMAL = "org.apache.kafka.connect.data.Decimal";

/** One or more values of each type. */
export const ZOO: { readonly [name: string]: Typed } = {
  int8: { schema: schema("INT8"), value: { int8: -7 } },
  int16: { schema: schema("INT16"), value: { int16: 300 } },
  int32: { schema: schema("INT32"), value: { int32: 1_700_000_000 } },
  int64: { schema: schema("INT64"), value: { int64: "9007199254740993" } },
  int64ms: { schema: schema("INT64"), value: { int64: "1700000000123" } },
  zero: { schema: schema("INT32"), value: { int32: 0 } },
  float32: { schema: schema("FLOAT32"), value: { float32: 1.5 } },
  float32odd: { schema: schema("FLOAT32"), value: { float32: 3.4e38 } },
  float64: { schema: schema("FLOAT64"), value: { float64: -123456789.987 } },
  float64big: { schema: schema("FLOAT64"), value: { float64: 1e21 } },
  nan: { schema: schema("FLOAT64"), value: { float64: "NaN" } },
  infinite: { schema: schema("FLOAT64"), value: { float64: "-Infinity" } },
  true: { schema: schema("BOOLEAN"), value: true },
  false: { schema: schema("BOOLEAN"), value: false },
  text: { schema: TEXT, value: "plain" },
  empty: { schema: TEXT, value: "" },
  digits: { schema: TEXT, value: "42" },
  negative: { schema: TEXT, value: "-129" },
  fraction: { schema: TEXT, value: "1.75e2" },
  truth: { schema: TEXT, value: "TRUE" },
  spaced: { schema: TEXT, value: " 12 " },
  moment: { schema: TEXT, value: "2026-02-28 23:59:59.5" },
  bytes: { schema: schema("BYTES"), value: { bytes: "AAH/fw==" } },
  noBytes: { schema: schema("BYTES"), value: { bytes: "" } },
  list: { schema: schema("ARRAY", { valueSchema: schema("INT32") }), value: { list: [{ int32: 1 }, { int32: 2 }] } },
  texts: { schema: schema("ARRAY", { valueSchema: optional("STRING") }), value: { list: ["a", null] } },
  map: {
    schema: schema("MAP", { keySchema: TEXT, valueSchema: optional("INT64") }),
    value: {
      map: [
        ["a", { int64: "1" }],
        ["b", null],
      ],
    },
  },
  intMap: { schema: schema("MAP", { keySchema: schema("INT32"), valueSchema: TEXT }), value: { map: [[{ int32: 1 }, "x"]] } },
  struct: {
    schema: schema("STRUCT", { name: "in.ner", fields: fields({ x: schema("INT32"), y: optional("STRING"), "a.b": TEXT }) }),
    value: { struct: { x: { int32: 5 }, y: null, "a.b": "dotted" } },
  },
  decimal: { schema: logical("BYTES", DECIMAL, { parameters: { scale: "2" } }), value: { decimal: "-1234.50" } },
  decimalWhole: { schema: logical("BYTES", DECIMAL, { parameters: { scale: "0" } }), value: { decimal: "300" } },
  date: { schema: logical("INT32", DATE), value: { date: 1_772_236_800_000 } },
  time: { schema: logical("INT32", TIME), value: { date: 86_399_123 } },
  timestamp: { schema: logical("INT64", TIMESTAMP), value: { date: 1_772_323_199_123 } },
  before1970: { schema: logical("INT64", TIMESTAMP), value: { date: -62_135_596_800_001 } },
  named: { schema: schema("INT32", { name: "my.int", version: 7, doc: "documented", parameters: { p: "q" } }), value: { int32: 77 } },
  withDefault: { schema: optional("INT32", { default: { int32: 9 } }), value: null },
  nothing: { schema: optional("STRING"), value: null },
};

export const record = (
  value: Typed | null,
  more: { key?: Typed; headers?: Json; topic?: string; timestamp?: number | null; sink?: boolean } = {},
): JsonObject => ({
  recordType: more.sink === true ? "sink" : "source",
  topic: more.topic ?? "orders",
  partition: 3,
  key: { schema: null, value: null, ...more.key },
  value: { schema: null, value: null, ...value },
  timestamp: more.timestamp === undefined ? 1_700_000_000_123 : more.timestamp,
  headers: more.headers ?? [],
  ...(more.sink === true ? { offset: 42 } : {}),
});
export const structOf = (of: { readonly [name: string]: Typed }, more: JsonObject = {}): Typed => ({
  schema: schema("STRUCT", { ...more, fields: fields(Object.fromEntries(Object.entries(of).map(([n, t]) => [n, t.schema]))) }),
  value: { struct: Object.fromEntries(Object.entries(of).map(([n, t]) => [n, t.value])) },
});
/** Schemaless: a map with these values; structs in them become maps. */
export const mapOf = (of: { readonly [name: string]: Typed }): Typed => ({
  schema: null,
  value: { map: Object.entries(of).map(([n, t]) => [n, plain(t.value)]) },
});
function plain(value: Json): Json {
  if (typeof value === "object" && value !== null && "struct" in value)
    return { map: Object.entries(value.struct as JsonObject).map(([n, v]) => [n, plain(v)]) };
  return value;
}
export const header = (key: string, of: Typed): JsonObject => ({ key, ...of });

let count = 0;
export const smt = (className: string, config: { readonly [key: string]: string }, input: Json, more: JsonObject = {}): Case => ({
  kind: "smt",
  case: {
    name: `${className.slice(className.lastIndexOf(".") + 1)} ${++count}`,
    class: className,
    config,
    ...(Array.isArray(input) ? { inputs: input } : { input }),
    ...more,
  },
});
export const to = (
  className: string,
  config: { readonly [key: string]: string },
  text: string | Uint8Array | null,
  more: JsonObject = {},
): Case => ({
  kind: "converter",
  case: {
    name: `to ${++count}`,
    class: className,
    config,
    isKey: false,
    direction: "toConnect",
    input: text === null ? null : { bytes: Buffer.from(text).toString("base64"), utf8: Buffer.from(text).toString("utf8") },
    ...more,
  },
});
export const from = (className: string, config: { readonly [key: string]: string }, input: Typed, more: JsonObject = {}): Case => ({
  kind: "converter",
  case: { name: `from ${++count}`, class: className, config, isKey: false, direction: "fromConnect", input: { ...input }, ...more },
});
