/** date, time, timetz, timestamp, timestamptz and interval in every `time.precision.mode`. */
import type { ByteSink } from "#connect/api/byte-sink";
import type { RawColumn } from "#connect/api/raw-row";
import type { ConnectValue } from "#connect/api/value";
import * as semantic from "../cdc/semantic-types.ts";
import { ascii, asciiColumn, writeAscii, writeInteger } from "../cdc/cell-bytes.ts";
import type { ColumnType, TypeModes } from "./column-type.ts";
import {
  dateText,
  infinityAt,
  instantText,
  intervalMicros,
  intervalText,
  moment,
  readDate,
  readInterval,
  readTime,
  readTimestamp,
  timeText,
} from "./temporal-text.ts";

const DAY_MICROS = 86_400_000_000;
/** What the reference makes of infinite values, in microseconds and days: [snapshot, stream] × [+, -]. */
const INFINITE_MICROS = 9_223_372_036_825_200_000n;
const MINUS_INFINITE_MICROS = -9_223_372_036_832_400_000n;
const infiniteMicros = (sign: number): bigint => (sign > 0 ? INFINITE_MICROS : MINUS_INFINITE_MICROS);
const infiniteDays = (sign: number, snapshot: boolean): number =>
  snapshot ? (sign > 0 ? -622_191_234 : -625_821_272) : sign > 0 ? -2_147_472_692 : -2_147_472_691;

type IntegerOf = (b: Uint8Array, start: number, end: number) => number | bigint;

/** A column whose values are integers: written straight to JSON, decoded to number or bigint. */
function integerColumn(of: IntegerOf, wide: boolean): RawColumn {
  return {
    form: "writer",
    decode(b, start, end) {
      const value = of(b, start, end);
      return wide ? BigInt(value) : Number(value);
    },
    write(b, start, end, out: ByteSink) {
      const value = of(b, start, end);
      if (typeof value === "number") writeInteger(out, value);
      else writeAscii(out, value.toString());
      return true;
    },
  };
}
/** What a Date can hold, in milliseconds; a whole number of days. Infinite and very late values are cut to it where Dates are made. */
const DATE_LIMIT_MS = 8.64e15;
/** Connect's own types: Dates in memory, in JSON the number of their `unit` (86400000: days). */
const dateColumn = (of: IntegerOf, unitMs = 1): RawColumn => ({
  ...integerColumn(of, false),
  decode: (b, start, end): ConnectValue => new Date(Math.min(DATE_LIMIT_MS, Math.max(-DATE_LIMIT_MS, Number(of(b, start, end)) * unitMs))),
});

/** Microseconds since 1970; exact as a number only inside ±2^53, else a bigint. Saturates as Java's TimeUnit does. */
const timestampMicros: IntegerOf = (b, start, end) => {
  const infinite = infinityAt(b, start);
  if (infinite !== 0) return infiniteMicros(infinite);
  readTimestamp(b, start, end);
  const value = moment.days * DAY_MICROS + moment.micros;
  if (value > -9e15 && value < 9e15) return value;
  const seconds = BigInt(moment.days) * 86_400n + BigInt(Math.floor(moment.micros / 1_000_000));
  const max = 9_223_372_036_854_775_807n;
  const whole = seconds * 1_000_000n > max ? max : seconds * 1_000_000n;
  return BigInt.asIntN(64, whole + BigInt(((moment.micros % 1_000_000) + 1_000_000) % 1_000_000));
};
const timestampMs: IntegerOf = (b, start, end) => {
  const infinite = infinityAt(b, start);
  if (infinite !== 0) return infiniteMicros(infinite) / 1000n;
  readTimestamp(b, start, end);
  const value = moment.days * 86_400_000 + Math.floor(moment.micros / 1000);
  return value < 9e15 ? value : BigInt(moment.days) * 86_400_000n + BigInt(Math.floor(moment.micros / 1000));
};
const NANOS_MAX = 9_223_372_036_854_775_807n;
/** 64 bits reach from 1677 to 2262; what is outside is the nearest end, never a wrapped value in between. */
const timestampNanos: IntegerOf = (b, start, end) => {
  const nanos = BigInt(timestampMicros(b, start, end)) * 1000n;
  return nanos > NANOS_MAX ? NANOS_MAX : nanos < -NANOS_MAX - 1n ? -NANOS_MAX - 1n : nanos;
};
const timeMicros: IntegerOf = (b, start, end) => {
  readTime(b, start, end);
  return moment.micros;
};
const timeMs: IntegerOf = (b, start, end) => {
  readTime(b, start, end);
  return Math.floor(moment.micros / 1000);
};
const timeNanos: IntegerOf = (b, start, end) => BigInt(timeMicros(b, start, end)) * 1000n;
const dayOf =
  (snapshot: boolean): IntegerOf =>
  (b, start, end) => {
    const infinite = infinityAt(b, start);
    if (infinite !== 0) return infiniteDays(infinite, snapshot);
    readDate(b, start, end);
    return moment.days;
  };

