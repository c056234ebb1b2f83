/**
 * Values as text: ISO dates, plain numbers, hexadecimal bytes, as PostgreSQL reads them. One function per schema, chosen once; Kafka's and Debezium's logical types are
 * told by the schema's name (Debezium documentation, "Data type mappings").
 */
import { civilFromDays } from "#connect/api/civil-date";
import { DATE, DECIMAL, type Schema, TIME, TIMESTAMP } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { type ConnectValue, Decimal } from "#connect/api/value";
import type { ToText } from "./dialect.ts";

const DAY_MS = 86_400_000;
/** Scalars as Java and PostgreSQL both print them; anything else as JSON. */
const plain = (value: ConnectValue): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "bigint" || typeof value === "boolean"
    ? String(value)
    : jsonText(value);
const pad = (n: number, width: number): string => String(n).padStart(width, "0");

/** Days since the epoch to PostgreSQL's date text, proleptic Gregorian, BC included. */
export function dateText(days: number): string {
  const [year, month, day] = civilFromDays(days);
  const text = `${pad(month, 2)}-${pad(day, 2)}`;
  return year > 0 ? `${pad(year, 4)}-${text}` : `${pad(1 - year, 4)}-${text} BC`;
}
/** What Debezium's Postgres connector writes for infinite timestamps, in microseconds. */
const INFINITY_US = 9223372036825200000n;
const MINUS_INFINITY_US = -9223372036832400000n;

function timestampText(units: bigint, unitsPerSecond: bigint): string {
  if (units === INFINITY_US) return "infinity";
  if (units === MINUS_INFINITY_US) return "-infinity";
  const perDay = unitsPerSecond * 86400n;
  let day = units / perDay;
  let rest = units % perDay;
  if (rest < 0n) {
    rest += perDay;
    day -= 1n;
  }
  const date = dateText(Number(day));
  const bc = date.endsWith(" BC");
  return `${bc ? date.slice(0, -3) : date} ${timeText(rest, unitsPerSecond)}${bc ? " BC" : ""}`;
}
function timeText(units: bigint, unitsPerSecond: bigint): string {
  const seconds = Number(units / unitsPerSecond);
  const digits = String(unitsPerSecond).length - 1;
  // PostgreSQL keeps microseconds.
  const fraction = String(units % unitsPerSecond)
    .padStart(digits, "0")
    .slice(0, 6);
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}.${fraction}`;
}
const big = (value: ConnectValue): bigint => (typeof value === "bigint" ? value : BigInt(Number(value)));
/** ISO years outside 0001–9999 become PostgreSQL's form. */
function zonedText(value: ConnectValue): string {
  const text = plain(value);
  if (text.startsWith("-")) return `${pad(1 - Number(text.slice(0, text.indexOf("-", 1))), 4)}${text.slice(text.indexOf("-", 1))} BC`;
  return text.startsWith("+") ? text.slice(1) : text;
}
function bytesText(value: ConnectValue): string {
  return value instanceof Uint8Array ? `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString("hex")}` : plain(value);
}
/** io.debezium.data.Bits: little-endian bytes; `length` bits, the highest first in the text. */
export function bitsText(value: ConnectValue, length: number): string {
  if (!(value instanceof Uint8Array)) return plain(value);
  let text = "";
  for (let i = value.length - 1; i >= 0; i--) text += (value[i] ?? 0).toString(2).padStart(8, "0");
  return length > 0 ? text.slice(-length).padStart(length, "0") : text;
}
function unscaled(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`));
}
function variableScale(value: ConnectValue): string {
  if (!(value instanceof Struct)) return plain(value);
  const bytes = value.get("value");
  return bytes instanceof Uint8Array ? new Decimal(unscaled(bytes), Number(value.get("scale"))).toPlainString() : "NaN";
}
function pointText(value: ConnectValue): string {
  if (!(value instanceof Struct)) return plain(value);
  return `(${plain(value.get("x"))},${plain(value.get("y"))})`;
}
const date = (value: ConnectValue): Date => (value instanceof Date ? value : new Date(Number(value)));
function daysText(value: ConnectValue): string {
  const days = Number(value);
  if (days === 2147483647) return "infinity";
  return days === -2147483648 ? "-infinity" : dateText(days);
}
/** JSON of a map or a struct without a type of its own. Integers stay exact. */
export function jsonText(value: ConnectValue): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Struct)
    return `{${value.schema.fields.map((f) => `${JSON.stringify(f.name)}:${jsonText(value.at(f.index))}`).join(",")}}`;
  if (value instanceof Map) return `{${[...value].map(([k, v]) => `${JSON.stringify(plain(k))}:${jsonText(v)}`).join(",")}}`;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (value instanceof Decimal) return value.toPlainString();
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString("base64"));
  return JSON.stringify(value);
}

const BY_NAME: ReadonlyMap<string, (schema: Schema) => ToText> = new Map<string, (schema: Schema) => ToText>([
  [DECIMAL, () => (v) => (v instanceof Decimal ? v.toPlainString() : plain(v))],
  [DATE, () => (v) => dateText(Math.floor(date(v).getTime() / DAY_MS))],
  [TIME, () => (v) => timeText(BigInt(date(v).getTime()), 1000n)],
  [TIMESTAMP, () => (v) => timestampText(BigInt(date(v).getTime()), 1000n)],
  ["io.debezium.time.Date", () => daysText],
  ["io.debezium.time.Time", () => (v) => timeText(big(v), 1000n)],
  ["io.debezium.time.MicroTime", () => (v) => timeText(big(v), 1_000_000n)],
  ["io.debezium.time.NanoTime", () => (v) => timeText(big(v), 1_000_000_000n)],
  ["io.debezium.time.Timestamp", () => (v) => timestampText(big(v), 1000n)],
  ["io.debezium.time.MicroTimestamp", () => (v) => timestampText(big(v), 1_000_000n)],
  ["io.debezium.time.NanoTimestamp", () => (v) => timestampText(big(v), 1_000_000_000n)],
  ["io.debezium.time.ZonedTimestamp", () => zonedText],
  ["io.debezium.time.ZonedTime", () => (v) => plain(v)],
  ["io.debezium.time.MicroDuration", () => (v) => `${big(v)} microseconds`],
  ["io.debezium.data.Bits", (s) => (v) => bitsText(v, Number(s.parameters?.["length"] ?? 0))],
  ["io.debezium.data.VariableScaleDecimal", () => variableScale],
  ["io.debezium.data.geometry.Point", () => pointText],
]);

export function toText(schema: Schema): ToText {
  const named = schema.name === null ? undefined : BY_NAME.get(schema.name);
  if (named !== undefined) return named(schema);
  if (schema.type === "BYTES") return bytesText;
  if (schema.type === "ARRAY") {
    const element = schema.valueSchema === null ? plain : toText(schema.valueSchema);
    return (v) => arrayLiteral(Array.isArray(v) ? v.map((e: ConnectValue) => (e === null ? null : element(e))) : []);
  }
  if (schema.type === "MAP" || schema.type === "STRUCT") return jsonText;
  return plain;
}

/** PostgreSQL's array input syntax; null elements as NULL. */
export function arrayLiteral(elements: readonly (string | null)[]): string {
  let text = "{";
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i] ?? null;
    if (i > 0) text += ",";
    text += element === null ? "NULL" : `"${NEEDS_ESCAPE.test(element) ? element.replaceAll(/["\\]/g, "\\$&") : element}"`;
  }
  return `${text}}`;
}
const NEEDS_ESCAPE = /["\\]/;
