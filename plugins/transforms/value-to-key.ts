/** org.apache.kafka.connect.transforms.ValueToKey: makes a new key of some of the value's fields. */
import { nonEmptyList } from "#connect/api/config-checks";
import { booleanSetting, listSetting, parseConfig } from "#connect/api/config-parse";
import { DataError } from "#connect/api/errors";
import type { TransformPlugin } from "#connect/api/plugin";
import type { Schema, SchemaField } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import { bySchema, requireMap, requireStruct, slotOf } from "./side.ts";

const PURPOSE = "copying fields from value to key";
export const valueToKey: TransformPlugin = {
  kind: "transform",
  name: "value-to-key",
  classes: ["org.apache.kafka.connect.transforms.ValueToKey"],
  version: "4.1.0",
  config: [
    { name: "fields", type: "LIST", importance: "HIGH", doc: "Fields of the value that make the key, in this order.", check: nonEmptyList },
    {
      name: "replace.null.with.default",
      type: "BOOLEAN",
      default: true,
      importance: "MEDIUM",
      doc: "Whether a null field with a default takes that default.",
    },
  ],
  create(raw) {
    const config = parseConfig(valueToKey.config, raw);
    const names = listSetting(config, "fields");
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const plan = bySchema((schema): { to: Schema; from: readonly SchemaField[] } => {
      const from = names.map((name) => {
        const field = schema.byName.get(name);
        if (field === undefined) throw new DataError(`Field does not exist: ${name}`);
        return field;
      });
      const builder = new StructBuilder();
      for (const f of from) builder.field(f.name, f.schema);
      return { to: builder.build(), from };
    });
    return {
      apply(record) {
        if (record.valueSchema === null) {
          const value = requireMap(record.value, PURPOSE);
          return { ...record, keySchema: null, key: new Map(names.map((n) => [n, value.get(n) ?? null] as const)) };
        }
        const value = requireStruct(record.value, PURPOSE, record.valueSchema);
        const { to, from } = plan(value.schema);
        return {
          ...record,
          keySchema: to,
          key: new Struct(
            to,
            from.map((f) => slotOf(value, f.index, f.schema, withDefault)),
          ),
        };
      },
    };
  },
};
