/** Text to typed values and back, as org.apache.kafka.connect.data.Values does for headers and Cast. */
import { DataError } from "./errors.ts";
import { isList, isMap, numberToString, floatToString } from "./java-text.ts";
import { DAY_MS } from "./logical.ts";
import {
  ARRAY_OF_ANY,
  arrayOf,
  BOOLEAN,
  DATE,
  DECIMAL,
  FLOAT32,
  FLOAT64,
  INT16,
  INT32,
  INT64,
  INT8,
  MAP_OF_ANY,
  mapOf,
  mapOfAny,
  primitive,
  STRING,
  TIME,
  TIMESTAMP,
  type Schema,
  type SchemaType,
} from "./schema.ts";
import { sameSchema } from "./same-schema.ts";
import { SimpleDateFormat } from "./simple-date-format.ts";
import { Struct } from "./struct.ts";
import { Boxed, Decimal, type ConnectValue } from "./value.ts";

export interface Parsed {
  readonly schema: Schema | null;
  readonly value: ConnectValue;
}
/** What the text `null` is. */
export const NO_VALUE: Parsed = { schema: null, value: null };

const dateFormat = new SimpleDateFormat("yyyy-MM-dd"),
  timeFormat = new SimpleDateFormat("HH:mm:ss.SSS'Z'"),
  timestampFormat = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
const TEMPORALS: Readonly<Record<number, { format: SimpleDateFormat; schema: Schema }>> = {
  10: { format: dateFormat, schema: primitive("INT32", { name: DATE, version: 1 }) },
  13: { format: timeFormat, schema: primitive("INT32", { name: TIME, version: 1 }) },
  24: { format: timestampFormat, schema: primitive("INT64", { name: TIMESTAMP, version: 1 }) },
};
/** A date, a time or a timestamp, by what the moment looks like. */
export function temporalToString(d: Date): string {
  const ms = d.getTime();
  if (ms < DAY_MS) return timeFormat.format(d);
  return (ms % DAY_MS === 0 ? dateFormat : timestampFormat).format(d);
}

/** Values.convertToString: strings as they are, all others as literals that parseValue reads. */
export function valueToString(value: ConnectValue, schema: Schema | null): string {
  return typeof value === "string" ? value : literal(value, schema, false);
}
function literal(value: ConnectValue, schema: Schema | null, embedded: boolean): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return embedded ? `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"` : value;
    case "number":
      return numberToString(value, schema);
    case "bigint":
    case "boolean":
      return String(value);
    default:
  }
  if (value instanceof Boxed) return value.type === "float32" ? floatToString(Number(value.value)) : String(value.value);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Date) return temporalToString(value);
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
    return embedded ? `"${text}"` : text;
  }
  if (value instanceof Struct) {
    const parts = value.schema.fields.map((f) => `${literal(f.name, null, true)}:${literal(value.get(f.name), f.schema, true)}`);
    return `{${parts.join(",")}}`;
  }
  if (isMap(value)) {
    const entry = ([k, v]: readonly [ConnectValue, ConnectValue]): string =>
      `${literal(k, schema?.keySchema ?? null, true)}:${literal(v, schema?.valueSchema ?? null, true)}`;
    return `{${Array.from(value, entry).join(",")}}`;
  }
  return isList(value) ? `[${value.map((v) => literal(v, schema?.valueSchema ?? null, true)).join(",")}]` : "";
}

