/** DATE, TIME, DATETIME and TIMESTAMP in every `time.precision.mode`. */
import type { RawColumn } from "#connect/api/raw-row";
import type { ConnectValue } from "#connect/api/value";
import { writeInstant, writeScalar } from "../cdc/cell-bytes.ts";
import { clockText, dateText } from "../cdc/iso-text.ts";
import * as semantic from "../cdc/semantic-types.ts";
import type { TableColumn } from "./binlog/types.ts";
import type { ColumnType, TypeModes } from "./column-type.ts";
import { binlogReader, daysOf, epochOf, moment, type MomentReader, textDateTime, textTime, timestampReader } from "./moment.ts";
import { zoneOffsetSeconds } from "./time-zone.ts";

const DAY_MICROS = 86_400_000_000;
/** Of what the reader left in `moment`; null: not a date, or not representable. */
type ValueOf = () => number | bigint | string | null;

function column(read: MomentReader, valueOf: ValueOf, wide: boolean): RawColumn {
  return {
    form: "writer",
    decode(b, start, end): ConnectValue {
      read(b, start, end);
      const value = valueOf();
      return typeof value === "number" && wide ? BigInt(value) : value;
    },
    write(b, start, end, out) {
      read(b, start, end);
      const value = valueOf();
      if (value === null) return false;
      writeScalar(out, value);
      return true;
    },
  };
}
/** Connect's own logical types: milliseconds that become a Date. */
function dateColumn(read: MomentReader, valueOf: ValueOf): RawColumn {
  return {
    form: "decode",
    decode(b, start, end): ConnectValue {
      read(b, start, end);
      const value = valueOf();
      return value === null ? null : new Date(Number(value));
    },
  };
}
const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

/** A type from how its values are made; the default is a text like the snapshot's. */
function temporal(
  shape: ColumnType["shape"],
  text: MomentReader,
  log: (wire: TableColumn) => MomentReader,
  valueOf: ValueOf,
  neutral: ConnectValue,
): ColumnType {
  const make = (read: MomentReader): RawColumn =>
    neutral instanceof Date ? dateColumn(read, valueOf) : column(read, valueOf, typeof neutral === "bigint");
  const fromText = make(text);
  return {
    shape,
    neutral,
    text: fromText,
    binlog: (wire) => make(log(wire)),
    defaultOf(t) {
      const bytes = bytesOf(t);
      if (!/\d/.test(t)) return undefined;
      return fromText.decode(bytes, 0, bytes.length) ?? undefined;
    },
  };
}

/** `digits` null: as many as there are without zeros at the end. */
function microsText(micros: number, digits: number | null): string {
  const fraction = String(micros % 1_000_000).padStart(6, "0");
  return clockText(Math.floor(micros / 1_000_000), digits === null ? fraction.replace(/0+$/, "") : fraction.slice(0, digits));
}

export function dateType(modes: TypeModes): ColumnType {
  const days = (): number | null => daysOf(modes.adjustYears);
  const then =
    (f: (d: number) => number | string): ValueOf =>
    () => {
      const d = days();
      return d === null ? null : f(d);
    };
  switch (modes.time) {
    case "isostring":
      return temporal(
        semantic.isoDate,
        textDateTime,
        binlogReader,
        then((d) => `${dateText(d)}Z`),
        "1970-01-01Z",
      );
    case "connect":
      return temporal(
        semantic.connectDate,
        textDateTime,
        binlogReader,
        then((d) => d * 86_400_000),
        new Date(0),
      );
    default:
      return temporal(semantic.debeziumDate, textDateTime, binlogReader, days, 0);
  }
}

/** A TIME of a day; MySQL's may also be negative or long, which only numbers can say. */
const ofDay =
  (f: (micros: number) => number | string): ValueOf =>
  () =>
    moment.micros < 0 || moment.micros >= DAY_MICROS ? null : f(moment.micros);

const OUTSIDE_A_DAY =
  "it holds a TIME outside of a day, which this time.precision.mode cannot say: use adaptive_time_microseconds, or give the column a default";

