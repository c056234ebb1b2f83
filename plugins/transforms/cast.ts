/** org.apache.kafka.connect.transforms.Cast: changes primitive types of fields or of the whole key or value. */
import type { ConfigValue } from "#connect/api/config";
import { booleanSetting, invalidConfig, listSetting, parseConfig } from "#connect/api/config-parse";
import { ConfigError, DataError } from "#connect/api/errors";
import { javaClass, javaToString } from "#connect/api/java-text";
import { dateToDays } from "#connect/api/logical";
import type { TransformPlugin } from "#connect/api/plugin";
import { DATE, primitive, TIME, TIMESTAMP, withOptions, type Schema, type SchemaType } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import { Boxed, Decimal, type ConnectValue } from "#connect/api/value";
import { temporalToString } from "#connect/api/values";
import { javaDouble } from "#connect/api/config-parse";
import { bothSides, bySchema, requireMap, requireStruct, sideOf, slotOf, splitPair } from "./side.ts";

const PURPOSE = "cast types";
const OUTPUT_TYPES = ["INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64", "BOOLEAN", "STRING"] as const;
type OutputType = (typeof OUTPUT_TYPES)[number];
const INPUT_TYPES: readonly SchemaType[] = [...OUTPUT_TYPES, "BYTES"];
const ALL_TYPES: readonly SchemaType[] = [...INPUT_TYPES, "ARRAY", "MAP", "STRUCT"];
const isOutput = (t: string): t is OutputType => OUTPUT_TYPES.some((o) => o === t);

function outputType(text: string): OutputType {
  const name = text.trim().toUpperCase();
  if (!ALL_TYPES.some((t) => t === name)) {
    const cause = `java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type.${name}`;
    throw new ConfigError(`Invalid value ${cause} for configuration Invalid type found in casting spec: ${text.trim()}`);
  }
  if (!isOutput(name))
    throw new ConfigError(`Cast transformation does not support casting to ${name}; supported types are [${OUTPUT_TYPES.join(", ")}]`);
  return name;
}
interface Casts {
  readonly whole: OutputType | null;
  readonly fields: ReadonlyMap<string, OutputType>;
}
function readSpec(spec: readonly string[]): Casts {
  const fields = new Map<string, OutputType>();
  let whole: OutputType | null = null;
  for (const mapping of spec) {
    const parts = splitPair(mapping);
    if (parts.length > 2) throw new ConfigError(invalidConfig("renames", spec, `Invalid rename mapping: ${mapping}`));
    if (parts.length === 1) whole = outputType(parts[0] ?? "");
    else fields.set((parts[0] ?? "").trim(), outputType(parts[1] ?? ""));
  }
  if (whole !== null && spec.length > 1)
    throw new ConfigError(
      "Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec",
    );
  return { whole, fields };
}
/** As Cast's own validator says it: without the name of the setting. */
function specErrors(value: ConfigValue): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) return ["Must specify at least one field to cast."];
  try {
    readSpec(value.map(String));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [error.message];
  }
}

/** The value as the number type of its class: dates become days or milliseconds first. */
function plain(value: ConnectValue, schema: Schema | null): ConnectValue {
  if (!(value instanceof Date)) return value instanceof Boxed ? value.value : value;
  switch (schema?.name) {
    case DATE:
      return BigInt(dateToDays(value));
    case TIME:
    case TIMESTAMP:
      return BigInt(value.getTime());
    default:
      return value;
  }
}
const INTEGER_BITS = { INT8: 8, INT16: 16, INT32: 32, INT64: 64 } as const;
/** Java's narrowing of a floating-point number: it stops at the limits of int or long, then drops high bits. */
function integerFromDouble(v: number, bits: number): bigint {
  if (Number.isNaN(v)) return 0n;
  const width = bits === 64 ? 64n : 32n;
  const limit = 1n << (width - 1n);
  if (!Number.isFinite(v)) return BigInt.asIntN(bits, v > 0 ? limit - 1n : -limit);
  const whole = BigInt(Math.trunc(v));
  return BigInt.asIntN(bits, whole >= limit ? limit - 1n : whole < -limit ? -limit : whole);
}
function decimalToBigint(d: Decimal): bigint {
  return d.scale > 0 ? d.unscaled / 10n ** BigInt(d.scale) : d.unscaled * 10n ** BigInt(-d.scale);
}
function outOfRange(value: ConnectValue): DataError {
  const cause = new DataError(`For input string: "${javaToString(value)}"`);
  return new DataError(`Value (${javaToString(value)}) was out of range for requested data type`, cause);
}
function toInteger(value: ConnectValue, given: ConnectValue, bits: 8 | 16 | 32 | 64, schema: Schema | null): bigint {
  if (typeof value === "bigint") return BigInt.asIntN(bits, value);
  if (typeof value === "number") return integerFromDouble(value, bits);
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (value instanceof Decimal) return BigInt.asIntN(bits, decimalToBigint(value));
  if (typeof value !== "string") throw unexpected(given, schema);
  if (!/^[+-]?\d{1,40}$/.test(value)) throw outOfRange(value);
  const n = BigInt(value.replace("+", ""));
  if (BigInt.asIntN(bits, n) !== n) throw outOfRange(value);
  return n;
}
const unexpected = (value: ConnectValue, schema: Schema | null): DataError =>
  new DataError(`Unexpected type in Cast transformation: ${javaClass(value, schema)}`);
