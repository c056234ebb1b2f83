/** org.apache.kafka.connect.transforms.TimestampConverter: between texts, Unix times and Connect's Date, Time and Timestamp. */
import { oneOf } from "#connect/api/config-checks";
import { booleanSetting, parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConfigError, ConnectError, DataError } from "#connect/api/errors";
import { javaClass } from "#connect/api/java-text";
import { DAY_MS } from "#connect/api/logical";
import type { TransformPlugin } from "#connect/api/plugin";
import { DATE, primitive, TIME, TIMESTAMP, type Schema } from "#connect/api/schema";
import { SimpleDateFormat } from "#connect/api/simple-date-format";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { javaError } from "./debezium.ts";
import { bothSides, bySchema, requireMap, requireStructOrNull, sideOf, slotOf } from "./side.ts";

const PURPOSE = "converting timestamp formats";
const TYPES = ["string", "unix", "Date", "Time", "Timestamp"] as const;
type TimestampType = (typeof TYPES)[number];
const isType = (t: string): t is TimestampType => TYPES.some((k) => k === t);
/** How many units make a millisecond, or (negative) milliseconds a unit. */
const PRECISIONS: Readonly<Record<string, bigint>> = { nanoseconds: 1_000_000n, microseconds: 1000n, milliseconds: 1n, seconds: -1000n };

function typeOfSchema(schema: Schema): TimestampType {
  if (schema.name === TIMESTAMP) return "Timestamp";
  if (schema.name === DATE) return "Date";
  if (schema.name === TIME) return "Time";
  if (schema.type === "STRING") return "string";
  if (schema.type === "INT64") return "unix";
  const shown = schema.name === null ? schema.type : `${schema.name}:${schema.type}`;
  throw new ConnectError(`Schema Schema{${shown}} does not correspond to a known timestamp type format`, { causeClass: "data" });
}
function typeOfValue(value: ConnectValue): TimestampType {
  if (value instanceof Date) return "Timestamp";
  if (typeof value === "bigint") return "unix";
  if (typeof value === "string") return "string";
  throw new DataError(`TimestampConverter does not support ${javaClass(value)} objects as timestamps`);
}
const TARGET_SCHEMAS: Readonly<Record<TimestampType, (optional: boolean) => Schema>> = {
  string: (optional) => primitive("STRING", { optional }),
  unix: (optional) => primitive("INT64", { optional }),
  Date: (optional) => primitive("INT32", { name: DATE, version: 1, optional }),
  Time: (optional) => primitive("INT32", { name: TIME, version: 1, optional }),
  Timestamp: (optional) => primitive("INT64", { name: TIMESTAMP, version: 1, optional }),
};
const midnight = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;

