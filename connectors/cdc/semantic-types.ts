/** Schemas with a meaning: Debezium's names, and Connect's own logical types where a mode asks for them. */
import { arrayOf, DATE, DECIMAL, mapOf, primitive, type Schema, type SchemaOptions, structOf, TIME, TIMESTAMP } from "#connect/api/schema";

export type Shape = (options: SchemaOptions) => Schema;

const named =
  (type: "INT32" | "INT64" | "STRING" | "BYTES", name: string): Shape =>
  (options) =>
    primitive(type, { name, version: 1, ...options });

export const debeziumDate = named("INT32", "io.debezium.time.Date");
export const debeziumTime = named("INT32", "io.debezium.time.Time");
export const microTime = named("INT64", "io.debezium.time.MicroTime");
export const nanoTime = named("INT64", "io.debezium.time.NanoTime");
export const timestampMillis = named("INT64", "io.debezium.time.Timestamp");
export const microTimestamp = named("INT64", "io.debezium.time.MicroTimestamp");
export const nanoTimestamp = named("INT64", "io.debezium.time.NanoTimestamp");
export const zonedTimestamp = named("STRING", "io.debezium.time.ZonedTimestamp");
export const zonedTime = named("STRING", "io.debezium.time.ZonedTime");
export const isoDate = named("STRING", "io.debezium.time.IsoDate");
export const isoTime = named("STRING", "io.debezium.time.IsoTime");
export const isoTimestamp = named("STRING", "io.debezium.time.IsoTimestamp");
export const year = named("INT32", "io.debezium.time.Year");
export const microDuration = named("INT64", "io.debezium.time.MicroDuration");
export const intervalText = named("STRING", "io.debezium.time.Interval");
export const json = named("STRING", "io.debezium.data.Json");
export const xml = named("STRING", "io.debezium.data.Xml");
export const uuid = named("STRING", "io.debezium.data.Uuid");
export const ltree = named("STRING", "io.debezium.data.Ltree");
export const tsvector = named("STRING", "io.debezium.data.Tsvector");
export const connectDate = named("INT32", DATE);
export const connectTime = named("INT32", TIME);
export const connectTimestamp = named("INT64", TIMESTAMP);

/** `values` in the order of the type's declaration. */
export const enumeration =
  (values: readonly string[]): Shape =>
  (options) =>
    primitive("STRING", {
      name: "io.debezium.data.Enum",
      version: 1,
      ...options,
      parameters: { allowed: values.join(","), ...options.parameters },
    });
/** `values` in the order of the type's declaration; of a SET several may be chosen. */
export const enumerationSet =
  (values: readonly string[]): Shape =>
  (options) =>
    primitive("STRING", {
      name: "io.debezium.data.EnumSet",
      version: 1,
      ...options,
      parameters: { allowed: values.join(","), ...options.parameters },
    });
export const floatVector: Shape = (options) =>
  arrayOf(primitive("FLOAT32"), { name: "io.debezium.data.FloatVector", version: 1, ...options });
export const doubleVector: Shape = (options) =>
  arrayOf(primitive("FLOAT64"), { name: "io.debezium.data.DoubleVector", version: 1, ...options });
export const sparseVector: Shape = (options) =>
  structOf(
    [
      ["dimensions", primitive("INT16")],
      ["vector", mapOf(primitive("INT16"), primitive("FLOAT64"))],
    ],
    { name: "io.debezium.data.SparseDoubleVector", version: 1, doc: "Sparse double vector", ...options },
  );
export const bits =
  (length: number): Shape =>
  (options) =>
    primitive("BYTES", {
      name: "io.debezium.data.Bits",
      version: 1,
      ...options,
      parameters: { length: String(length), ...options.parameters },
    });
/** `precision` null: not known (money). */
export const decimal =
  (scale: number, precision: number | null): Shape =>
  (options) =>
    primitive("BYTES", {
      name: DECIMAL,
      version: 1,
      ...options,
      parameters: {
        scale: String(scale),
        ...(precision === null ? {} : { "connect.decimal.precision": String(precision) }),
        ...options.parameters,
      },
    });
export const variableScaleDecimal: Shape = (options) =>
  structOf(
    [
      ["scale", primitive("INT32")],
      ["value", primitive("BYTES")],
    ],
    { name: "io.debezium.data.VariableScaleDecimal", version: 1, doc: "Variable scaled decimal", ...options },
  );
export const point: Shape = (options) =>
  structOf(
    [
      ["x", primitive("FLOAT64")],
      ["y", primitive("FLOAT64")],
      ["wkb", primitive("BYTES", { optional: true })],
      ["srid", primitive("INT32", { optional: true })],
    ],
    { name: "io.debezium.data.geometry.Point", version: 1, doc: "Geometry (POINT)", ...options },
  );
/** Debezium's Geometry is optional also where its column is NOT NULL; Geography and Point are not. */
export const geometry =
  (name: "Geometry" | "Geography"): Shape =>
  (options) =>
    structOf(
      [
        ["wkb", primitive("BYTES")],
        ["srid", primitive("INT32", { optional: true })],
      ],
      { name: `io.debezium.data.geometry.${name}`, version: 1, doc: name, ...options, ...(name === "Geometry" && { optional: true }) },
    );
