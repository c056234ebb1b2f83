/** Dates and times as MySQL writes them: as text (snapshot, defaults) and in the binary log's packed forms. */
import { daysFromCivil } from "#connect/api/civil-date";
import { COLUMN_TYPE } from "./binlog/column-types.ts";
import type { TableColumn } from "./binlog/types.ts";

/**
 * What a reader found; one object for all cells, as an object for each would be most of the work. A month or day of zero makes
 * it no date. `micros`: of the day, or of a TIME (signed). `fraction`: digits of the second as they stood.
 */
export const moment = { year: 0, month: 0, day: 0, micros: 0 };
export type MomentReader = (b: Uint8Array, start: number, end: number) => void;

const SECOND = 1_000_000;
const SCALE = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1] as const;

function set(year: number, month: number, day: number, micros: number): void {
  moment.year = year;
  moment.month = month;
  moment.day = day;
  moment.micros = micros;
}
/** Days since 1970; null: no date. Years of two digits become what the server means by them. */
export function daysOf(adjustYears: boolean): number | null {
  const { year, month, day } = moment;
  if (month === 0 || day === 0) return null;
  return daysFromCivil(adjustYears && year < 100 ? year + (year < 70 ? 2000 : 1900) : year, month, day);
}

/** A run of digits from `at`; leaves the position after it in `stop`. */
let stop = 0;
function digits(b: Uint8Array, at: number, end: number): number {
  let value = 0,
    i = at;
  for (; i < end; i++) {
    const c = (b[i] as number) - 48;
    if (c < 0 || c > 9) break;
    value = value * 10 + c;
  }
  stop = i;
  return value;
}
/** `HH:MM:SS[.ffffff]` in microseconds. */
function clock(b: Uint8Array, at: number, end: number): number {
  const hours = digits(b, at, end);
  const minutes = stop < end ? digits(b, stop + 1, end) : 0;
  const seconds = stop < end ? digits(b, stop + 1, end) : 0;
  let micros = ((hours * 60 + minutes) * 60 + seconds) * SECOND;
  if (stop < end && b[stop] === 0x2e) {
    const from = stop + 1;
    const fraction = digits(b, from, Math.min(end, from + 6));
    micros += fraction * (SCALE[stop - from] as number);
  }
  return micros;
}
export const textTime: MomentReader = (b, start, end) => {
  const negative = b[start] === 0x2d;
  const micros = clock(b, negative ? start + 1 : start, end);
  set(0, 0, 0, negative ? -micros : micros);
};
/** `YYYY-MM-DD`, and the time after it if there is one. */
export const textDateTime: MomentReader = (b, start, end) => {
  const year = digits(b, start, end);
  const month = digits(b, stop + 1, end);
  const day = digits(b, stop + 1, end);
  set(year, month, day, stop < end ? clock(b, stop + 1, end) : 0);
};

function bigEndian(b: Uint8Array, start: number, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value = value * 256 + (b[start + i] as number);
  return value;
}
function fraction(b: Uint8Array, start: number, bytes: number): number {
  return bytes === 0 ? 0 : bigEndian(b, start, bytes) * (SCALE[bytes * 2] as number);
}
const packedDate: MomentReader = (b, start) => {
  const v = (b[start] as number) | ((b[start + 1] as number) << 8) | ((b[start + 2] as number) << 16);
  set(v >> 9, (v >> 5) & 15, v & 31, 0);
};
const clockOf = (v: number): number => ((((v >> 12) & 0x3ff) * 60 + ((v >> 6) & 63)) * 60 + (v & 63)) * SECOND;

/** TIME2: sign and magnitude around 0x800000, the fraction being part of the number. */
const time2 =
  (bytes: number): MomentReader =>
  (b, start) => {
    const unit = 256 ** bytes;
    const v = bigEndian(b, start, 3 + bytes) - 0x800000 * unit;
    const magnitude = Math.abs(v);
    const micros = clockOf(Math.floor(magnitude / unit)) + (bytes === 0 ? 0 : (magnitude % unit) * (SCALE[bytes * 2] as number));
    set(0, 0, 0, v < 0 ? -micros : micros);
  };
const datetime2 =
  (bytes: number): MomentReader =>
  (b, start) => {
    const v = bigEndian(b, start, 5) - 0x8000000000;
    const date = Math.floor(v / 0x20000),
      time = v % 0x20000,
      yearMonth = date >> 5;
    set(Math.floor(yearMonth / 13), yearMonth % 13, date & 31, clockOf(time) + fraction(b, start + 5, bytes));
  };
/** YYYYMMDDHHMMSS as a number: before MySQL 5.6. */
const oldDatetime: MomentReader = (b, start) => {
  let v = 0n;
  for (let i = 7; i >= 0; i--) v = v * 256n + BigInt(b[start + i] as number);
  const date = Number(v / 1_000_000n),
    time = Number(v % 1_000_000n);
  set(Math.floor(date / 10_000), Math.floor(date / 100) % 100, date % 100, hms(time));
};
const hms = (time: number): number => ((Math.floor(time / 10_000) * 60 + (Math.floor(time / 100) % 100)) * 60 + (time % 100)) * SECOND;
const oldTime: MomentReader = (b, start) => {
  const v = (b[start] as number) | ((b[start + 1] as number) << 8) | ((((b[start + 2] as number) << 24) >> 24) << 16);
  set(0, 0, 0, v < 0 ? -hms(-v) : hms(v));
};
/** Seconds since 1970 in UTC: the day is left to `epochMicros`. */
const epoch = { seconds: 0, micros: 0 };
export const epochOf = (): { readonly seconds: number; readonly micros: number } => epoch;

const fractionBytes = (wire: TableColumn): number => (wire.length + 1) >> 1;

export function binlogReader(wire: TableColumn): MomentReader {
  switch (wire.type) {
    case COLUMN_TYPE.TIME2:
      return time2(fractionBytes(wire));
    case COLUMN_TYPE.DATETIME2:
      return datetime2(fractionBytes(wire));
    case COLUMN_TYPE.DATETIME:
      return oldDatetime;
    case COLUMN_TYPE.TIME:
      return oldTime;
    default:
      return packedDate;
  }
}
/** TIMESTAMP: into `epochOf()`. */
export function timestampReader(wire: TableColumn): MomentReader {
  const bytes = wire.type === COLUMN_TYPE.TIMESTAMP2 ? fractionBytes(wire) : 0;
  if (wire.type === COLUMN_TYPE.TIMESTAMP)
    return (b, start) => {
      epoch.seconds =
        (b[start] as number) + (b[start + 1] as number) * 0x100 + (b[start + 2] as number) * 0x10000 + (b[start + 3] as number) * 0x1000000;
      epoch.micros = 0;
    };
  return (b, start) => {
    epoch.seconds = bigEndian(b, start, 4);
    epoch.micros = fraction(b, start + 4, bytes);
  };
}