const column = (
  shape: ColumnType["shape"],
  raw: RawColumn,
  neutral: ConnectValue,
  generatedDefault: string,
  defaultFrom?: ColumnType["defaultFrom"],
): ColumnType => ({
  shape,
  raw,
  neutral,
  unavailable: null,
  generatedDefault,
  ...(defaultFrom !== undefined && { defaultFrom }),
});
type Ends = readonly [latest: ConnectValue, earliest: ConnectValue];
/** Defaults: infinite ones are the ends of Java's types, as those overflow in the reference; what is no literal is none. */
const endsOf =
  (form: RegExp, [latest, earliest]: Ends) =>
  (literal: string): ConnectValue | undefined =>
    literal === "infinity" ? latest : literal === "-infinity" ? earliest : form.test(literal) ? undefined : null;
const DATE_FORM = /^\d{4,}-\d\d-\d\d/;
const dateEnds = (ends: Ends): ColumnType["defaultFrom"] => endsOf(DATE_FORM, ends);
/** 24:00 becomes the last moment of the day. */
const timeDefault =
  (last: ConnectValue) =>
  (literal: string): ConnectValue | undefined =>
    literal.startsWith("24:00") ? last : /^\d\d:\d\d/.test(literal) ? undefined : null;

export function dateType(modes: TypeModes): ColumnType {
  const day = dayOf(modes.snapshot);
  if (modes.time === "isostring") {
    const iso = (b: Uint8Array, start: number, end: number): string => {
      const infinite = infinityAt(b, start);
      if (infinite !== 0 && modes.snapshot) return infinite > 0 ? "+292278994-08-16Z" : "+292269055-12-02Z";
      if (infinite !== 0) return infinite > 0 ? "-5877611-06-21Z" : "-5877611-06-22Z";
      return `${dateText(Number(day(b, start, end)))}Z`;
    };
    return column(semantic.isoDate, asciiColumn(iso), "1970-01-01Z", "1970-01-01", dateEnds(["+999999999-12-31Z", "-999999999-01-01Z"]));
  }
  if (modes.time === "connect") {
    return column(semantic.connectDate, dateColumn(day, 86_400_000), new Date(0), "1970-01-01", dateEnds([null, null]));
  }
  return column(semantic.debeziumDate, integerColumn(day, false), 0, "1970-01-01", dateEnds([169_560_311, -170_999_002]));
}

/** `precision`: fraction digits of the column, 0–6. */
export function timeType(modes: TypeModes, precision: number): ColumnType {
  switch (modes.time) {
    case "isostring":
      return column(
        semantic.isoTime,
        // 24:00 is no time of a day in ISO's profile that Java reads.
        asciiColumn((b, start, end) => `${timeText(Number(timeMicros(b, start, end)) % DAY_MICROS, null)}Z`),
        "00:00:00Z",
        "00:00:00",
        timeDefault("23:59:59.999999999Z"),
      );
    case "connect":
      return column(semantic.connectTime, dateColumn(timeMs), new Date(0), "00:00:00", timeDefault(new Date(86_399_999)));
    case "nanoseconds":
      return column(semantic.nanoTime, integerColumn(timeNanos, true), 0n, "00:00:00", timeDefault(86_399_999_999_999n));
    case "adaptive":
      if (precision <= 3) return column(semantic.debeziumTime, integerColumn(timeMs, false), 0, "00:00:00", timeDefault(86_399_999));
  }
  return column(semantic.microTime, integerColumn(timeMicros, true), 0n, "00:00:00", timeDefault(86_399_999_999n));
}

const ISO_ENDS: Ends = ["+999999999-12-31T23:59:59.999999999Z", "-999999999-01-01T00:00:00Z"];
const MICRO_ENDS: Ends = [-9_223_372_036_853_775_810n, -9_223_372_036_854_775_808n];
const NANO_ENDS: Ends = [7_852_397_722_631_405_567n, -3_028_005_206_664_544_256n];

