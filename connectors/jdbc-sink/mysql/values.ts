/** Types of new columns in MySQL and MariaDB, and values as the text that their statements take. */
import { DECIMAL, type Schema, TIME, TIMESTAMP, DATE } from "#connect/api/schema";
import type { Column } from "../change.ts";
import { type DecimalLimits, digitOrJson, logicalType } from "../column-values.ts";
import type { ToText } from "../dialect.ts";
import { toText as isoText } from "../value-text.ts";

/** The precision without one of its own is the reference's dialect's. */
const DECIMALS: DecimalLimits = { precisionMax: 65, scaleMax: 30, precisionDefault: 38 };
const TYPES: ReadonlyMap<string, string> = new Map([
  [DATE, "date"],
  [TIME, "time(3)"],
  [TIMESTAMP, "datetime(3)"],
  ["io.debezium.time.Date", "date"],
  ["io.debezium.time.Time", "time(3)"],
  ["io.debezium.time.MicroTime", "time(6)"],
  ["io.debezium.time.NanoTime", "time(6)"],
  ["io.debezium.time.Timestamp", "datetime(3)"],
  ["io.debezium.time.MicroTimestamp", "datetime(6)"],
  ["io.debezium.time.NanoTimestamp", "datetime(6)"],
  ["io.debezium.time.ZonedTimestamp", "datetime(6)"],
  ["io.debezium.time.ZonedTime", "time(6)"],
  ["io.debezium.time.MicroDuration", "bigint"],
  ["io.debezium.time.Year", "year"],
  ["io.debezium.data.Json", "json"],
  ["io.debezium.data.Uuid", "char(36)"],
  ["io.debezium.data.VariableScaleDecimal", `decimal(${DECIMALS.precisionMax},${DECIMALS.scaleMax})`],
]);
const isBits = (schema: Schema): boolean => schema.name === "io.debezium.data.Bits";
/** InnoDB's keys have to be of bounded length. */
const KEY_LENGTH = 255;

export function columnType({ schema, key }: Pick<Column, "schema" | "key">): string {
  const logical = logicalType(schema, TYPES, DECIMALS);
  if (logical !== undefined) return logical;
  if (isBits(schema)) return `bit(${Math.min(64, Number(schema.parameters?.["length"] ?? 64))})`;
  switch (schema.type) {
    case "INT8":
      return "tinyint";
    case "INT16":
      return "smallint";
    case "INT32":
      return "int";
    case "INT64":
      return "bigint";
    case "FLOAT32":
      return "float";
    case "FLOAT64":
      return "double";
    case "BOOLEAN":
      return "boolean";
    case "BYTES":
      return key ? `varbinary(${KEY_LENGTH})` : "longblob";
    case "STRING":
      return key ? `varchar(${KEY_LENGTH})` : "longtext";
    default:
      return "json";
  }
}
/** What stands in a statement for a value of the column. */
export function placeholder(schema: Schema): string {
  if (isBits(schema)) return "cast(conv(?, 2, 10) as unsigned)";
  return schema.type === "BYTES" && schema.name !== DECIMAL ? "unhex(?)" : "?";
}
const ZONED = /^([+-]?\d+-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;
/** In UTC, without the zone. */
export function utcText(text: string): string {
  const m = ZONED.exec(text);
  if (m === null) return text;
  const moment = new Date(`${m[1] ?? ""}T${m[2] ?? ""}${m[4] ?? ""}`);
  if (Number.isNaN(moment.getTime())) return text;
  const fraction = m[3] === undefined ? "" : `.${m[3].slice(0, 6)}`;
  return `${moment.toISOString().slice(0, 19).replace("T", " ")}${fraction}`;
}
function utcTime(text: string): string {
  const dated = utcText(`2000-01-01T${text}`);
  return dated.startsWith("2000") || dated.startsWith("1999") ? dated.slice(11) : text;
}
export function toText(schema: Schema): ToText {
  const iso = isoText(schema);
  switch (schema.name) {
    case "io.debezium.time.ZonedTimestamp":
      return (v) => utcText(iso(v));
    case "io.debezium.time.ZonedTime":
      return (v) => utcTime(iso(v));
    case "io.debezium.time.MicroDuration":
      return String;
    case "io.debezium.data.VariableScaleDecimal":
      return iso;
    default:
  }
  const simple = digitOrJson(schema);
  if (simple !== null) return simple;
  // isoText marks bytes as PostgreSQL's.
  if (schema.type === "BYTES" && schema.name !== DECIMAL && !isBits(schema)) return (v) => iso(v).replace(/^\\x/, "");
  return iso;
}
