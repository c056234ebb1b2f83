/** date, time, datetime, datetime2, smalldatetime and datetimeoffset in every `time.precision.mode`. */
import { daysFromCivil } from "#connect/api/civil-date";
import type { RawColumn } from "#connect/api/raw-row";
import type { ConnectValue } from "#connect/api/value";
import { utf8, writeScalar } from "../cdc/cell-bytes.ts";
import { clockText, dateText } from "../cdc/iso-text.ts";
import * as semantic from "../cdc/semantic-types.ts";
import type { HandlingModes } from "../cdc/handling-modes.ts";
import type { ColumnType } from "./column-type.ts";
import { RowBytes } from "./row-bytes.ts";

const DAY_MS = 86_400_000;
const DAY_NANOS = 86_400_000_000_000;
/** A cell: days since 1970 (4 bytes), nanoseconds of the day (8, a double). */
const CELL_BYTES = 12;

function writeMoment(out: RowBytes, days: number, nanos: number): void {
  out.reserve(CELL_BYTES);
  out.bytes.writeInt32LE(days, out.length);
  out.bytes.writeDoubleLE(nanos, out.length + 4);
  out.length += CELL_BYTES;
}
/** The driver's Date; what a millisecond cannot hold stands beside it, in seconds. */
function encodeDate(value: unknown, out: RowBytes): void {
  const date = value as Date & { readonly nanosecondsDelta?: number };
  const ms = date.getTime();
  const days = Math.floor(ms / DAY_MS);
  writeMoment(out, days, (ms - days * DAY_MS) * 1_000_000 + Math.round((date.nanosecondsDelta ?? 0) * 1e9));
}
const view = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength);
const daysAt = (b: Uint8Array, start: number): number => view(b).getInt32(start, true);
const nanosAt = (b: Uint8Array, start: number): number => view(b).getFloat64(start + 4, true);

type ValueOf = (days: number, nanos: number) => number | bigint | string;

