/** org.apache.kafka.connect.transforms.MaskField: puts the type's zero value, or a given one, in place of fields. */
import { nonEmptyList, nonEmptyString } from "#connect/api/config-checks";
import { booleanSetting, listSetting, optionalString, parseConfig } from "#connect/api/config-parse";
import { DataError } from "#connect/api/errors";
import { isList, isMap, javaClass } from "#connect/api/java-text";
import type { TransformPlugin } from "#connect/api/plugin";
import type { Schema, SchemaType } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { fieldSlot, withChange } from "#connect/api/struct-plan";
import { Boxed, Decimal, type ConnectValue } from "#connect/api/value";
import { bothSides, bySchema, requireMap, requireStruct, sideOf, slotsOf } from "./side.ts";

const PURPOSE = "mask fields";
function zero(value: ConnectValue, schema: Schema | null): ConnectValue {
  switch (typeof value) {
    case "string":
      return "";
    case "boolean":
      return false;
    case "number":
      return 0;
    case "bigint":
      return 0n;
    default:
  }
  if (value instanceof Boxed) return new Boxed(value.type, value.type === "bigint" ? 0n : 0);
  if (value instanceof Decimal) return new Decimal(0n, 0);
  if (value instanceof Date) return new Date(0);
  if (isList(value)) return [];
  if (isMap(value)) return new Map();
  throw new DataError(`Cannot mask value of type: ${javaClass(value, schema)}`);
}
const BITS: Readonly<Record<string, number>> = { INT8: 8, INT16: 16, INT32: 32, INT64: 64, int8: 8, int16: 16, int32: 32 };
function truncated(d: Decimal): bigint {
  return d.scale > 0 ? d.unscaled / 10n ** BigInt(d.scale) : d.unscaled * 10n ** BigInt(-d.scale);
}
function replaced(value: ConnectValue, schema: Schema | null, replacement: string): ConnectValue {
  if (typeof value === "string") return replacement;
  const numeric = typeof value === "number" || typeof value === "bigint" || value instanceof Boxed || value instanceof Decimal;
  if (!numeric) throw new DataError(`Cannot mask value of type ${javaClass(value, schema)} with custom replacement.`);
  const d = Decimal.parse(replacement);
  if (d === null)
    throw new DataError(`Unable to convert ${replacement} (class java.lang.String) to ${value instanceof Decimal ? "" : "a "}number`);
  if (value instanceof Decimal) return d;
  if (typeof value === "bigint") return BigInt.asIntN(64, truncated(d));
  if (value instanceof Boxed) {
    if (value.type === "bigint") return new Boxed("bigint", truncated(d));
    if (value.type === "float32") return new Boxed("float32", Math.fround(Number(replacement)));
    return new Boxed(value.type, Number(BigInt.asIntN(BITS[value.type] ?? 32, truncated(d))));
  }
  const bits = schema === null ? undefined : BITS[schema.type];
  if (bits !== undefined) return Number(BigInt.asIntN(bits, truncated(d)));
  return schema?.type === "FLOAT32" ? Math.fround(Number(replacement)) : Number(replacement);
}
/** Types whose every value has a zero value. */
const NEVER_FAILS: ReadonlySet<SchemaType> = new Set(["STRING", "BOOLEAN", "INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64"]);

export const maskField: TransformPlugin = {
  kind: "transform",
  name: "mask-field",
  classes: bothSides("MaskField"),
  version: "4.1.0",
  config: [
    { name: "fields", type: "LIST", importance: "HIGH", doc: "Fields to mask.", check: nonEmptyList },
    {
      name: "replacement",
      type: "STRING",
      default: null,
      importance: "LOW",
      doc: "Text or number to put in place; without it the zero value of the field's type.",
      check: nonEmptyString,
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
    const config = parseConfig(maskField.config, raw);
    const fields = new Set(listSetting(config, "fields"));
    const replacement = optionalString(config, "replacement");
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const side = sideOf(className);
    const maskedFields = bySchema((schema) => schema.fields.filter((f) => fields.has(f.name)));
    const masked = (value: ConnectValue, schema: Schema | null): ConnectValue =>
      value === null ? null : replacement === null ? zero(value, schema) : replaced(value, schema, replacement);
    return {
      restructure: {
        isKey: side.isKey,
        wraps: false,
        plan(schema) {
          const found = maskedFields(schema);
          if (!found.every((f) => f.schema.type === "STRING" || (replacement === null && NEVER_FAILS.has(f.schema.type)))) return null;
          const slots = schema.fields.map((f) => {
            const slot = fieldSlot(f, withDefault);
            return fields.has(f.name) ? withChange(slot, (value) => masked(value, f.schema)) : slot;
          });
          return { schema, slots };
        },
      },
      apply(record) {
        const schema = side.schema(record);
        if (schema === null) {
          const map = new Map(requireMap(side.value(record), PURPOSE));
          for (const name of fields) map.set(name, masked(map.get(name) ?? null, null));
          return side.with(record, null, map);
        }
        const struct = requireStruct(side.value(record), PURPOSE, schema);
        const slots = slotsOf(struct, struct.schema.fields, withDefault);
        for (const f of maskedFields(struct.schema)) slots[f.index] = masked(slots[f.index] ?? null, f.schema);
        return side.with(record, schema, new Struct(struct.schema, slots));
      },
    };
  },
};
