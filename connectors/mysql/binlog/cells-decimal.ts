/**
 * MySQL's packed decimals: groups of nine digits in four big-endian bytes, what is left over in fewer; the first bit is
 * inverted, and all bytes are for negative numbers (decimal2bin in MySQL's strings/decimal.cc).
 */
import { BinlogError, truncated } from "./failures.ts";

/** Bytes that a group of 0 to 9 digits takes. */
const GROUP_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;
const groupBytes = (digits: number): number => GROUP_BYTES[digits] ?? 0;

export function decimalBytes(precision: number, scale: number): number {
  if (precision < 1 || precision > 81 || scale > precision)
    throw new BinlogError("corrupt", `A decimal has (${precision},${scale}) digits`);
  const whole = precision - scale;
  return Math.floor(whole / 9) * 4 + groupBytes(whole % 9) + Math.floor(scale / 9) * 4 + groupBytes(scale % 9);
}

/** A group of digits at `p`. `mask` undoes the inversion of all bytes, `first` that of the number's first bit. */
function groupValue(b: Uint8Array, p: number, digits: number, mask: number, first: number): number {
  const size = groupBytes(digits);
  let value = ((b[p] as number) ^ mask ^ first) & 0xff;
  for (let i = 1; i < size; i++) value = value * 256 + (((b[p + i] as number) ^ mask) & 0xff);
  return value;
}
/** Its text into `out` at `o`. */
function writeGroup(b: Uint8Array, p: number, digits: number, mask: number, first: number, out: Uint8Array, o: number): void {
  let value = groupValue(b, p, digits, mask, first);
  for (let i = o + digits - 1; i >= o; i--) {
    const q = Math.floor(value / 10);
    out[i] = 48 + (value - q * 10);
    value = q;
  }
}
const FIRST_BIT = 0x80;

/** Powers of ten by the digits of a group. */
const POWER = [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;
/** More digits than these are not exact in a double. */
export const EXACT_DIGITS_MAX = 15;
/** The cell's digits without the point, as an integer; `precision` at most EXACT_DIGITS_MAX. */
export function unscaledDecimal(b: Uint8Array, start: number, precision: number, scale: number): number {
  const negative = ((b[start] as number) & FIRST_BIT) === 0;
  const mask = negative ? 0xff : 0;
  let p = start,
    value = 0,
    first = FIRST_BIT;
  // What is left over from groups of nine stands at the outer ends.
  for (let left = precision - scale; left > 0; ) {
    const digits = left > 9 ? left - 9 : left;
    value = value * (POWER[digits] as number) + groupValue(b, p, digits, mask, first);
    first = 0;
    p += groupBytes(digits);
    left -= digits;
  }
  for (let left = scale; left > 0; ) {
    const digits = left < 9 ? left : 9;
    value = value * (POWER[digits] as number) + groupValue(b, p, digits, mask, first);
    first = 0;
    p += groupBytes(digits);
    left -= digits;
  }
  return negative ? -value : value;
}

/** The cell as a number's text with exactly `scale` digits after the point, without leading zeros; into `out` (ASCII). */
export function writeDecimal(b: Uint8Array, start: number, precision: number, scale: number, out: Uint8Array, at: number): number {
  const whole = precision - scale;
  // In a positive number the first bit is set.
  const negative = ((b[start] as number) & FIRST_BIT) === 0;
  const mask = negative ? 0xff : 0;
  let p = start,
    o = at,
    first = FIRST_BIT;
  if (negative) out[o++] = 0x2d;
  const firstDigit = o;
  for (let left = whole; left > 0; ) {
    // What is left over from groups of nine stands at the outer ends.
    const digits = left % 9 === 0 ? 9 : left % 9;
    writeGroup(b, p, digits, mask, first, out, o);
    first = 0;
    p += groupBytes(digits);
    o += digits;
    left -= digits;
  }
  // Leading zeros go, but one stays before the point.
  let zeros = firstDigit;
  while (zeros < o - 1 && out[zeros] === 48) zeros++;
  if (zeros > firstDigit) {
    out.copyWithin(firstDigit, zeros, o);
    o -= zeros - firstDigit;
  } else if (whole === 0) out[o++] = 48;
  if (scale === 0) return o;
  out[o++] = 0x2e;
  for (let left = scale; left > 0; ) {
    const digits = left < 9 ? left : 9;
    writeGroup(b, p, digits, mask, first, out, o);
    first = 0;
    p += groupBytes(digits);
    o += digits;
    left -= digits;
  }
  return o;
}
/** Room that `writeDecimal` needs. */
export const DECIMAL_TEXT_MAX = 90;

const scratch = Buffer.alloc(DECIMAL_TEXT_MAX);
/** Throws BinlogError when the cell is too short. */
export function decimalText(b: Uint8Array, start: number, end: number, precision: number, scale: number): string {
  if (end - start < decimalBytes(precision, scale)) throw truncated("A decimal");
  return scratch.latin1Slice(0, writeDecimal(b, start, precision, scale, scratch, 0));
}
