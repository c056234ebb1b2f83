/** org.apache.kafka.connect.transforms.HoistField: wraps the whole key or value in a struct or map of one field. */
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import type { TransformPlugin } from "#connect/api/plugin";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import { wholeValue } from "#connect/api/struct-plan";
import { bothSides, bySchema, sideOf } from "./side.ts";

export const hoistField: TransformPlugin = {
  kind: "transform",
  name: "hoist-field",
  classes: bothSides("HoistField"),
  version: "4.1.0",
  config: [{ name: "field", type: "STRING", importance: "MEDIUM", doc: "Name of the one field." }],
  create(raw, className) {
    const name = stringSetting(parseConfig(hoistField.config, raw), "field");
    const side = sideOf(className);
    const wrapped = bySchema((schema) => new StructBuilder().field(name, schema).build());
    return {
      restructure: { isKey: side.isKey, wraps: true, plan: (schema) => ({ schema: wrapped(schema), slots: [wholeValue] }) },
      apply(record) {
        const schema = side.schema(record),
          value = side.value(record);
        if (schema === null) return side.with(record, null, new Map([[name, value]]));
        const to = wrapped(schema);
        return side.with(record, to, new Struct(to, [value]));
      },
    };
  },
};
