/**
 * Straight-line writers, one for each struct schema: field names are constant bytes, every field's type is known, and a
 * struct that is still a raw row goes from the database's bytes to JSON without being decoded. Whatever is out of the
 * ordinary (nulls with defaults, collections, wrong types) is left to interpret.ts, which is also the fallback where
 * code generation is not allowed.
 */
import { byteSink, type ByteSink } from "#connect/api/byte-sink";
import { DataError } from "#connect/api/errors";
import { CELL_NULL, type CellForm, type RawColumn, type RawRow } from "#connect/api/raw-row";
import { DATE, DECIMAL, TIME, TIMESTAMP, type Schema, type SchemaField } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { appendAscii, appendString, integer53, integer64 } from "./append.ts";
import { writeStruct, writeValue } from "./interpret.ts";
import { cachedString, doubleText, plainString, RunMemory, StringMemory, utf8Cell } from "./pieces.ts";
import type { JsonOptions } from "./options.ts";

export type ValueWriter = (value: ConnectValue, out: ByteSink) => void;
type StructWriter = (struct: Struct, out: ByteSink) => void;
type RawWriter = (struct: Struct, row: RawRow, out: ByteSink) => void;

/** Room for any fixed-size token: 20 digits and a sign, or a double. */
const TOKEN_BYTES = 28;
/** More constant bytes than this are copied by loops, so that the engine still optimises the function. */
const UNROLLED_BYTES_MAX = 3000;
/** One store for each byte up to here, above it a copy, which takes the same time for any length. */
const UNROLLED_CONSTANT_BYTES_MAX = 16;
/** So many structs are looked at to tell fields that stay the same from those that change, and again after so many. */
const OBSERVED_STRUCTS = 256;
const OBSERVED_AGAIN_STRUCTS = 65_536;
/** Fields that change more often than once in so many structs are written anew each time. */
const STEADY_STRUCTS = 4;
const LOGICAL: ReadonlySet<string | null> = new Set([DECIMAL, DATE, TIME, TIMESTAMP]);

