/** What the dialects have in common in types of new columns and in values as text. */
import { DECIMAL, type Schema } from "#connect/api/schema";
import type { ToText } from "./dialect.ts";
import { jsonText } from "./value-text.ts";

export interface DecimalLimits {
  readonly precisionMax: number;
  readonly scaleMax: number;
  /** Where the schema tells none. */
  readonly precisionDefault: number;
}
/** The type of a column by the name of its schema; undefined: its type decides. `types`: of Kafka's and Debezium's logical types. */
export function logicalType(schema: Schema, types: ReadonlyMap<string, string>, limits: DecimalLimits): string | undefined {
  const named = schema.name === null ? undefined : types.get(schema.name);
  return named ?? (schema.name === DECIMAL ? decimalType(schema, limits) : undefined);
}
function decimalType(schema: Schema, { precisionMax, scaleMax, precisionDefault }: DecimalLimits): string {
  const scale = Math.min(scaleMax, Math.max(0, Number(schema.parameters?.["scale"] ?? 0)));
  const precision = Number(schema.parameters?.["connect.decimal.precision"] ?? precisionDefault);
  return `decimal(${Math.min(precisionMax, Math.max(precision, scale, 1))},${scale})`;
}
/** Booleans as digits, arrays as JSON; null: of neither type. */
export function digitOrJson(schema: Schema): ToText | null {
  if (schema.type === "BOOLEAN") return (v) => (v === true ? "1" : "0");
  return schema.type === "ARRAY" ? jsonText : null;
}
