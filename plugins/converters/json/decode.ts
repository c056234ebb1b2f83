/**
 * Reads a value by its schema straight from the bytes, as long as structs have their fields in the schema's order, which
 * is how every JsonConverter writes them. Anything else goes through the tree (read.ts); the result is the same.
 */
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { byteSink } from "#connect/api/byte-sink";
import { appendString } from "./append.ts";
import type { JsonOptions } from "./options.ts";
import type { JsonParser } from "./parse.ts";
import { readValue } from "./read.ts";

const QUOTE = 0x22,
  OPEN = 0x7b,
  CLOSE = 0x7d,
  COMMA = 0x2c,
  MINUS = 0x2d;
/** `"name":` of each field. */
const namesOf = new WeakMap<Schema, readonly Buffer[]>();
function fieldNames(schema: Schema): readonly Buffer[] {
  let names = namesOf.get(schema);
  if (names === undefined) {
    names = schema.fields.map((f) => {
      const out = byteSink(64);
      appendString(out, f.name);
      return Buffer.from(`${out.bytes.toString("utf8", 0, out.length)}:`);
    });
    namesOf.set(schema, names);
  }
  return names;
}
function skip(parser: JsonParser, expected: Buffer): boolean {
  const b = parser.bytes,
    at = parser.at;
  for (let i = 0; i < expected.length; i++) if (b[at + i] !== expected[i]) return false;
  parser.at = at + expected.length;
  return true;
}
/** Throws what read.ts and the parser throw. */
export function decodeValue(parser: JsonParser, schema: Schema, o: JsonOptions): ConnectValue {
  const c = parser.bytes[parser.at];
  if (schema.type === "STRUCT" && c === OPEN) return decodeStruct(parser, schema, o);
  if (schema.type === "STRING" && c === QUOTE && schema.name === null) return parser.string();
  if (schema.type === "INT64" && schema.name === null && c !== undefined && ((c >= 48 && c <= 57) || c === MINUS)) {
    const n = parser.number();
    return typeof n === "number" ? BigInt(n) : readValue(schema, n, o);
  }
  return readValue(schema, parser.value(), o);
}
function decodeStruct(parser: JsonParser, schema: Schema, o: JsonOptions): ConnectValue {
  const start = parser.at;
  const names = fieldNames(schema);
  const slots = new Array<ConnectValue>(names.length).fill(null);
  parser.at++;
  for (let i = 0; i < names.length; i++) {
    const name = names[i],
      field = schema.fields[i];
    if (name === undefined || field === undefined || !skip(parser, name)) return throughTree(parser, start, schema, o);
    // A required field that no text or bytes came for is for read.ts to refuse.
    const value = decodeValue(parser, field.schema, o);
    if (value === null && !field.schema.optional) return throughTree(parser, start, schema, o);
    slots[i] = value;
    const last = i === names.length - 1;
    if (parser.bytes[parser.at] !== (last ? CLOSE : COMMA)) return throughTree(parser, start, schema, o);
    parser.at++;
  }
  if (names.length === 0) return throughTree(parser, start, schema, o);
  return new Struct(schema, slots);
}
function throughTree(parser: JsonParser, start: number, schema: Schema, o: JsonOptions): ConnectValue {
  parser.at = start;
  return readValue(schema, parser.value(), o);
}
