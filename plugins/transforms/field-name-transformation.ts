/** io.debezium.connector.jdbc.transforms.FieldNameTransformation: field names (the sink's columns) in another naming style. */
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import type { TransformPlugin } from "#connect/api/plugin";
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { DEBEZIUM_VERSION, ENVELOPE_SUFFIX, widened } from "./debezium.ts";
import { namingConfig, namingStyle } from "./naming-style.ts";
import { bySchema } from "./side.ts";

const config = namingConfig("column");
const isRow = (name: string): boolean => name === "before" || name === "after";

export const fieldNameTransformation: TransformPlugin = {
  kind: "transform",
  name: "field-name-transformation",
  classes: ["io.debezium.connector.jdbc.transforms.FieldNameTransformation"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = parseConfig(config, raw);
    const prefix = stringSetting(c, "column.naming.prefix"),
      suffix = stringSetting(c, "column.naming.suffix");
    const style = namingStyle(stringSetting(c, "column.naming.style"));
    const renamed = bySchema((schema) => {
      const builder = new StructBuilder();
      for (const f of schema.fields) builder.field(prefix + style(f.name) + suffix, f.schema);
      return builder.build({ ...schema, default: undefined });
    });
    const renamedEnvelope = bySchema((schema) => {
      const builder = new StructBuilder();
      for (const f of schema.fields) builder.field(f.name, isRow(f.name) ? renamed(f.schema) : f.schema);
      return builder.build({ ...schema, default: undefined });
    });
    const renamedRow = (schema: Schema, value: ConnectValue): ConnectValue =>
      value instanceof Struct ? widened(value, renamed(schema), []) : value;
    const renamedEvent = (schema: Schema, event: Struct): Struct => {
      const to = renamedEnvelope(schema);
      return new Struct(
        to,
        schema.fields.map((f) => (isRow(f.name) ? renamedRow(f.schema, event.at(f.index)) : event.at(f.index))),
      );
    };
    return {
      apply(record) {
        const { keySchema, valueSchema, value } = record;
        if (valueSchema === null || valueSchema.type !== "STRUCT") return record;
        const key =
          keySchema?.type === "STRUCT"
            ? { keySchema: renamed(keySchema), key: renamedRow(keySchema, record.key) }
            : { keySchema, key: record.key };
        if (valueSchema.name?.endsWith(ENVELOPE_SUFFIX) === true) {
          if (!(value instanceof Struct)) return record;
          return { ...record, ...key, valueSchema: renamedEnvelope(valueSchema), value: renamedEvent(valueSchema, value) };
        }
        return { ...record, ...key, valueSchema: renamed(valueSchema), value: renamedRow(valueSchema, value) };
      },
    };
  },
};