function toDouble(value: ConnectValue, given: ConnectValue, schema: Schema | null): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Decimal) return Number(value.toString());
  if (typeof value !== "string") throw unexpected(given, schema);
  const parsed = javaDouble(value);
  if (parsed === null) throw outOfRange(value);
  return parsed;
}
function toText(value: ConnectValue, schema: Schema | null): string {
  if (value instanceof Date) return temporalToString(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  return javaToString(value, schema);
}
function toBoolean(value: ConnectValue, given: ConnectValue, schema: Schema | null): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value.toLowerCase() === "true";
  if (typeof value === "bigint") return value !== 0n;
  // Java's longValue: fractions count as zero.
  if (typeof value === "number") return integerFromDouble(value, 64) !== 0n;
  if (value instanceof Decimal) return BigInt.asIntN(64, decimalToBigint(value)) !== 0n;
  throw unexpected(given, schema);
}
const BOXES: Readonly<Partial<Record<OutputType, "int8" | "int16" | "int32" | "float32">>> = {
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  FLOAT32: "float32",
};
/** Schemaless results carry their type themselves. */
function castValue(given: ConnectValue, schema: Schema | null, to: OutputType, boxed: boolean): ConnectValue {
  if (given === null) return null;
  const inferred = schema === null ? schemalessType(given) : schema.type;
  if (inferred === null || !INPUT_TYPES.includes(inferred)) {
    if (inferred === null)
      throw new DataError(
        `Cast transformation was passed a value of type ${javaClass(given)} which is not supported by Connect's data API`,
      );
    throw new DataError(`Cast transformation does not support casting from ${inferred}; supported types are [${INPUT_TYPES.join(", ")}]`);
  }
  const value = plain(given, schema);
  const result = ((): ConnectValue => {
    switch (to) {
      case "INT8":
      case "INT16":
      case "INT32":
        return Number(toInteger(value, given, INTEGER_BITS[to], schema));
      case "INT64":
        return toInteger(value, given, 64, schema);
      case "FLOAT32":
        return Math.fround(toDouble(value, given, schema));
      case "FLOAT64":
        return toDouble(value, given, schema);
      case "BOOLEAN":
        return toBoolean(value, given, schema);
      case "STRING":
        return toText(given, schema);
    }
  })();
  const box = boxed ? BOXES[to] : undefined;
  return box !== undefined && typeof result === "number" ? new Boxed(box, result) : result;
}
function schemalessType(value: ConnectValue): SchemaType | null {
  if (value instanceof Date || value instanceof Decimal) return null;
  if (value instanceof Uint8Array) return "BYTES";
  if (value instanceof Boxed) return value.type === "bigint" ? null : value.type === "float32" ? "FLOAT32" : "INT32";
  if (value instanceof Struct) return "STRUCT";
  if (typeof value === "object") return Array.isArray(value) ? "ARRAY" : "MAP";
  return typeof value === "string" ? "STRING" : typeof value === "boolean" ? "BOOLEAN" : typeof value === "bigint" ? "INT64" : "FLOAT64";
}
function castSchema(schema: Schema, to: OutputType): Schema {
  const fallback = schema.default ?? null;
  return primitive(to, { optional: schema.optional, default: fallback === null ? undefined : castValue(fallback, schema, to, false) });
}

export const cast: TransformPlugin = {
  kind: "transform",
  name: "cast",
  classes: bothSides("Cast"),
  version: "4.1.0",
  config: [
    {
      name: "spec",
      type: "LIST",
      importance: "HIGH",
      doc: "Pairs field:type, or one type for the whole key or value. Types: int8, int16, int32, int64, float32, float64, boolean, string.",
      validate: specErrors,
    },
    {
      name: "replace.null.with.default",
      type: "BOOLEAN",
      default: true,
      importance: "MEDIUM",
      doc: "Whether a null field with a default takes that default.",
    },
  ],
  create(raw, className) {
    const config = parseConfig(cast.config, raw);
    const spec = listSetting(config, "spec");
    const { whole, fields } = readSpec(spec);
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const side = sideOf(className);
    const wholeSchema = bySchema((schema) => (whole === null ? schema : withOptions(castSchema(schema, whole), basicsOf(schema))));
    const structSchema = bySchema((schema) => {
      const builder = new StructBuilder();
      for (const f of schema.fields) {
        const to = fields.get(f.name);
        builder.field(f.name, to === undefined ? f.schema : castSchema(f.schema, to));
      }
      return builder.build({ ...basicsOf(schema), optional: schema.optional });
    });
    return {
      apply(record) {
        const value = side.value(record),
          schema = side.schema(record);
        if (value === null) return record;
        if (whole !== null)
          return side.with(record, schema === null ? null : wholeSchema(schema), castValue(value, schema, whole, schema === null));
        if (schema === null) {
          const map = new Map(requireMap(value, PURPOSE));
          for (const [name, to] of fields) if (map.has(name)) map.set(name, castValue(map.get(name) ?? null, null, to, true));
          return side.with(record, null, map);
        }
        if (schema.type !== "STRUCT") throw new DataError("Cannot list fields on non-struct type");
        const struct = requireStruct(value, PURPOSE, schema);
        const slots = struct.schema.fields.map((f) => {
          const given = slotOf(struct, f.index, f.schema, withDefault);
          const to = fields.get(f.name);
          return to === undefined ? given : castValue(given, f.schema, to, false);
        });
        const to = structSchema(struct.schema);
        return side.with(record, to, new Struct(to, slots));
      },
    };
  },
};
