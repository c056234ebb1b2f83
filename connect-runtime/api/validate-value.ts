/** Whether a value fits its schema: org.apache.kafka.connect.data.ConnectSchema.validateValue. */
import { DataError } from "./errors.ts";
import { isList, isMap, javaClass } from "./java-text.ts";
import { sameSchema } from "./same-schema.ts";
import { DATE, DECIMAL, TIME, TIMESTAMP, type Schema } from "./schema.ts";
import { Struct } from "./struct.ts";
import { Decimal, type ConnectValue } from "./value.ts";

const NUMBER_RANGES = { INT8: 128, INT16: 32768, INT32: 2147483648 } as const;

/** Throws DataError with Kafka's message; `where` names the place in it. */
export function validateValue(schema: Schema, value: ConnectValue, where = "value"): void {
  if (value === null) {
    if (schema.optional) return;
    throw new DataError(`Invalid value: null used for required ${where}, schema type: ${schema.type}`);
  }
  if (!fits(schema, value)) {
    const named = schema.name === null ? "" : ` "${schema.name}"`;
    throw new DataError(`Invalid Java object for schema${named} with type ${schema.type}: ${javaClass(value)} for ${where}`);
  }
  if (value instanceof Struct) {
    if (!sameSchema(value.schema, schema)) throw new DataError("Struct schemas do not match.");
  } else if (isList(value) && schema.valueSchema !== null) {
    for (const item of value) validateValue(schema.valueSchema, item, `element of array ${where}`);
  } else if (isMap(value)) {
    for (const [k, v] of value) {
      if (schema.keySchema !== null) validateValue(schema.keySchema, k, `key of map ${where}`);
      if (schema.valueSchema !== null) validateValue(schema.valueSchema, v, `value of map ${where}`);
    }
  }
}
function fits(schema: Schema, value: ConnectValue): boolean {
  switch (schema.name) {
    case DECIMAL:
      return value instanceof Decimal;
    case DATE:
    case TIME:
    case TIMESTAMP:
      return value instanceof Date;
    default:
  }
  switch (schema.type) {
    case "INT8":
    case "INT16":
    case "INT32": {
      const limit = NUMBER_RANGES[schema.type];
      return typeof value === "number" && Number.isInteger(value) && value >= -limit && value < limit;
    }
    case "INT64":
      return typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
    case "FLOAT32":
    case "FLOAT64":
      return typeof value === "number";
    case "BOOLEAN":
      return typeof value === "boolean";
    case "STRING":
      return typeof value === "string";
    case "BYTES":
      return value instanceof Uint8Array;
    case "ARRAY":
      return isList(value);
    case "MAP":
      return isMap(value);
    case "STRUCT":
      return value instanceof Struct;
  }
}
/** Struct.validate: every field. */
export function validateStruct(struct: Struct): void {
  for (const f of struct.schema.fields) {
    const value = struct.at(f.index);
    if (value === null && (f.schema.optional || (f.schema.default ?? null) !== null)) continue;
    validateValue(f.schema, value, `field: "${f.name}"`);
  }
}