export function timestampType(modes: TypeModes, precision: number): ColumnType {
  const epoch = "1970-01-01 00:00:00";
  switch (modes.time) {
    case "isostring": {
      const iso = (b: Uint8Array, start: number, end: number): string => {
        const infinite = infinityAt(b, start);
        if (infinite !== 0) return infinite > 0 ? "+294247-01-10T04:00:25.2Z" : "-290308-12-21T19:59:27.6Z";
        readTimestamp(b, start, end);
        return instantText(moment.days, moment.micros, null);
      };
      return column(semantic.isoTimestamp, asciiColumn(iso), "1970-01-01T00:00:00Z", epoch, dateEnds(ISO_ENDS));
    }
    case "connect":
      return column(semantic.connectTimestamp, dateColumn(timestampMs), new Date(0), epoch, dateEnds([null, null]));
    case "nanoseconds":
      return column(semantic.nanoTimestamp, integerColumn(timestampNanos, true), 0n, epoch, dateEnds(NANO_ENDS));
    case "microseconds":
      return column(semantic.microTimestamp, integerColumn(timestampMicros, true), 0n, epoch, dateEnds(MICRO_ENDS));
  }
  return precision <= 3
    ? column(semantic.timestampMillis, integerColumn(timestampMs, true), 0n, epoch, dateEnds([null, null]))
    : column(semantic.microTimestamp, integerColumn(timestampMicros, true), 0n, epoch, dateEnds(MICRO_ENDS));
}

/** Copies `YYYY-MM-DD HH:MM:SS[.f]+00` as `"YYYY-MM-DDTHH:MM:SS.ffffffZ"`; false for years of another length and other zones. */
function copyUtc(b: Uint8Array, start: number, end: number, out: ByteSink, precision: number): boolean {
  const size = end - start;
  if (size < 22 || size > 29 || b[start + 4] !== 0x2d || b[end - 3] !== 0x2b || b[end - 2] !== 0x30 || b[end - 1] !== 0x30) return false;
  out.reserve(32);
  const o = out.bytes;
  let p = out.length;
  o[p++] = 0x22;
  for (let i = start; i < start + 19; i++) o[p++] = b[i] as number;
  o[p - 9] = 0x54;
  if (precision > 0) {
    o[p++] = 0x2e;
    let i = start + 20;
    for (let n = 0; n < precision; n++) o[p++] = i < end - 3 ? (b[i++] as number) : 0x30;
  }
  o[p++] = 0x5a;
  o[p++] = 0x22;
  out.length = p;
  return true;
}

export function timestamptzType(precision: number): ColumnType {
  const text = (b: Uint8Array, start: number, end: number): string => {
    if (infinityAt(b, start) !== 0) return ascii(b, start, end);
    readTimestamp(b, start, end);
    return instantText(moment.days, moment.micros, precision);
  };
  const raw: RawColumn = {
    form: "writer",
    decode: text,
    write(b, start, end, out) {
      if (!copyUtc(b, start, end, out, precision)) writeAscii(out, `"${text(b, start, end)}"`);
      return true;
    },
  };
  return column(semantic.zonedTimestamp, raw, "1970-01-01T00:00:00Z", "1970-01-01 00:00:00+00", dateEnds([null, null]));
}

/** Shown in UTC; the date that this may move it to does not count. */
export function timetzType(): ColumnType {
  const text = (b: Uint8Array, start: number, end: number): string => {
    readTime(b, start, end);
    const micros = moment.micros - moment.offsetSeconds * 1_000_000;
    return `${timeText(((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS, null)}Z`;
  };
  return { shape: semantic.zonedTime, raw: asciiColumn(text), neutral: "00:00:00Z", unavailable: null };
}

export function intervalType(modes: TypeModes): ColumnType {
  const parts = (b: Uint8Array, start: number, end: number): ReturnType<typeof readInterval> => readInterval(ascii(b, start, end));
  return modes.interval === "string"
    ? column(
        semantic.intervalText,
        asciiColumn((b, start, end) => intervalText(parts(b, start, end))),
        "P0Y0M0DT0H0M0S",
        "00:00:00",
      )
    : column(
        semantic.microDuration,
        integerColumn((b, start, end) => intervalMicros(parts(b, start, end)), true),
        0n,
        "00:00:00",
      );
}
