/** Which PostgreSQL type a new column gets for a schema (Debezium documentation, JDBC connector, "Data and column type mappings"). */
import { DATE, DECIMAL, type Schema, TIME, TIMESTAMP } from "#connect/api/schema";

const BY_NAME: ReadonlyMap<string, (schema: Schema) => string> = new Map<string, (schema: Schema) => string>([
  [DECIMAL, decimal],
  [DATE, () => "date"],
  [TIME, () => "time(6) without time zone"],
  [TIMESTAMP, () => "timestamp(6) without time zone"],
  ["io.debezium.time.Date", () => "date"],
  ["io.debezium.time.Time", () => "time(3) without time zone"],
  ["io.debezium.time.MicroTime", () => "time(6) without time zone"],
  ["io.debezium.time.NanoTime", () => "time(6) without time zone"],
  ["io.debezium.time.Timestamp", () => "timestamp(3) without time zone"],
  ["io.debezium.time.MicroTimestamp", () => "timestamp(6) without time zone"],
  ["io.debezium.time.NanoTimestamp", () => "timestamp(6) without time zone"],
  ["io.debezium.time.ZonedTimestamp", () => "timestamp(6) with time zone"],
  ["io.debezium.time.ZonedTime", () => "time(6) with time zone"],
  ["io.debezium.time.MicroDuration", () => "interval"],
  ["io.debezium.time.Interval", () => "interval"],
  ["io.debezium.data.Json", () => "jsonb"],
  ["io.debezium.data.Uuid", () => "uuid"],
  ["io.debezium.data.Xml", () => "xml"],
  ["io.debezium.data.VariableScaleDecimal", () => "numeric"],
  ["io.debezium.data.Bits", (s) => `bit varying${s.parameters?.["length"] === undefined ? "" : `(${Number(s.parameters["length"])})`}`],
  ["io.debezium.data.geometry.Point", () => "point"],
]);

function decimal(schema: Schema): string {
  const scale = Number(schema.parameters?.["scale"] ?? 0);
  const precision = Number(schema.parameters?.["connect.decimal.precision"] ?? Number.NaN);
  return Number.isInteger(precision) && precision > 0 && precision <= 1000 ? `numeric(${precision},${scale})` : "numeric";
}

export function columnType(schema: Schema): string {
  const named = schema.name === null ? undefined : BY_NAME.get(schema.name);
  if (named !== undefined) return named(schema);
  switch (schema.type) {
    case "INT8":
    case "INT16":
      return "smallint";
    case "INT32":
      return "integer";
    case "INT64":
      return "bigint";
    case "FLOAT32":
      return "real";
    case "FLOAT64":
      return "double precision";
    case "BOOLEAN":
      return "boolean";
    case "BYTES":
      return "bytea";
    case "ARRAY":
      return schema.valueSchema === null ? "text[]" : `${columnType(schema.valueSchema)}[]`;
    case "MAP":
    case "STRUCT":
      return "jsonb";
    case "STRING":
      return "text";
  }
}