const TEXT = /^(?:(\d{4})-(\d{1,2})-(\d{1,2}))?[ T]?(?:(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(?: ?([+-]\d{2}:\d{2}|Z))?$/;
interface Moment {
  readonly days: number;
  readonly nanos: number;
  readonly zone: string | null;
}
/** Null: not a text of this form. A time without date is on the first day of 1970, as the server's PARSE gives today. */
function parseMoment(text: string): Moment | null {
  const compact = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  const m = TEXT.exec(compact === null ? text.trim() : `${compact[1]}-${compact[2]}-${compact[3]}`);
  if (m === null || (m[1] === undefined && m[4] === undefined)) return null;
  const days = m[1] === undefined ? 0 : daysFromCivil(Number(m[1]), Number(m[2]), Number(m[3]));
  const seconds = Number(m[4] ?? 0) * 3600 + Number(m[5] ?? 0) * 60 + Number(m[6] ?? 0);
  return { days, nanos: seconds * 1e9 + Number((m[7] ?? "").padEnd(9, "0")), zone: m[8] ?? null };
}
/** Text of a default without its parentheses and quotes: two characters at each end. */
const defaultText = (text: string): string => text.slice(2, -2);

function temporal(shape: ColumnType["shape"], neutral: ConnectValue, valueOf: ValueOf): ColumnType {
  const asDate = neutral instanceof Date;
  const wide = typeof neutral === "bigint";
  const decode = (b: Uint8Array, start: number): ConnectValue => {
    const value = valueOf(daysAt(b, start), nanosAt(b, start));
    if (asDate) return new Date(Number(value));
    return typeof value === "number" && wide ? BigInt(value) : value;
  };
  const raw: RawColumn = asDate
    ? { form: "decode", decode }
    : {
        form: "writer",
        decode,
        write(b, start, _end, out) {
          const value = valueOf(daysAt(b, start), nanosAt(b, start));
          writeScalar(out, value);
          return true;
        },
      };
  return {
    shape,
    neutral,
    encode: encodeDate,
    raw,
    defaultOf(text) {
      const moment = parseMoment(defaultText(text));
      if (moment === null) return undefined;
      const out = new RowBytes();
      writeMoment(out, moment.days, moment.nanos);
      return decode(out.bytes, 0);
    },
  };
}

/** As many digits of the fraction as there are, without zeros at the end. */
function nanosText(nanos: number): string {
  const seconds = Math.floor(nanos / 1e9);
  const fraction = String(nanos - seconds * 1e9).padStart(9, "0");
  return clockText(seconds, fraction.replace(/0+$/, ""));
}

export function dateType(modes: HandlingModes): ColumnType {
  if (modes.time === "isostring") return temporal(semantic.isoDate, "1970-01-01Z", (days) => `${dateText(days)}Z`);
  if (modes.time === "connect") return temporal(semantic.connectDate, new Date(0), (days) => days * DAY_MS);
  return temporal(semantic.debeziumDate, 0, (days) => days);
}
const millisOf: ValueOf = (_days, nanos) => Math.floor(nanos / 1e6);
const microsOf: ValueOf = (_days, nanos) => Math.floor(nanos / 1000);

/** `scale`: digits of the fraction. */
export function timeType(scale: number, modes: HandlingModes): ColumnType {
  switch (modes.time) {
    case "isostring":
      return temporal(semantic.isoTime, "00:00:00Z", (_days, nanos) => `${nanosText(nanos)}Z`);
    case "connect":
      return temporal(semantic.connectTime, new Date(0), millisOf);
    case "nanoseconds":
      return temporal(semantic.nanoTime, 0n, (_days, nanos) => nanos);
    case "microseconds":
    case "adaptive_time_microseconds":
      return temporal(semantic.microTime, 0n, microsOf);
    default:
      if (scale <= 3) return temporal(semantic.debeziumTime, 0, millisOf);
      return scale <= 6 ? temporal(semantic.microTime, 0n, microsOf) : temporal(semantic.nanoTime, 0n, (_days, nanos) => nanos);
  }
}
const epochMillis: ValueOf = (days, nanos) => days * DAY_MS + Math.floor(nanos / 1e6);
const epochMicros: ValueOf = (days, nanos) => {
  const value = days * DAY_MS * 1000 + Math.floor(nanos / 1000);
  return Number.isSafeInteger(value) ? value : BigInt(days) * BigInt(DAY_MS * 1000) + BigInt(Math.floor(nanos / 1000));
};
/** Beyond the years 1677 to 2262 it wraps around, as 64 bits do. */
const epochNanos: ValueOf = (days, nanos) => BigInt.asIntN(64, BigInt(days) * BigInt(DAY_NANOS) + BigInt(nanos));

export function timestampType(scale: number, modes: HandlingModes): ColumnType {
  switch (modes.time) {
    case "isostring":
      return temporal(semantic.isoTimestamp, "1970-01-01T00:00:00Z", (days, nanos) => `${dateText(days)}T${nanosText(nanos)}Z`);
    case "connect":
      return temporal(semantic.connectTimestamp, new Date(0), epochMillis);
    case "nanoseconds":
      return temporal(semantic.nanoTimestamp, 0n, epochNanos);
    case "microseconds":
      return temporal(semantic.microTimestamp, 0n, epochMicros);
    default:
      if (scale <= 3) return temporal(semantic.timestampMillis, 0n, epochMillis);
      return scale <= 6 ? temporal(semantic.microTimestamp, 0n, epochMicros) : temporal(semantic.nanoTimestamp, 0n, epochNanos);
  }
}

/** `2024-02-29 12:34:56.7891234 -00:30`, as the server writes it, in ISO 8601 with its own offset. */
function zonedText(text: string): string | null {
  const moment = parseMoment(text);
  if (moment === null) return null;
  const zone = moment.zone === null || moment.zone === "+00:00" ? "Z" : moment.zone;
  return `${dateText(moment.days)}T${nanosText(moment.nanos)}${zone}`;
}
/** The driver drops the offset, so the text is asked for. */
export const zonedType: ColumnType = {
  shape: semantic.zonedTimestamp,
  neutral: "1970-01-01T00:00:00Z",
  encode: (value, out) => out.ascii(zonedText(String(value)) ?? String(value)),
  raw: { form: "text", decode: utf8 },
  defaultOf: (text) => zonedText(defaultText(text)) ?? undefined,
  select: (name) => `CONVERT(varchar(34), ${name}, 121)`,
};
