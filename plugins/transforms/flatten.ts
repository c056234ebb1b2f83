/** org.apache.kafka.connect.transforms.Flatten: nested structs or maps become fields with joined names. */
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import { DataError } from "#connect/api/errors";
import { isMap, javaClass } from "#connect/api/java-text";
import type { TransformPlugin } from "#connect/api/plugin";
import { withOptions, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import { Boxed, Decimal, type ConnectMap, type ConnectValue } from "#connect/api/value";
import { javaError } from "./debezium.ts";
import { bothSides, bySchema, requireMapOrNull, requireStructOrNull, sideOf } from "./side.ts";

const PURPOSE = "flattening";
type Name = (prefix: string, name: string) => string;

function flattenMap(map: ConnectMap, prefix: string, name: Name, out: Map<ConnectValue, ConnectValue>): void {
  for (const [key, value] of map) {
    if (typeof key !== "string") throw javaError("ClassCastException", `${javaClass(key)} cannot be cast to class java.lang.String`);
    const field = name(prefix, key);
    if (isMap(value)) flattenMap(value, field, name, out);
    else {
      if (value instanceof Decimal || value instanceof Date || (value instanceof Boxed && value.type === "bigint"))
        throw new DataError(
          `Flatten transformation was passed a value of type ${javaClass(value)} which is not supported by Connect's data API`,
        );
      if (value instanceof Struct)
        throw new DataError(`Flatten transformation does not support ${javaClass(value)} for record without schemas (for field ${field}).`);
      out.set(field, value);
    }
  }
}
function flattenSchema(
  schema: Schema,
  prefix: string,
  name: Name,
  builder: StructBuilder,
  optional: boolean,
  fallback: ConnectValue,
): void {
  for (const f of schema.fields) {
    const field = name(prefix, f.name);
    const inherited = fallback instanceof Struct ? fallback.get(f.name) : null;
    const own = f.schema.default ?? inherited;
    const isOptional = optional || f.schema.optional;
    if (f.schema.type === "STRUCT") flattenSchema(f.schema, field, name, builder, isOptional, own);
    else if (f.schema.type === "MAP")
      throw new DataError(`Flatten transformation does not support ${f.schema.type} for record with schemas (for field ${field}).`);
    else builder.field(field, withOptions(f.schema, { optional: isOptional, default: own ?? undefined }));
  }
}
/** Values in the order of flattenSchema's fields; a null struct gives nulls for all that it has. */
function flattenStruct(struct: Struct | null, schema: Schema, out: ConnectValue[]): void {
  for (const f of schema.fields) {
    const value = struct === null ? null : (struct.at(f.index) ?? f.schema.default ?? null);
    if (f.schema.type === "STRUCT") flattenStruct(value instanceof Struct ? value : null, f.schema, out);
    else out.push(value);
  }
}
export const flatten: TransformPlugin = {
  kind: "transform",
  name: "flatten",
  classes: bothSides("Flatten"),
  version: "4.1.0",
  config: [{ name: "delimiter", type: "STRING", default: ".", importance: "MEDIUM", doc: "Put between the names of the levels." }],
  create(raw, className) {
    const delimiter = stringSetting(parseConfig(flatten.config, raw), "delimiter");
    const name: Name = (prefix, field) => (prefix === "" ? field : prefix + delimiter + field);
    const side = sideOf(className);
    const flat = bySchema((schema) => {
      const builder = new StructBuilder();
      flattenSchema(schema, "", name, builder, schema.optional, schema.default ?? null);
      return builder.build(basicsOf(schema));
    });
    return {
      apply(record) {
        const schema = side.schema(record);
        if (schema === null) {
          const map = requireMapOrNull(side.value(record), PURPOSE);
          if (map === null) return side.with(record, null, null);
          const out = new Map<ConnectValue, ConnectValue>();
          flattenMap(map, "", name, out);
          return side.with(record, null, out);
        }
        const struct = requireStructOrNull(side.value(record), PURPOSE, schema);
        if (struct === null) return record;
        const to = flat(struct.schema);
        const slots: ConnectValue[] = [];
        flattenStruct(struct, struct.schema, slots);
        return side.with(record, to, new Struct(to, slots));
      },
    };
  },
};
