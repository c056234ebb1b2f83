/** How Java prints values and names their classes: both stand in messages and outputs that clients compare. */
import { fieldsOfMs } from "./hybrid-calendar.ts";
import type { Schema } from "./schema.ts";
import { Struct } from "./struct.ts";
import { Boxed, Decimal, type ConnectValue } from "./value.ts";

/** Double.toString: `1.0`, `1.0E10`, `1.5E-5`. Digits are the shortest that round-trip. */
export function doubleToString(v: number): string {
  return fromShortest(v, v.toString());
}
/** Float.toString: the shortest digits that round-trip as a 32-bit value. */
export function floatToString(v: number): string {
  if (!Number.isFinite(v)) return fromShortest(v, v.toString());
  for (let digits = 1; digits <= 9; digits++) {
    const text = v.toPrecision(digits);
    if (Math.fround(Number(text)) === v) return fromShortest(v, Number(text).toString());
  }
  return fromShortest(v, v.toString());
}
function fromShortest(v: number, shortest: string): string {
  if (Number.isNaN(v)) return "NaN";
  if (!Number.isFinite(v)) return v > 0 ? "Infinity" : "-Infinity";
  const magnitude = Math.abs(v);
  if (magnitude === 0) return Object.is(v, -0) ? "-0.0" : "0.0";
  if (magnitude >= 1e-3 && magnitude < 1e7) return shortest.includes(".") ? shortest : `${shortest}.0`;
  const m = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(shortest);
  const whole = m?.[2] ?? "0",
    fraction = m?.[3] ?? "";
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  const leadingZeros = all.length - digits.length;
  const exponent = whole.length - 1 - leadingZeros + Number(m?.[4] ?? 0);
  const trimmed = digits.replace(/0+$/, "");
  return `${m?.[1] ?? ""}${trimmed.charAt(0)}.${trimmed.slice(1) || "0"}E${exponent}`;
}

const NUMBER_CLASSES: Readonly<Record<string, string>> = {
  INT8: "java.lang.Byte",
  INT16: "java.lang.Short",
  INT32: "java.lang.Integer",
  INT64: "java.lang.Long",
  FLOAT32: "java.lang.Float",
  FLOAT64: "java.lang.Double",
  int8: "java.lang.Byte",
  int16: "java.lang.Short",
  int32: "java.lang.Integer",
  float32: "java.lang.Float",
  bigint: "java.math.BigInteger",
};
/** Class.getName() of the value, `[B` for bytes. The schema tells which number a number is. */
export function javaClassName(value: ConnectValue, schema: Schema | null = null): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return "java.lang.String";
    case "boolean":
      return "java.lang.Boolean";
    case "bigint":
      return "java.lang.Long";
    case "number":
      return (schema === null ? undefined : NUMBER_CLASSES[schema.type]) ?? "java.lang.Double";
    default:
  }
  if (value instanceof Boxed) return NUMBER_CLASSES[value.type] ?? "java.lang.Object";
  if (value instanceof Struct) return "org.apache.kafka.connect.data.Struct";
  if (value instanceof Decimal) return "java.math.BigDecimal";
  if (value instanceof Date) return "java.util.Date";
  if (value instanceof Uint8Array) return "[B";
  return Array.isArray(value) ? "java.util.ArrayList" : "java.util.HashMap";
}
/** `class java.lang.String`, as Class.toString prints; `null` for null. */
export const javaClass = (value: ConnectValue, schema: Schema | null = null): string =>
  value === null ? "null" : `class ${javaClassName(value, schema)}`;

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => String(n).padStart(2, "0");
/** java.util.Date.toString in the time zone UTC. */
export function dateToString(d: Date): string {
  const f = fieldsOfMs(d.getTime());
  const year = f.year > 0 ? f.year : 1 - f.year;
  return `${DAYS[f.weekday] ?? ""} ${MONTHS[f.month - 1] ?? ""} ${two(f.day)} ${two(f.hour)}:${two(f.minute)}:${two(f.second)} UTC ${year}`;
}

/** Object.toString of the value: what string concatenation in Java shows. */
export function javaToString(value: ConnectValue, schema: Schema | null = null): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return numberToString(value, schema);
    default:
  }
  if (value instanceof Boxed) return value.type === "float32" ? floatToString(Number(value.value)) : String(value.value);
  if (value instanceof Struct) return structToString(value);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Date) return dateToString(value);
  if (value instanceof Uint8Array) return "[B@0";
  if (isMap(value))
    return `{${Array.from(value, ([k, v]) => `${javaToString(k, schema?.keySchema)}=${javaToString(v, schema?.valueSchema)}`).join(", ")}}`;
  return `[${value.map((v) => javaToString(v, schema?.valueSchema)).join(", ")}]`;
}
export function numberToString(value: number, schema: Schema | null): string {
  if (schema === null || schema.type === "FLOAT64") return doubleToString(value);
  return schema.type === "FLOAT32" ? floatToString(value) : String(value);
}
/** Struct.toString: `Struct{a=1,b=x}`, null fields left out, bytes as Java's array toString cannot be compared. */
function structToString(s: Struct): string {
  let text = "";
  for (const f of s.schema.fields) {
    const v = s.at(f.index);
    if (v !== null) text += `${text === "" ? "" : ","}${f.name}=${javaToString(v, f.schema)}`;
  }
  return `Struct{${text}}`;
}
export const isMap = (value: ConnectValue): value is ReadonlyMap<ConnectValue, ConnectValue> => value instanceof Map;
export const isList = (value: ConnectValue): value is readonly ConnectValue[] => Array.isArray(value);
