/** How Java prints values (String.valueOf), because FileStreamSink writes records that way. */
import { Struct } from "#connect/api/struct";
import { Boxed, type ConnectArray, type ConnectMap, type ConnectValue, Decimal } from "#connect/api/value";

function double(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  const size = Math.abs(value);
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}
/** Fields, entries and elements as java.util's toString joins them. `float` says that a number is Java's Double or Float. */
export function javaText(value: ConnectValue, float: boolean): string {
  if (value === null) return "null";
  if (typeof value === "string") return value;
  if (typeof value === "number") return float ? double(value) : String(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Boxed)
    return value.type === "float32" && typeof value.value === "number" ? double(value.value) : String(value.value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
  if (value instanceof Struct) return structText(value);
  if (isMap(value)) {
    return `{${[...value].map(([k, v]) => `${javaText(k, float)}=${javaText(v, float)}`).join(", ")}}`;
  }
  return `[${value.map((v) => javaText(v, float)).join(", ")}]`;
}
const isMap = (value: ConnectArray | ConnectMap): value is ConnectMap => value instanceof Map;
/** Null fields are left out, as in Connect's Struct. */
function structText(struct: Struct): string {
  const fields: string[] = [];
  for (const field of struct.schema.fields) {
    const value = struct.at(field.index) ?? field.schema.default ?? null;
    if (value !== null) fields.push(`${field.name}=${javaText(value, field.schema.type === "FLOAT64" || field.schema.type === "FLOAT32")}`);
  }
  return `Struct{${fields.join(",")}}`;
}
