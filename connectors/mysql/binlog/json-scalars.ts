/**
 * Text of scalars in MySQL's binary JSON, as Debezium's reader of the binary log prints it: doubles that Java would print with an
 * exponent are written out exactly, and negative times keep the reader's signs on every part.
 */
import { decimalText } from "./cells-decimal.ts";
import { COLUMN_TYPE as T } from "./column-types.ts";
import { truncated } from "./failures.ts";

/** java.math.BigDecimal(double).toPlainString. */
function exactText(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  let mantissa = bits & 0xfffffffffffffn;
  let exponent = biased === 0 ? -1074 : biased - 1075;
  if (biased !== 0) mantissa |= 0x10000000000000n;
  while (exponent < 0 && (mantissa & 1n) === 0n) {
    mantissa >>= 1n;
    exponent++;
  }
  const sign = value < 0 ? "-" : "";
  if (exponent >= 0) return sign + String(mantissa << BigInt(exponent));
  const digits = String(mantissa * 5n ** BigInt(-exponent)).padStart(1 - exponent, "0");
  return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
}
export function doubleText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const magnitude = Math.abs(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  if (magnitude < 1e-3 || magnitude >= 1e7) return exactText(value);
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};
// oxlint-disable-next-line no-control-regex
const ESCAPED = /["\\\u0000-\u001f]/g;
const hex = (c: string): string => `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
export const quoted = (text: string): string => `"${text.replace(ESCAPED, (c) => SHORT_ESCAPES[c] ?? hex(c))}"`;

/** What a byte becomes inside a string: itself (0), a two-character escape (its second character), or \u00XX (ESCAPE_CODE). */
const ESCAPE = new Uint8Array(256);
const ESCAPE_CODE = 0x75;
ESCAPE.fill(ESCAPE_CODE, 0, 0x20);
for (const [c, escape] of Object.entries(SHORT_ESCAPES)) ESCAPE[c.charCodeAt(0)] = escape.charCodeAt(1);
const OUTPUT_BYTES = 64 * 1024;
function isPlain(b: Buffer, start: number, end: number): boolean {
  let found = 0;
  for (let i = start; i < end; i++) found |= ESCAPE[b[i] as number] as number;
  return found === 0;
}

/** From here on a native copy of what needs no escapes is cheaper than a loop, though it is looked at first. */
const COPIED_BYTES_MIN = 20;

/** JSON text being written as UTF-8, in memory that is used again. */
export class JsonOutput {
  bytes: Buffer = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  length = 0;
  /** The text will stand inside a JSON string: what that needs escaped is escaped once more. */
  #embedded = false;
  clear(embedded: boolean): void {
    this.length = 0;
    this.#embedded = embedded;
    // One large document must not keep its memory.
    if (this.bytes.length > OUTPUT_BYTES * 16) this.bytes = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  }
  #room(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + size));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
  byte(c: number): void {
    this.#room(1);
    this.bytes[this.length++] = c;
  }
  raw(b: Buffer, start: number, end: number): void {
    this.#room(end - start);
    this.length += b.copy(this.bytes, this.length, start, end);
  }
  text(plain: string): void {
    const text = this.#embedded ? plain.replaceAll('"', '\\"') : plain;
    this.#room(text.length * 3);
    this.length += this.bytes.write(text, this.length);
  }
  /** Of at most 32 bits. */
  integer(value: number): void {
    this.#room(11);
    const b = this.bytes;
    let p = this.length,
      n = value;
    if (n < 0) {
      b[p++] = 0x2d;
      n = -n;
    }
    let size = 1;
    for (let limit = 10; n >= limit; limit *= 10) size++;
    for (let i = p + size - 1; i >= p; i--) {
      const q = Math.floor(n / 10);
      b[i] = 48 + (n - q * 10);
      n = q;
    }
    this.length = p + size;
  }
  /** As `quoted`, of UTF-8. */
  quoted(source: Buffer, start: number, end: number): void {
    this.#room((end - start) * 7 + 4);
    const b = this.bytes;
    let p = this.length;
    if (this.#embedded) b[p++] = 0x5c;
    b[p++] = 0x22;
    if (end - start >= COPIED_BYTES_MIN && isPlain(source, start, end)) p += source.copy(b, p, start, end);
    else p = this.#escaped(source, start, end, p);
    if (this.#embedded) b[p++] = 0x5c;
    b[p++] = 0x22;
    this.length = p;
  }
  #escaped(source: Buffer, start: number, end: number, at: number): number {
    const b = this.bytes;
    let p = at;
    for (let i = start; i < end; i++) {
      const c = source[i] as number;
      const escape = ESCAPE[c] as number;
      if (escape === 0) {
        b[p++] = c;
        continue;
      }
      b[p++] = 0x5c;
      if (this.#embedded) b[p++] = 0x5c;
      if (escape === ESCAPE_CODE) p += b.latin1Write(hex(String.fromCharCode(c)).slice(1), p);
      else {
        if (this.#embedded && (escape === 0x22 || escape === 0x5c)) b[p++] = 0x5c;
        b[p++] = escape;
      }
    }
    return p;
  }
}

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
const four = (n: number): string => (n < 10 ? `000${n}` : n < 100 ? `00${n}` : n < 1000 ? `0${n}` : String(n));
/** Six digits without the zeros at the end; negative ones come with five zeros before the sign. */
function fraction(micros: number): string {
  if (micros === 0) return "";
  const before = micros < 10 ? "00000" : micros < 100 ? "0000" : micros < 1000 ? "000" : micros < 10000 ? "00" : micros < 100000 ? "0" : "";
  let value = micros;
  for (let i = 0; i < 6; i++) if (value % 10 === 0) value /= 10;
  return `.${before}${value}`;
}
const part = (packed: bigint, shift: bigint, modulo: number): number => Number(BigInt.asIntN(32, packed >> shift)) % modulo;
const MICROS = 0x1000000n;

function dateText(packed: bigint): string {
  const months = part(packed, 22n, 131072);
  const year = Math.trunc(months / 13);
  return `${year < 0 ? "-" : ""}${four(Math.abs(year))}-${two(months % 13)}-${two(part(packed, 17n, 32))}`;
}
function timeText(packed: bigint, micros: number, negative: boolean): string {
  const hours = part(packed, 12n, 1024) * (negative ? -1 : 1);
  const clock = `${two(Math.abs(hours))}:${two(part(packed, 6n, 64))}:${two(part(packed, 0n, 64))}`;
  return `${hours < 0 ? "-" : ""}${clock}${fraction(micros)}`;
}
/** A date or time in the 8 bytes of an opaque value: the packed form of my_time.h, the lowest 24 bits are microseconds. */
function temporalText(type: number, raw: bigint): string {
  const packed = raw >> 24n;
  const micros = Number(raw % MICROS);
  if (type === T.DATE) return `"${dateText(packed)}"`;
  if (type === T.TIME || type === T.TIME2) return `"${timeText(packed, micros, packed < 0n)}"`;
  const clock = `${two(part(packed, 12n, 32))}:${two(part(packed, 6n, 64))}:${two(Number(packed % 64n))}`;
  return `"${dateText(packed)} ${clock}${fraction(micros)}"`;
}

/** An opaque value of a column type. Types that are neither number nor time are Base64. Throws BinlogError. */
export function opaqueText(type: number, b: Buffer, start: number, end: number): string {
  switch (type) {
    case T.DECIMAL:
    case T.NEWDECIMAL:
      if (end - start < 2) throw truncated("A decimal in a JSON document");
      return decimalText(b, start + 2, end, b[start] as number, b[start + 1] as number);
    case T.DATE:
    case T.TIME:
    case T.TIME2:
    case T.DATETIME:
    case T.DATETIME2:
    case T.TIMESTAMP:
    case T.TIMESTAMP2:
      if (end - start < 8) throw truncated("A time in a JSON document");
      return temporalText(type, b.readBigInt64LE(start));
    default:
      return `"${b.toString("base64", start, end)}"`;
  }
}
