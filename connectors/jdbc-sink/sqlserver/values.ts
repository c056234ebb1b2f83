/** Types of new columns in SQL Server, and values as the text that its statements take. */
import { DATE, DECIMAL, type Schema, TIME, TIMESTAMP } from "#connect/api/schema";
import type { Column } from "../change.ts";
import { type DecimalLimits, digitOrJson, logicalType } from "../column-values.ts";
import type { ToText } from "../dialect.ts";
import { toText as isoText } from "../value-text.ts";

const DECIMALS: DecimalLimits = { precisionMax: 38, scaleMax: 38, precisionDefault: 38 };
const TYPES: ReadonlyMap<string, string> = new Map([
  [DATE, "date"],
  [TIME, "time(3)"],
  [TIMESTAMP, "datetime2(3)"],
  ["io.debezium.time.Date", "date"],
  ["io.debezium.time.Time", "time(3)"],
  ["io.debezium.time.MicroTime", "time(6)"],
  ["io.debezium.time.NanoTime", "time(7)"],
  ["io.debezium.time.Timestamp", "datetime2(3)"],
  ["io.debezium.time.MicroTimestamp", "datetime2(6)"],
  ["io.debezium.time.NanoTimestamp", "datetime2(7)"],
  ["io.debezium.time.ZonedTimestamp", "datetimeoffset(7)"],
  ["io.debezium.time.ZonedTime", "nvarchar(40)"],
  ["io.debezium.time.MicroDuration", "bigint"],
  ["io.debezium.data.Uuid", "uniqueidentifier"],
  ["io.debezium.data.Xml", "xml"],
  ["io.debezium.data.VariableScaleDecimal", `decimal(${DECIMALS.precisionMax},16)`],
]);
export function columnType({ schema, key }: Pick<Column, "schema" | "key">): string {
  const logical = logicalType(schema, TYPES, DECIMALS);
  if (logical !== undefined) return logical;
  switch (schema.type) {
    case "INT8":
    case "INT16":
      return "smallint";
    case "INT32":
      return "int";
    case "INT64":
      return "bigint";
    case "FLOAT32":
      return "real";
    case "FLOAT64":
      return "float";
    case "BOOLEAN":
      return "bit";
    // An index takes 900 bytes.
    case "BYTES":
      return key ? "varbinary(900)" : "varbinary(max)";
    case "STRING":
      return key ? "nvarchar(450)" : "nvarchar(max)";
    default:
      return "nvarchar(max)";
  }
}
export function toText(schema: Schema): ToText {
  const iso = isoText(schema);
  if (schema.name === "io.debezium.time.MicroDuration") return String;
  // Seven digits of a second are the most there is.
  if (schema.name === "io.debezium.time.ZonedTimestamp") return (v) => iso(v).replace(/(\.\d{7})\d+/, "$1");
  const simple = digitOrJson(schema);
  if (simple !== null) return simple;
  if (schema.type === "BYTES" && schema.name !== DECIMAL)
    return (v) => (v instanceof Uint8Array ? Buffer.from(v.buffer, v.byteOffset, v.length).toString("hex") : iso(v));
  return iso;
}
