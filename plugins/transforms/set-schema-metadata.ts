/** org.apache.kafka.connect.transforms.SetSchemaMetadata: gives the schema another name or version. */
import { booleanSetting, optionalNumber, optionalString, parseConfig } from "#connect/api/config-parse";
import { ConfigError, DataError } from "#connect/api/errors";
import type { TransformPlugin } from "#connect/api/plugin";
import { withOptions } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { bothSides, bySchema, requireSchema, sideOf, slotOf } from "./side.ts";

export const setSchemaMetadata: TransformPlugin = {
  kind: "transform",
  name: "set-schema-metadata",
  classes: bothSides("SetSchemaMetadata"),
  version: "4.1.0",
  config: [
    { name: "schema.name", type: "STRING", default: null, importance: "HIGH", doc: "New name of the schema." },
    { name: "schema.version", type: "INT", default: null, importance: "HIGH", doc: "New version of the schema." },
    {
      name: "replace.null.with.default",
      type: "BOOLEAN",
      default: true,
      importance: "MEDIUM",
      doc: "Whether a null field with a default takes that default.",
    },
  ],
  create(raw, className) {
    const config = parseConfig(setSchemaMetadata.config, raw);
    const name = optionalString(config, "schema.name"),
      version = optionalNumber(config, "schema.version");
    if (name === null && version === null) throw new ConfigError("Neither schema name nor version configured");
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const side = sideOf(className);
    const renamed = bySchema((schema) => withOptions(schema, { name: name ?? schema.name, version: version ?? schema.version }));
    return {
      apply(record) {
        const value = side.value(record);
        if (value === null && side.schema(record) === null) return record;
        const schema = requireSchema(side.schema(record), "updating schema metadata");
        // As in Kafka 4.1, which walks the fields of every schema.
        if (schema.type !== "STRUCT") throw new DataError("Cannot list fields on non-struct type");
        const to = renamed(schema);
        if (!(value instanceof Struct)) return side.with(record, to, value);
        const slots = value.schema.fields.map((f) => slotOf(value, f.index, f.schema, withDefault));
        return side.with(record, to, new Struct(to, slots));
      },
    };
  },
};
