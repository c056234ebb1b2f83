/** Reading and writing ASCII in cells: the inner loop of rows, without strings and BigInts where a double is exact. */
import type { ByteSink } from "#connect/api/byte-sink";
import { civilFromDays } from "#connect/api/civil-date";
import type { RawColumn } from "#connect/api/raw-row";

/** JavaScript's own Latin-1 view of a cell. */
export const ascii = (b: Uint8Array, start: number, end: number): string => Buffer.prototype.latin1Slice.call(b, start, end);
export const utf8 = (b: Uint8Array, start: number, end: number): string => Buffer.prototype.utf8Slice.call(b, start, end);

export function writeAscii(out: ByteSink, text: string): void {
  out.reserve(text.length);
  out.length += Buffer.prototype.latin1Write.call(out.bytes, text, out.length);
}
/** `size` digits of an integer below 10^9, with zeros in front. Room is the caller's business. */
function putDigits(b: Uint8Array, at: number, size: number, value: number): number {
  let v = value | 0;
  for (let i = at + size - 1; i >= at; i--) {
    const q = (v / 10) | 0;
    b[i] = 48 + (v - q * 10);
    v = q;
  }
  return at + size;
}
/** Digits of an integer below 10^9 that is not negative. */
const digitCount = (v: number): number =>
  v < 10 ? 1 : v < 100 ? 2 : v < 1000 ? 3 : v < 1e4 ? 4 : v < 1e5 ? 5 : v < 1e6 ? 6 : v < 1e7 ? 7 : v < 1e8 ? 8 : 9;
/** A safe integer in decimal. */
export function writeInteger(out: ByteSink, value: number): void {
  out.reserve(24);
  const b = out.bytes;
  let p = out.length,
    n = value;
  if (n < 0) {
    b[p++] = 0x2d;
    n = -n;
  }
  if (n >= 1e9) {
    // Division of doubles is exact as long as the integer is safe.
    const high = Math.floor(n / 1e9);
    p = putDigits(b, p, digitCount(high), high);
    out.length = putDigits(b, p, 9, n - high * 1e9);
  } else out.length = putDigits(b, p, digitCount(n), n);
}
/** A text gets its quotes. */
export function writeScalar(out: ByteSink, value: number | bigint | string): void {
  if (typeof value === "number") writeInteger(out, value);
  else writeAscii(out, typeof value === "string" ? `"${value}"` : value.toString());
}
/** Times of rows that were written together are of the same day. */
let lastDays = 0,
  lastDate = civilFromDays(0);
/** The quoted text `YYYY-MM-DDTHH:MM:SS[.f]Z`; false (nothing written): a year that has not four digits. `digits`: of the fraction, 0 to 6. */
export function writeInstant(out: ByteSink, seconds: number, micros: number, digits: number): boolean {
  const days = Math.floor(seconds / 86_400);
  // 1 January of the years 0 and 10000.
  if (days < -719_528 || days >= 2_932_897) return false;
  if (days !== lastDays) {
    lastDays = days;
    lastDate = civilFromDays(days);
  }
  const [year, month, day] = lastDate;
  const clock = seconds - days * 86_400;
  out.reserve(40);
  const b = out.bytes;
  let p = out.length;
  b[p] = 0x22;
  p = putDigits(b, p + 1, 4, year);
  b[p] = 0x2d;
  p = putDigits(b, p + 1, 2, month);
  b[p] = 0x2d;
  p = putDigits(b, p + 1, 2, day);
  b[p] = 0x54;
  p = putDigits(b, p + 1, 2, (clock / 3600) | 0);
  b[p] = 0x3a;
  p = putDigits(b, p + 1, 2, ((clock / 60) | 0) % 60);
  b[p] = 0x3a;
  p = putDigits(b, p + 1, 2, clock % 60);
  if (digits > 0) {
    b[p] = 0x2e;
    putDigits(b, p + 1, 6, micros);
    p += 1 + digits;
  }
  b[p] = 0x5a;
  b[p + 1] = 0x22;
  out.length = p + 2;
  return true;
}
const BASE64 = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

/** The shortest two's complement, big-endian, of a safe integer: java.math.BigInteger.toByteArray. */
export function twosComplement(value: number, into: Uint8Array): number {
  let size = 1;
  for (let limit = 128; value >= limit || value < -limit; limit *= 256) size++;
  let n = value;
  for (let i = size - 1; i >= 0; i--) {
    const q = Math.floor(n / 256);
    into[i] = n - q * 256;
    n = q;
  }
  return size;
}
export function bigintBytes(value: bigint): Uint8Array {
  const hex = (value < 0n ? -value - 1n : value).toString(16);
  const bits = (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.charAt(0), 16)));
  const bytes = Math.floor(bits / 8) + 1;
  return Buffer.from(
    BigInt.asUintN(bytes * 8, value)
      .toString(16)
      .padStart(bytes * 2, "0"),
    "hex",
  );
}
/** Base64 of the first `size` bytes, in quotes. */
export function writeQuotedBase64(out: ByteSink, from: Uint8Array, size: number): void {
  out.reserve(((size + 2) / 3 + 1) * 4 + 2);
  const b = out.bytes;
  let p = out.length;
  b[p++] = 0x22;
  let i = 0;
  for (; i + 2 < size; i += 3) {
    const v = ((from[i] as number) << 16) | ((from[i + 1] as number) << 8) | (from[i + 2] as number);
    b[p++] = BASE64[v >> 18] as number;
    b[p++] = BASE64[(v >> 12) & 63] as number;
    b[p++] = BASE64[(v >> 6) & 63] as number;
    b[p++] = BASE64[v & 63] as number;
  }
  if (i < size) {
    const one = i + 1 === size;
    const v = ((from[i] as number) << 16) | (one ? 0 : (from[i + 1] as number) << 8);
    b[p++] = BASE64[v >> 18] as number;
    b[p++] = BASE64[(v >> 12) & 63] as number;
    b[p++] = one ? 0x3d : (BASE64[(v >> 6) & 63] as number);
    b[p++] = 0x3d;
  }
  b[p++] = 0x22;
  out.length = p;
}
/** A column of texts in ASCII without anything that JSON escapes. */
export const asciiColumn = (of: (b: Uint8Array, start: number, end: number) => string): RawColumn => ({
  form: "writer",
  decode: of,
  write(b, start, end, out) {
    writeAscii(out, `"${of(b, start, end)}"`);
    return true;
  },
});
/** Java's Double.toString. */
export function javaDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-3 && magnitude < 1e7) {
    const text = String(value);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}