/** String.trim: control characters go too, other white space of Unicode stays. */
const javaTrim = (text: string): string => text.replace(/^[\0- ]+|[\0- ]+$/g, "");
const ZEROS = /\p{Nd}/gu;
/** Java takes the decimal digits of any script, which stand in rows of ten from a multiple of 16 or 6 past one. */
function asciiDigits(text: string): string {
  if (!/[^\0-\x7f]/.test(text)) return text;
  return text.replace(ZEROS, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    for (let v = 0; v < 10; v++) if (!/\p{Nd}/u.test(String.fromCodePoint(code - v - 1))) return String(v);
    return digit;
  });
}
/** Tokens: the delimiters `{ } [ ] , : "` and the text between them; a backslash takes a delimiter's meaning away. */
class Tokens {
  readonly text: string;
  #at = 0;
  #next: string | null = null;
  #previous: string | null = null;
  constructor(text: string) {
    this.text = text;
  }
  get hasNext(): boolean {
    return this.#next !== null || this.#at < this.text.length;
  }
  get previous(): string | null {
    return this.#previous;
  }
  mark(): number {
    return this.#at - (this.#next?.length ?? 0);
  }
  rewind(position: number): void {
    this.#at = position;
    this.#next = null;
    this.#previous = null;
  }
  next(): string {
    const token = this.#next ?? this.#read();
    this.#next = null;
    this.#previous = token;
    return token;
  }
  /** The text of the next n tokens, or null when there are fewer. */
  take(n: number): string | null {
    let text = "";
    for (let i = 0; i < n; i++) {
      if (!this.hasNext) return null;
      text += this.next();
    }
    return text;
  }
  consume(expected: string, trim = true): boolean {
    if (this.#next === null) {
      if (!this.hasNext) return false;
      this.#next = this.#read();
    }
    while (trim && javaTrim(this.#next) === "" && this.#at < this.text.length) this.#next = this.#read();
    if ((trim ? javaTrim(this.#next) : this.#next) !== expected) return false;
    this.next();
    return true;
  }
  #read(): string {
    const start = this.#at;
    let escaped = false;
    for (; this.#at < this.text.length; this.#at++) {
      const c = this.text.charAt(this.#at);
      if (c === "\\") escaped = !escaped;
      else {
        if (!escaped && '{}[],:"'.includes(c)) {
          if (start === this.#at) this.#at++;
          break;
        }
        escaped = false;
      }
    }
    return this.text.slice(start, this.#at);
  }
}

/** Values.parseString: the narrowest type that the text is a literal of; a string if it is none. */
export function parseValue(text: string): Parsed {
  if (text === "") return { schema: STRING, value: text };
  return parse(new Tokens(text), false) ?? NO_VALUE;
}
const MAX_DEPTH = 200;
/** Null: the literal null, or nothing. */
function parse(t: Tokens, embedded: boolean, depth = 0): Parsed | null {
  if (!t.hasNext) return null;
  if (depth > MAX_DEPTH) throw new DataError("Value is nested too deeply");
  if (embedded && t.consume('"')) return quoted(t);
  if (consumeWord(t, "null", embedded)) return null;
  if (consumeWord(t, "true", embedded)) return { schema: BOOLEAN, value: true };
  if (consumeWord(t, "false", embedded)) return { schema: BOOLEAN, value: false };
  const start = t.mark();
  try {
    if (t.consume("[")) return list(t, depth);
    if (t.consume("{")) return map(t, depth);
  } catch (e) {
    if (!(e instanceof DataError)) throw e;
    t.rewind(start);
  }
  const token = t.next();
  if (javaTrim(token) === "") return { schema: STRING, value: token };
  return scalar(t, asciiDigits(javaTrim(token)), embedded);
}
/** At the top a word has to be all there is. */
function consumeWord(t: Tokens, word: string, embedded: boolean): boolean {
  const start = t.mark();
  if (t.consume(word) && (embedded || !t.hasNext)) return true;
  t.rewind(start);
  return false;
}
function scalar(t: Tokens, token: string, embedded: boolean): Parsed {
  const digit = /^\d/.test(token);
  if (digit) {
    const position = t.mark();
    const rest = t.take(4);
    const whole = rest === null ? null : temporal(token + rest);
    if (whole !== null) return whole;
    t.rewind(position);
    const alone = temporal(token);
    if (alone !== null) return alone;
  }
  if (digit || token.startsWith("+") || token.startsWith("-")) {
    const number = parseNumber(token);
    if (number !== null) return number;
  }
  if (embedded) throw new DataError("Failed to parse embedded value");
  return { schema: STRING, value: t.text };
}
function temporal(token: string): Parsed | null {
  const text = token.replaceAll("\\:", ":");
  const kind = TEMPORALS[text.length];
  const value = kind?.format.parse(text) ?? null;
  return kind === undefined || value === null ? null : { schema: kind.schema, value };
}
function quoted(t: Tokens): Parsed {
  let content = "";
  while (t.hasNext) {
    if (t.consume('"', false)) break;
    content += t.next();
  }
  return temporal(content) ?? { schema: STRING, value: content };
}
/** Whole numbers take the narrowest integer type, others FLOAT32, FLOAT64 or Decimal. Null: no number. */
export function parseNumber(token: string): Parsed | null {
  const d = Decimal.parse(token);
  if (d === null) return null;
  const power = 10n ** BigInt(Math.min(Math.abs(d.scale), 4000));
  const whole = d.scale <= 0 ? d.unscaled * power : d.unscaled % power === 0n ? d.unscaled / power : null;
  if (whole !== null && BigInt.asIntN(64, whole) === whole && d.scale > -4000) {
    if (BigInt.asIntN(8, whole) === whole) return { schema: INT8, value: Number(whole) };
    if (BigInt.asIntN(16, whole) === whole) return { schema: INT16, value: Number(whole) };
    if (BigInt.asIntN(32, whole) === whole) return { schema: INT32, value: Number(whole) };
    return { schema: INT64, value: whole };
  }
  const double = Number(token);
  if (d.scale !== 0) {
    if (Number.isFinite(Math.fround(double))) return { schema: FLOAT32, value: Math.fround(double) };
    if (Number.isFinite(double)) return { schema: FLOAT64, value: double };
  }
  return { schema: primitive("BYTES", { name: DECIMAL, version: 1, parameters: { scale: String(d.scale) } }), value: d };
}

const NUMBER_ORDER: readonly SchemaType[] = ["INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64"];
/** The schema that fits both; null when there is none. */
function commonSchema(previous: Schema | null, latest: Parsed | null): Schema | null {
  if (latest === null) return previous;
  const schema = latest.schema;
  if (previous === null || schema === null) return schema;
  if (previous.type !== schema.type) {
    const a = NUMBER_ORDER.indexOf(previous.type),
      b = NUMBER_ORDER.indexOf(schema.type);
    return a < 0 || b < 0 ? null : a > b ? previous : schema;
  }
  if (previous.optional === schema.optional) return previous.optional ? previous : schema;
  return sameSchema(previous, schema) ? previous : null;
}
/** Gathers the schemas of entries as they are read. */
class Common {
  schema: Schema | null = null;
  compatible = true;
  add(parsed: Parsed | null): void {
    this.schema = commonSchema(this.schema, parsed);
    if (this.schema === null && parsed !== null && parsed.schema !== null) this.compatible = false;
  }
}
/** An entry's value under the common schema; numbers whose own type is another are widened. */
function aligned(p: Parsed | null, schema: Schema | null): ConnectValue {
  const value = p?.value ?? null;
  if (schema === null) return boxed(p);
  // The common schema is never optional: a null beside typed elements makes the text no collection.
  if (value === null) throw new DataError("Unable to convert a null value to a schema that requires a value");
  if (typeof value === "bigint" && schema.type.startsWith("FLOAT")) return Number(value);
  return typeof value === "number" && schema.type === "INT64" ? BigInt(value) : value;
}
/** Without a schema the value has to know its type itself. */
function boxed(p: Parsed | null): ConnectValue {
  if (p === null || typeof p.value !== "number") return p?.value ?? null;
  switch (p.schema?.type) {
    case "INT8":
      return new Boxed("int8", p.value);
    case "INT16":
      return new Boxed("int16", p.value);
    case "INT32":
      return new Boxed("int32", p.value);
    case "FLOAT32":
      return new Boxed("float32", p.value);
    default:
      return p.value;
  }
}
function list(t: Tokens, depth: number): Parsed {
  const items: (Parsed | null)[] = [];
  const common = new Common();
  while (t.hasNext) {
    if (t.consume("]")) {
      const schema = common.compatible ? common.schema : null;
      return { schema: schema === null ? ARRAY_OF_ANY : arrayOf(schema), value: items.map((i) => aligned(i, schema)) };
    }
    if (t.consume(",")) throw new DataError(`Unable to parse an empty array element: ${t.text}`);
    const item = parse(t, true, depth + 1);
    items.push(item);
    common.add(item);
    const position = t.mark();
    if (t.consume("]")) t.rewind(position);
    else if (!t.consume(",")) throw new DataError("Array elements missing ',' delimiter");
  }
  if (t.previous === ",") throw new DataError(`Array is missing element after ',': ${t.text}`);
  throw new DataError(`Array is missing terminating ']': ${t.text}`);
}
function map(t: Tokens, depth: number): Parsed {
  const entries: (readonly [Parsed, Parsed | null])[] = [];
  const keys = new Common(),
    values = new Common();
  while (t.hasNext) {
    if (t.consume("}")) {
      const k = keys.compatible ? keys.schema : null,
        v = keys.compatible && values.compatible ? values.schema : null;
      const value = new Map(entries.map(([key, item]) => [aligned(key, k), aligned(item, v)] as const));
      return { schema: k === null ? MAP_OF_ANY : v === null ? mapOfAny(k) : mapOf(k, v), value };
    }
    if (t.consume(",")) throw new DataError(`Unable to parse a map entry with no key or value: ${t.text}`);
    const key = parse(t, true, depth + 1);
    if (key === null || key.value === null) throw new DataError(`Map entry may not have a null key: ${t.text}`);
    if (!t.consume(":")) throw new DataError(`Map entry is missing ':': ${t.text}`);
    const item = parse(t, true, depth + 1);
    entries.push([key, item]);
    t.consume(",");
    keys.add(key);
    values.add(item);
  }
  if (t.previous === ",") throw new DataError(`Map is missing element after ',': ${t.text}`);
  throw new DataError(`Map is missing terminating '}': ${t.text}`);
}