interface Options {
  readonly target: TimestampType;
  readonly format: SimpleDateFormat | null;
  readonly pattern: string;
  readonly units: bigint;
}
const LONG_MAX = 2n ** 63n - 1n;
/** As java.util.concurrent.TimeUnit: what does not fit stays at the limit. */
const saturated = (v: bigint): bigint => (v > LONG_MAX ? LONG_MAX : v < -LONG_MAX - 1n ? -LONG_MAX - 1n : v);
const msOf = (unix: bigint, units: bigint): bigint => (units > 0n ? unix / units : saturated(unix * -units));
const unixOf = (ms: bigint, units: bigint): bigint => (units > 0n ? saturated(ms * units) : ms / -units);
const DATE_MS_MAX = 8_640_000_000_000_000n;
const DAY = BigInt(DAY_MS);
/** Unix times beyond the years that a Date has. */
function convertFar(ms: bigint, o: Options): ConnectValue {
  const msOfDay = ((ms % DAY) + DAY) % DAY;
  if (o.target === "string") return formatOf(o).formatDay(Number((ms - msOfDay) / DAY), Number(msOfDay));
  if (o.target === "unix") return unixOf(ms, o.units);
  if (o.target === "Time") return new Date(Number(msOfDay));
  throw new DataError(`Unix time ${ms} ms lies beyond the years that a ${o.target} can hold; is unix.precision right?`);
}
function formatOf(o: Options): SimpleDateFormat {
  if (o.format === null) throw javaError("NullPointerException", "a text timestamp needs the setting format");
  return o.format;
}
function moment(value: ConnectValue, type: TimestampType, o: Options): Date {
  if (type === "string") {
    if (typeof value !== "string") throw new DataError(`Expected string timestamp to be a String, but found ${javaClass(value)}`);
    const parsed = formatOf(o).parse(value);
    if (parsed !== null) return parsed;
    const cause = new ConnectError(`Unparseable date: "${value}"`, { javaClass: "java.text.ParseException", causeClass: "data" });
    throw new DataError(`Could not parse timestamp: value (${value}) does not match pattern (${o.pattern})`, cause);
  }
  if (type === "unix") {
    if (typeof value !== "bigint") throw new DataError(`Expected Unix timestamp to be a Long, but found ${javaClass(value)}`);
    return new Date(Number(msOf(value, o.units)));
  }
  if (value instanceof Date) return value;
  throw new DataError(`Expected ${type} to be a java.util.Date, but found ${javaClass(value)}`);
}
function convert(value: ConnectValue, type: TimestampType, o: Options): ConnectValue {
  if (type === "unix" && typeof value === "bigint") {
    const far = msOf(value, o.units);
    if (far > DATE_MS_MAX || far < -DATE_MS_MAX) return convertFar(far, o);
  }
  const at = moment(value, type, o);
  const ms = at.getTime();
  switch (o.target) {
    case "string":
      return formatOf(o).format(at);
    case "unix":
      return unixOf(BigInt(ms), o.units);
    case "Date":
      return new Date(midnight(ms));
    case "Time":
      return new Date(ms - midnight(ms));
    case "Timestamp":
      return at;
  }
}
function readFormat(pattern: string): SimpleDateFormat | null {
  if (pattern.trim() === "") return null;
  try {
    return new SimpleDateFormat(pattern);
  } catch (e) {
    const wanted = `TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: ${pattern}`;
    const cause = e instanceof Error ? e.message : String(e);
    throw new ConfigError(`Invalid value java.lang.IllegalArgumentException: ${cause} for configuration ${wanted}`, e);
  }
}
export const timestampConverter: TransformPlugin = {
  kind: "transform",
  name: "timestamp-converter",
  classes: bothSides("TimestampConverter"),
  version: "4.1.0",
  config: [
    { name: "field", type: "STRING", default: "", importance: "HIGH", doc: "The field; empty for the whole key or value." },
    { name: "target.type", type: "STRING", importance: "HIGH", doc: "What the timestamp becomes.", check: oneOf(...TYPES) },
    { name: "format", type: "STRING", default: "", importance: "MEDIUM", doc: "Pattern of java.text.SimpleDateFormat for texts, in UTC." },
    {
      name: "unix.precision",
      type: "STRING",
      default: "milliseconds",
      importance: "LOW",
      doc: "Unit of Unix times.",
      check: oneOf("nanoseconds", "microseconds", "milliseconds", "seconds"),
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
    const config = parseConfig(timestampConverter.config, raw);
    const target = stringSetting(config, "target.type"),
      field = stringSetting(config, "field"),
      pattern = stringSetting(config, "format");
    if (target === "string" && pattern.trim() === "")
      throw new ConfigError("TimestampConverter requires format option to be specified when using string timestamps");
    const units = PRECISIONS[stringSetting(config, "unix.precision")] ?? 1n;
    const o: Options = { target: isType(target) ? target : "Timestamp", format: readFormat(pattern), pattern, units };
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const side = sideOf(className);
    const converted = (value: ConnectValue, schema: Schema | null): ConnectValue =>
      value === null ? null : convert(value, schema === null ? typeOfValue(value) : typeOfSchema(schema), o);
    const targetSchema = bySchema((schema) => TARGET_SCHEMAS[o.target](schema.optional));
    const structWith = (to: Schema, struct: Struct): Struct =>
      new Struct(
        to,
        struct.schema.fields.map((f) => {
          const value = slotOf(struct, f.index, f.schema, withDefault);
          return f.name === field ? converted(value, f.schema) : value;
        }),
      );
    const structSchema = bySchema((schema) => {
      const builder = new StructBuilder();
      for (const f of schema.fields) builder.field(f.name, f.name === field ? targetSchema(f.schema) : f.schema);
      const plain = builder.build({ ...basicsOf(schema), optional: schema.optional });
      const fallback = schema.default ?? null;
      return fallback instanceof Struct
        ? builder.build({ ...basicsOf(schema), optional: schema.optional, default: structWith(plain, fallback) })
        : plain;
    });
    return {
      apply(record) {
        const value = side.value(record),
          schema = side.schema(record);
        if (schema === null) {
          if (field === "" || value === null) return side.with(record, null, converted(value, null));
          const map = new Map(requireMap(value, PURPOSE));
          map.set(field, converted(map.get(field) ?? null, null));
          return side.with(record, null, map);
        }
        if (field === "") {
          // The schema is looked at even where the value is null.
          const type = typeOfSchema(schema);
          return side.with(record, targetSchema(schema), value === null ? null : convert(value, type, o));
        }
        const struct = requireStructOrNull(value, PURPOSE, schema);
        const to = structSchema(schema);
        return side.with(record, to, struct === null ? null : structWith(to, struct));
      },
    };
  },
};
