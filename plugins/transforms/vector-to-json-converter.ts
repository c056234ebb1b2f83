/** io.debezium.transforms.VectorToJsonConverter: Debezium's vector types as JSON text. */
import { isList, isMap, javaToString, numberToString } from "#connect/api/java-text";
import type { TransformPlugin } from "#connect/api/plugin";
import { primitive, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { DEBEZIUM_VERSION } from "./debezium.ts";
import { bySchema, requireStruct } from "./side.ts";

const DENSE: ReadonlySet<string | null> = new Set(["io.debezium.data.DoubleVector", "io.debezium.data.FloatVector"]);
const SPARSE = "io.debezium.data.SparseDoubleVector";
const json = (optional: boolean): Schema => primitive("STRING", { name: "io.debezium.data.Json", version: 1, optional });

const transformed: (schema: Schema) => Schema = bySchema((schema) => {
  const builder = new StructBuilder();
  for (const f of schema.fields) {
    if (DENSE.has(f.schema.name) || f.schema.name === SPARSE) builder.field(f.name, json(f.schema.optional));
    else builder.field(f.name, f.schema.type === "STRUCT" ? transformed(f.schema) : f.schema);
  }
  return builder.build({ ...schema, default: undefined });
});
function dense(value: ConnectValue, schema: Schema): ConnectValue {
  if (!isList(value)) return null;
  return `{ "values": [${value.map((v) => javaToString(v, schema.valueSchema)).join(", ")}] }`;
}
function sparse(value: ConnectValue): ConnectValue {
  if (!(value instanceof Struct)) return null;
  const vector = value.get("vector");
  const element = value.field("vector").schema.valueSchema;
  const entries = isMap(vector) ? Array.from(vector) : [];
  const parts = entries
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(
      ([k, v]) =>
        `"${javaToString(k, value.field("vector").schema.keySchema)}": ${typeof v === "number" ? numberToString(v, element) : javaToString(v)}`,
    );
  return `{ "dimensions": ${javaToString(value.get("dimensions"), value.field("dimensions").schema)}, "vector": { ${parts.join(", ")} } }`;
}
function structOf(struct: Struct): Struct {
  const slots = struct.schema.fields.map((f) => {
    const value = struct.get(f.name);
    if (DENSE.has(f.schema.name)) return dense(value, f.schema);
    if (f.schema.name === SPARSE) return sparse(value);
    return value instanceof Struct ? structOf(value) : value;
  });
  return new Struct(transformed(struct.schema), slots);
}
export const vectorToJsonConverter: TransformPlugin = {
  kind: "transform",
  name: "vector-to-json-converter",
  classes: ["io.debezium.transforms.VectorToJsonConverter"],
  version: DEBEZIUM_VERSION,
  config: [],
  create: () => ({
    apply(record) {
      if (record.value === null) return record;
      const value = structOf(requireStruct(record.value, "Value should be a struct", record.valueSchema));
      return { ...record, valueSchema: value.schema, value };
    },
  }),
};
