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

/** The cell as a number's text with exactly `scale` digits after the point, without leading zeros; into `out` (ASCII). */
export function writeDecimal(b: Uint8Array, start: number, precision: number, scale: number, out: Uint8Array, at: number): number {
  const whole = precision - scale;
  // In a positive number the first bit is set.
  const negative = ((b[start] as number) & 0x80) === 0;
  const mask = negative ? 0xff : 0;
  let p = start,
    o = at;
  if (negative) out[o++] = 0x2d;
  const firstDigit = o;
  let first = 0x80;
  const group = (digits: number): void => {
    const size = groupBytes(digits);
    let value = 0;
    for (let i = 0; i < size; i++) {
      value = value * 256 + (((b[p++] as number) ^ mask ^ first) & 0xff);
      first = 0;
    }
    for (let i = digits - 1; i >= 0; i--) {
      const q = Math.floor(value / 10);
      out[o + i] = 48 + (value - q * 10);
      value = q;
    }
    o += digits;
  };
  if (whole % 9 > 0) group(whole % 9);
  for (let i = Math.floor(whole / 9); i > 0; i--) group(9);
  // Leading zeros go, but one stays before the point.
  let zeros = firstDigit;
  while (zeros < o - 1 && out[zeros] === 48) zeros++;
  if (zeros > firstDigit) {
    out.copyWithin(firstDigit, zeros, o);
    o -= zeros - firstDigit;
  } else if (whole === 0) out[o++] = 48;
  if (scale === 0) return o;
  out[o++] = 0x2e;
  for (let i = Math.floor(scale / 9); i > 0; i--) group(9);
  if (scale % 9 > 0) group(scale % 9);
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