/** The writer of values of one schema. Compiles once per call: keep the result. */
export function valueWriter(schema: Schema, o: JsonOptions): ValueWriter {
  if (schema.type !== "STRUCT" || !codeGenerationAllowed()) return (value, out) => writeValue(out, schema, value, o);
  const write = structWriter(schema, o);
  return (value, out) => {
    if (value instanceof Struct) write(value, out);
    else writeValue(out, schema, value, o);
  };
}
let allowed: boolean | undefined;
function codeGenerationAllowed(): boolean {
  if (allowed === undefined) {
    try {
      // oxlint-disable-next-line typescript/no-implied-eval -- only asks whether the process allows it
      new Function("");
      allowed = true;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/** What generated code refers to, by parameter name. */
interface Scope {
  readonly names: string[];
  readonly values: unknown[];
}
function bind(scope: Scope, name: string, value: unknown): string {
  scope.names.push(name);
  scope.values.push(value);
  return name;
}
function baseScope(schema: Schema, o: JsonOptions): Scope {
  const scope: Scope = { names: [], values: [] };
  const base = {
    schema,
    o,
    integer53,
    integer64,
    doubleText,
    plainString,
    cachedString,
    utf8Cell,
    appendString,
    writeValue,
    writeShared,
    mismatch,
  };
  for (const [name, value] of Object.entries(base)) bind(scope, name, value);
  return scope;
}
function mismatch(struct: Struct, schema: Schema, o: JsonOptions, out: ByteSink): void {
  if (struct.schema.type !== "STRUCT") throw new DataError("Mismatching schema.");
  writeStruct(out, schema, struct, o);
}
/** The last shared struct of a field and its bytes: what all rows of a snapshot say of their source. */
class StructMemory {
  struct: Struct | null = null;
  bytes: Uint8Array = new Uint8Array(0);
}
function writeShared(struct: Struct, out: ByteSink, write: StructWriter, memory: StructMemory): void {
  if (memory.struct === struct) {
    const known = memory.bytes;
    out.reserve(known.length);
    out.bytes.set(known, out.length);
    out.length += known.length;
    return;
  }
  const start = out.length;
  write(struct, out);
  memory.struct = struct;
  memory.bytes = Uint8Array.prototype.slice.call(out.bytes, start, out.length);
}
function fragmentOf(field: SchemaField): Buffer {
  const out = byteSink(64);
  appendAscii(out, field.index === 0 ? "{" : ",");
  appendString(out, field.name);
  appendAscii(out, ":");
  return Buffer.from(out.bytes.subarray(0, out.length));
}

/** Statements that append constant bytes at `p`. */
function constant(scope: Scope, bytes: Uint8Array, unrolled: boolean): string {
  if (bytes.length > (unrolled ? UNROLLED_CONSTANT_BYTES_MAX : 8)) {
    const name = bind(scope, `k${scope.names.length}`, bytes);
    return `b.set(${name}, p); p += ${bytes.length};\n`;
  }
  return `${Array.from(bytes, (c, i) => `b[p + ${i}] = ${c};`).join(" ")} p += ${bytes.length};\n`;
}
const NULL = Buffer.from("null");
const hasDefault = (schema: Schema, o: JsonOptions): boolean => (schema.default ?? null) !== null && o.replaceNullWithDefault;
/** Leaves the field to the interpreter, and makes room again for all that is fixed. */
const handOver = (i: number, value: string): string =>
  `out.length = p; writeValue(out, f${i}, ${value}, o); out.reserve(FIXED); b = out.bytes; p = out.length;`;
const REFRESH = "out.reserve(FIXED); b = out.bytes; p = out.length;";

/** What the code of one struct's fields shares. */
interface Parts {
  readonly scope: Scope;
  readonly o: JsonOptions;
  readonly unrolled: boolean;
  /** Writers of fields that are structs, by the field's index; they outlive the code around them. */
  readonly nested: Map<number, StructWriter>;
}
function slotCode({ scope, o, unrolled, nested }: Parts, field: SchemaField): string {
  const i = field.index,
    schema = field.schema,
    slow = handOver(i, "x");
  const nullable = schema.optional && !hasDefault(schema, o) ? `if (x === null) { ${constant(scope, NULL, true)} } else ` : "";
  const head = `${constant(scope, fragmentOf(field), unrolled)} x = slots[${i}];\n${nullable}`;
  if (LOGICAL.has(schema.name)) return `${head}{ ${slow} }\n`;
  switch (schema.type) {
    case "INT8":
    case "INT16":
    case "INT32":
      return `${head}if (typeof x === "number") p = integer53(b, p, Math.trunc(x)); else { ${slow} }\n`;
    case "INT64":
      return `${head}if (typeof x === "bigint") p = integer64(b, p, x); else { ${slow} }\n`;
    case "FLOAT64":
      return `${head}if (typeof x === "number") p = doubleText(b, p, x); else { ${slow} }\n`;
    case "BOOLEAN":
      return `${head}if (x === true) { ${constant(scope, Buffer.from("true"), true)} } else if (x === false) { ${constant(scope, Buffer.from("false"), true)} } else { ${slow} }\n`;
    case "STRING": {
      const memory = bind(scope, `m${i}`, new StringMemory());
      return `${head}if (typeof x === "string") {
        if (p + 2 * x.length + 2 + FIXED > b.length) { out.length = p; out.reserve(2 * x.length + 2 + FIXED); b = out.bytes; }
        q = cachedString(b, p, x, ${memory});
        if (q >= 0) p = q; else { out.length = p; appendString(out, x); ${REFRESH} }
      } else { ${slow} }\n`;
    }
    case "STRUCT": {
      const writer = nested.get(i) ?? structWriter(schema, o);
      nested.set(i, writer);
      const write = bind(scope, `w${i}`, writer);
      const memory = bind(scope, `m${i}`, new StructMemory());
      return `${head}if (x instanceof Struct) {
        out.length = p; if (x.shared) writeShared(x, out, ${write}, ${memory}); else ${write}(x, out); ${REFRESH}
      } else { ${slow} }\n`;
    }
    default:
      return `${head}{ ${slow} }\n`;
  }
}

/** Whether equal values have equal JSON and compare by `===`. Floats do not: 0 and -0. */
const isPlain = ({ schema }: SchemaField): boolean =>
  !LOGICAL.has(schema.name) && /^(?:INT8|INT16|INT32|INT64|BOOLEAN|STRING)$/.test(schema.type);

/** Which fields keep their value from struct to struct: counted from time to time. */
class SteadyFields {
  readonly #changes: number[];
  readonly #plain: readonly boolean[];
  #last: readonly ConnectValue[] | null = null;
  #seen = 0;
  constructor(schema: Schema) {
    this.#plain = schema.fields.map(isPlain);
    this.#changes = this.#plain.map(() => 0);
  }
  get possible(): boolean {
    return this.#plain.filter(Boolean).length > 1;
  }
  /** Null: not enough seen yet. */
  observe(slots: readonly ConnectValue[]): readonly boolean[] | null {
    const last = this.#last;
    if (last !== null) for (let i = 0; i < slots.length; i++) if (slots[i] !== last[i]) this.#changes[i] = (this.#changes[i] ?? 0) + 1;
    this.#last = slots;
    if (++this.#seen < OBSERVED_STRUCTS) return null;
    const steady = this.#plain.map((plain, i) => plain && (this.#changes[i] ?? 0) * STEADY_STRUCTS <= OBSERVED_STRUCTS);
    this.#changes.fill(0);
    this.#last = null;
    this.#seen = 0;
    return steady;
  }
}
/** Writes all fields of a struct while it finds out which are steady; then these are copied from memory as long as they are. */
function structWriter(schema: Schema, o: JsonOptions): StructWriter {
  const fields = new SteadyFields(schema);
  const nested = new Map<number, StructWriter>();
  let write = fieldsWriter(schema, o, null, nested);
  if (!fields.possible) return write;
  let known = "",
    unobserved = 0;
  return (struct, out) => {
    if (unobserved > 0) unobserved--;
    else if (struct.raw === null && struct.schema === schema) {
      const steady = fields.observe(struct.slots);
      if (steady !== null) {
        unobserved = OBSERVED_AGAIN_STRUCTS;
        if (steady.join() !== known) write = fieldsWriter(schema, o, steady, nested);
        known = steady.join();
      }
    }
    write(struct, out);
  };
}
/** Fields in turn; a run of steady ones is compared first and copied when nothing in it changed. */
function fieldsCode(parts: Parts, schema: Schema, steady: readonly boolean[] | null): string {
  let code = "";
  for (let i = 0; i < schema.fields.length; ) {
    let end = i;
    while (steady?.[end] === true) end++;
    if (end - i < 2) end = i + 1;
    const run = schema.fields.slice(i, end);
    const each = run.map((f) => slotCode(parts, f)).join("");
    if (run.length === 1) code += each;
    else {
      const memory = new RunMemory(run.length);
      const m = bind(parts.scope, `run${i}`, memory),
        v = bind(parts.scope, `values${i}`, memory.values);
      const same = run.map((f, k) => `slots[${f.index}] === ${v}[${k}]`).join(" && ");
      code += `if (${m}.bytes !== null && ${same}) {
        q = ${m}.bytes.length;
        if (p + q + FIXED > b.length) { out.length = p; out.reserve(q + FIXED); b = out.bytes; }
        b.set(${m}.bytes, p); p += q;
      } else {
        start = p;
        ${each}
        ${m}.keep(slots, ${i}, b, start, p);
      }\n`;
    }
    i = end;
  }
  return code;
}
function fieldsWriter(schema: Schema, o: JsonOptions, steady: readonly boolean[] | null, nested: Map<number, StructWriter>): StructWriter {
  const scope = baseScope(schema, o);
  bind(scope, "Struct", Struct);
  for (const f of schema.fields) bind(scope, `f${f.index}`, f.schema);
  bind(scope, "writeRow", rowWriter(schema, o));
  const names = schema.fields.reduce((n, f) => n + fragmentOf(f).length, 0);
  const fields = fieldsCode({ scope, o, unrolled: names <= UNROLLED_BYTES_MAX, nested }, schema, steady);
  return generate<StructWriter>(
    scope,
    names + schema.fields.length * TOKEN_BYTES + 8,
    `return function writeStruct(s, out) {
      if (s.schema !== schema) return mismatch(s, schema, o, out);
      if (s.raw !== null) return writeRow(s, s.raw, out);
      const slots = s.slots;
      out.reserve(FIXED);
      let b = out.bytes, p = out.length, q = 0, start = 0, x = null;
      ${fields}
      ${schema.fields.length === 0 ? "b[p++] = 123;" : ""} b[p++] = 125;
      out.length = p;
    }`,
  );
}
// The one place where text becomes code. It holds numbers and names of our own only: names of fields are constant bytes.
function generate<F>(scope: Scope, fixed: number, body: string): F {
  // oxlint-disable-next-line typescript/no-implied-eval -- the point of this file
  const make: (...values: unknown[]) => F = new Function(...scope.names, `"use strict"; const FIXED = ${fixed};\n${body}`) as (
    ...values: unknown[]
  ) => F;
  return make(...scope.values);
}

/** Rows of one relation share their column list: the code is made for it, and made anew when the table changes. */
function rowWriter(schema: Schema, o: JsonOptions): RawWriter {
  let columns: readonly RawColumn[] | null = null;
  let write: RawWriter | null = null;
  return (struct, row, out) => {
    if (row.columns !== columns || write === null) {
      columns = row.columns;
      write = compileRow(schema, columns, o);
    }
    write(struct, row, out);
  };
}
function cellCode(scope: Scope, field: SchemaField, form: CellForm): string {
  const i = field.index;
  const decode = `out.length = p; writeValue(out, f${i}, row.decode(${i}), o); ${REFRESH}`;
  const room =
    "if (p + 2 * (end - start) + 2 + FIXED > b.length) { out.length = p; out.reserve(2 * (end - start) + 2 + FIXED); b = out.bytes; }";
  // A field that is no plain value of its form's kind is decoded, whatever the column says.
  switch (form) {
    case "verbatim":
      return `${room} for (let j = start; j < end; j++) b[p++] = bytes[j];`;
    case "text":
      return `${room} q = utf8Cell(b, p, bytes, start, end);
        if (q >= 0) p = q; else { ${decode} }`;
    case "bool":
      return `if (bytes[start] === 116) { ${constant(scope, Buffer.from("true"), true)} } else { ${constant(scope, Buffer.from("false"), true)} }`;
    case "writer":
      return `out.length = p; if (!column${i}.write(bytes, start, end, out)) { writeValue(out, f${i}, row.decode(${i}), o); } ${REFRESH}`;
    case "decode":
      return decode;
  }
}
function compileRow(schema: Schema, columns: readonly RawColumn[], o: JsonOptions): RawWriter {
  const scope = baseScope(schema, o);
  const names = schema.fields.reduce((n, f) => n + fragmentOf(f).length, 0);
  const unrolled = names <= UNROLLED_BYTES_MAX;
  const cells = schema.fields.map((field) => {
    const i = field.index,
      column = columns[i];
    bind(scope, `f${i}`, field.schema);
    bind(scope, `column${i}`, column);
    const form = column === undefined || (column.form === "writer" && column.write === undefined) ? "decode" : column.form;
    const onNull = field.schema.optional && !hasDefault(field.schema, o) ? constant(scope, NULL, true) : handOver(i, "null");
    return `${constant(scope, fragmentOf(field), unrolled)}
      start = starts[${i}];
      if (start >= 0) { end = ends[${i}]; ${cellCode(scope, field, form)} }
      else if (start === ${CELL_NULL}) { ${onNull} }
      else { ${handOver(i, `row.decode(${i})`)} }\n`;
  });
  return generate<RawWriter>(
    scope,
    names + schema.fields.length * TOKEN_BYTES + 8,
    `return function writeRow(s, row, out) {
      const bytes = row.bytes, starts = row.starts, ends = row.ends;
      out.reserve(FIXED);
      let b = out.bytes, p = out.length, q = 0, start = 0, end = 0;
      ${cells.join("")}
      ${schema.fields.length === 0 ? "b[p++] = 123;" : ""} b[p++] = 125;
      out.length = p;
    }`,
  );
}
