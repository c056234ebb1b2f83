/**
 * Dates and times of the row format: the old ones (before MySQL 5.6, and MariaDB's without fraction) little-endian, the ones
 * with a 2 big-endian with 0 to 3 bytes of fraction. Nothing is checked against a calendar: zero dates and the 31st of
 * February are values too. Microseconds are of the fraction only.
 */
import { bigEndian, uint16, uint24, uint32, uint64 } from "./bytes.ts";
import { COLUMN_TYPE as T, type ColumnTypeCode } from "./column-types.ts";

/** One object, filled anew by each call. `hours` of TIME go up to 838. */
export interface DateTimeParts {
  negative: boolean;
  year: number;
  month: number;
  day: number;
  hours: number;
  minutes: number;
  seconds: number;
  micros: number;
}
export const dateTimeParts = (): DateTimeParts => ({
  negative: false,
  year: 0,
  month: 0,
  day: 0,
  hours: 0,
  minutes: 0,
  seconds: 0,
  micros: 0,
});

/** Microseconds in the (digits + 1) / 2 bytes of a fraction. */
function fraction(b: Uint8Array, p: number, digits: number): number {
  if (digits === 0) return 0;
  if (digits <= 2) return (b[p] as number) * 10000;
  if (digits <= 4) return bigEndian(b, p, 2) * 100;
  return bigEndian(b, p, 3);
}
function clear(into: DateTimeParts): void {
  into.negative = false;
  into.year = 0;
  into.month = 0;
  into.day = 0;
  into.hours = 0;
  into.minutes = 0;
  into.seconds = 0;
  into.micros = 0;
}

/** DATE and NEWDATE: 3 bytes. */
export function readDate(b: Uint8Array, p: number, into: DateTimeParts): void {
  clear(into);
  const value = uint24(b, p);
  into.day = value & 31;
  into.month = (value >> 5) & 15;
  into.year = value >> 9;
}
/** DATETIME: YYYYMMDDhhmmss in 8 bytes, or DATETIME2. */
export function readDateTime(b: Uint8Array, p: number, type: ColumnTypeCode, digits: number, into: DateTimeParts): void {
  clear(into);
  if (type === T.DATETIME) {
    const value = uint64(b, p);
    const date = Number(value / 1000000n),
      time = Number(value % 1000000n);
    into.year = Math.floor(date / 10000);
    into.month = Math.floor(date / 100) % 100;
    into.day = date % 100;
    into.hours = Math.floor(time / 10000);
    into.minutes = Math.floor(time / 100) % 100;
    into.seconds = time % 100;
    return;
  }
  // 1 bit sign (always set), 17 bits year * 13 + month, 5 day, 5 hours, 6 minutes, 6 seconds.
  const high = ((b[p] as number) << 16) | ((b[p + 1] as number) << 8) | (b[p + 2] as number);
  const low = ((b[p + 3] as number) << 8) | (b[p + 4] as number);
  const months = (high & 0x7fffff) >> 6;
  into.year = Math.floor(months / 13);
  into.month = months % 13;
  into.day = (high >> 1) & 31;
  into.hours = ((high & 1) << 4) | (low >> 12);
  into.minutes = (low >> 6) & 63;
  into.seconds = low & 63;
  into.micros = fraction(b, p + 5, digits);
}
/** TIME: ±hhmmss in 3 bytes, or TIME2. */
export function readTime(b: Uint8Array, p: number, type: ColumnTypeCode, digits: number, into: DateTimeParts): void {
  clear(into);
  if (type === T.TIME) {
    const signed = (uint24(b, p) << 8) >> 8;
    into.negative = signed < 0;
    const value = Math.abs(signed);
    into.hours = Math.floor(value / 10000);
    into.minutes = Math.floor(value / 100) % 100;
    into.seconds = value % 100;
    return;
  }
  // Seconds and fraction are one number, offset so that it sorts: its magnitude is taken as a whole.
  const size = 3 + ((digits + 1) >> 1);
  const zero = 0x800000 * 256 ** (size - 3);
  const raw = bigEndian(b, p, size) - zero;
  into.negative = raw < 0;
  const value = Math.abs(raw);
  const scale = 256 ** (size - 3);
  const time = Math.floor(value / scale),
    part = value - time * scale;
  into.hours = (time >> 12) & 1023;
  into.minutes = (time >> 6) & 63;
  into.seconds = time & 63;
  into.micros = digits === 0 ? 0 : digits <= 2 ? part * 10000 : digits <= 4 ? part * 100 : part;
}
/** Seconds since 1970 (0 is the zero timestamp). */
export const timestampSeconds = (b: Uint8Array, p: number, type: ColumnTypeCode): number =>
  type === T.TIMESTAMP ? uint32(b, p) : bigEndian(b, p, 4);
export const timestampMicros = (b: Uint8Array, p: number, type: ColumnTypeCode, digits: number): number =>
  type === T.TIMESTAMP ? 0 : fraction(b, p + 4, digits);
/** YEAR: 1901 to 2155, or 0. */
export const readYear = (b: Uint8Array, p: number): number => (b[p] === 0 ? 0 : 1900 + (b[p] as number));

/** The members of a SET as a bit mask, and the number of an ENUM's member. */
export const enumIndex = (b: Uint8Array, start: number, end: number): number =>
  end - start === 1 ? (b[start] as number) : uint16(b, start);
export function setMask(b: Uint8Array, start: number, end: number): bigint {
  let mask = 0n;
  for (let i = end - 1; i >= start; i--) mask = (mask << 8n) | BigInt(b[i] as number);
  return mask;
}