export function timeType(modes: TypeModes): ColumnType {
  const type = timeOf(modes);
  return modes.time === "isostring" || modes.time === "connect" ? { ...type, refuses: OUTSIDE_A_DAY } : type;
}
function timeOf(modes: TypeModes): ColumnType {
  switch (modes.time) {
    case "isostring":
      return temporal(
        semantic.isoTime,
        textTime,
        binlogReader,
        ofDay((m) => `${microsText(m, null)}Z`),
        "00:00:00Z",
      );
    case "connect":
      return temporal(
        semantic.connectTime,
        textTime,
        binlogReader,
        ofDay((m) => Math.floor(m / 1000)),
        new Date(0),
      );
    case "nanoseconds":
      return temporal(semantic.nanoTime, textTime, binlogReader, () => BigInt(moment.micros) * 1000n, 0n);
    default:
      return temporal(semantic.microTime, textTime, binlogReader, () => moment.micros, 0n);
  }
}

const epochMicros = (days: number): number | bigint => {
  const value = days * DAY_MICROS + moment.micros;
  return value > -9e15 && value < 9e15 ? value : BigInt(days) * BigInt(DAY_MICROS) + BigInt(moment.micros);
};
/** `precision`: digits of the fraction that the column has. */
export function datetimeType(precision: number, modes: TypeModes): ColumnType {
  const then =
    (f: (days: number) => number | bigint | string): ValueOf =>
    () => {
      const days = daysOf(modes.adjustYears);
      return days === null ? null : f(days);
    };
  const type = (shape: ColumnType["shape"], f: (days: number) => number | bigint | string, neutral: ConnectValue): ColumnType =>
    temporal(shape, textDateTime, binlogReader, then(f), neutral);
  const millis = (days: number): number => days * 86_400_000 + Math.floor(moment.micros / 1000);
  switch (modes.time) {
    case "isostring":
      return type(semantic.isoTimestamp, (d) => `${dateText(d)}T${microsText(moment.micros, null)}Z`, "1970-01-01T00:00:00Z");
    case "connect":
      return type(semantic.connectTimestamp, millis, new Date(0));
    case "nanoseconds":
      return type(semantic.nanoTimestamp, (d) => BigInt.asIntN(64, BigInt(epochMicros(d)) * 1000n), 0n);
    case "microseconds":
      return type(semantic.microTimestamp, epochMicros, 0n);
    default:
      return precision <= 3 ? type(semantic.timestampMillis, millis, 0n) : type(semantic.microTimestamp, epochMicros, 0n);
  }
}

/** An instant; the snapshot cuts zeros at the end of the fraction, the log shows as many digits as the column has. */
export function timestampType(precision: number, modes: TypeModes): ColumnType {
  const { zone } = modes;
  const fromText: ValueOf = () => {
    const days = daysOf(false);
    if (days === null) return null;
    if (zone === null) return `${dateText(days)}T${microsText(moment.micros, null)}Z`;
    const local = days * 86_400 + Math.floor(moment.micros / 1_000_000);
    const utc = local - zoneOffsetSeconds(zone, local);
    const day = Math.floor(utc / 86_400);
    return `${dateText(day)}T${microsText((utc - day * 86_400) * 1_000_000 + (moment.micros % 1_000_000), null)}Z`;
  };
  const fromLog: ValueOf = () => {
    const { seconds, micros } = epochOf();
    const day = Math.floor(seconds / 86_400);
    return `${dateText(day)}T${microsText((seconds - day * 86_400) * 1_000_000 + micros, precision)}Z`;
  };
  // Defaults have the column's digits, too, and are taken for UTC.
  const asUtc: ValueOf = () => {
    const days = daysOf(false);
    return days === null ? null : `${dateText(days)}T${microsText(moment.micros, precision === 0 ? null : precision)}Z`;
  };
  const defaults = temporal(semantic.zonedTimestamp, textDateTime, binlogReader, asUtc, "1970-01-01T00:00:00Z");
  return {
    ...defaults,
    text: column(textDateTime, fromText, false),
    binlog: (wire) => instantColumn(timestampReader(wire), fromLog, precision),
  };
}
/** `read` leaves what it found in `epochOf()`. */
function instantColumn(read: MomentReader, text: ValueOf, precision: number): RawColumn {
  const slow = column(read, text, false);
  return {
    ...slow,
    write(b, start, end, out) {
      read(b, start, end);
      const { seconds, micros } = epochOf();
      return writeInstant(out, seconds, micros, precision) || (slow.write?.(b, start, end, out) ?? false);
    },
  };
}
