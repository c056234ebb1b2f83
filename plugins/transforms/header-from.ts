/** org.apache.kafka.connect.transforms.HeaderFrom: copies or moves fields into headers. */
import { nonEmptyList, oneOf } from "#connect/api/config-checks";
import { booleanSetting, listSetting, parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConfigError } from "#connect/api/errors";
import type { TransformPlugin } from "#connect/api/plugin";
import type { Header } from "#connect/api/record";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import { javaError } from "./debezium.ts";
import { bothSides, bySchema, requireMap, requireStruct, sideOf, slotOf } from "./side.ts";

export const headerFrom: TransformPlugin = {
  kind: "transform",
  name: "header-from",
  classes: bothSides("HeaderFrom"),
  version: "4.1.0",
  config: [
    { name: "fields", type: "LIST", importance: "HIGH", doc: "Fields to take.", check: nonEmptyList },
    { name: "headers", type: "LIST", importance: "HIGH", doc: "Headers for them, in the same order.", check: nonEmptyList },
    {
      name: "operation",
      type: "STRING",
      importance: "HIGH",
      doc: "move takes the fields away, copy leaves them.",
      check: oneOf("move", "copy"),
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
    const config = parseConfig(headerFrom.config, raw);
    const fields = listSetting(config, "fields"),
      names = listSetting(config, "headers");
    if (fields.length !== names.length) throw new ConfigError("'fields' config must have the same number of elements as 'headers' config.");
    const move = stringSetting(config, "operation") === "move";
    const purpose = `header ${move ? "move" : "copy"}`;
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const moved = new Set(move ? fields : []);
    const side = sideOf(className);
    const reduced = bySchema((schema) => {
      const builder = new StructBuilder();
      const kept = schema.fields.filter((f) => !moved.has(f.name));
      for (const f of kept) builder.field(f.name, f.schema);
      return { schema: builder.build(basicsOf(schema)), kept };
    });
    return {
      apply(record) {
        const schema = side.schema(record);
        if (schema === null) {
          const map = new Map(requireMap(side.value(record), purpose));
          const added: Header[] = fields.map((f, i) => ({ key: names[i] ?? "", schema: null, value: map.get(f) ?? null }));
          for (const f of moved) map.delete(f);
          return { ...side.with(record, null, map), headers: [...record.headers, ...added] };
        }
        const struct = requireStruct(side.value(record), purpose, schema);
        const added: Header[] = fields.map((name, i) => {
          const field = struct.schema.byName.get(name);
          if (field === undefined) throw javaError("NullPointerException", `Cannot invoke "Field.schema()": there is no field ${name}`);
          return { key: names[i] ?? "", schema: field.schema, value: slotOf(struct, field.index, field.schema, withDefault) };
        });
        const headers = [...record.headers, ...added];
        if (!move) return { ...record, headers };
        const to = reduced(struct.schema);
        const value = new Struct(
          to.schema,
          to.kept.map((f) => slotOf(struct, f.index, f.schema, withDefault)),
        );
        return { ...side.with(record, to.schema, value), headers };
      },
    };
  },
};
