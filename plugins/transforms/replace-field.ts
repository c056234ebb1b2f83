/** org.apache.kafka.connect.transforms.ReplaceField: keeps, drops and renames fields. */
import { booleanSetting, listSetting, parseConfig } from "#connect/api/config-parse";
import type { TransformPlugin } from "#connect/api/plugin";
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import { fieldSlot } from "#connect/api/struct-plan";
import { bothSides, bySchema, requireMap, requireStruct, sideOf, slotsOf, splitPair } from "./side.ts";

const PURPOSE = "field replacement";
export const replaceField: TransformPlugin = {
  kind: "transform",
  name: "replace-field",
  classes: bothSides("ReplaceField"),
  version: "4.1.0",
  config: [
    { name: "exclude", type: "LIST", default: [], importance: "MEDIUM", doc: "Fields to drop; wins over include." },
    { name: "include", type: "LIST", default: [], importance: "MEDIUM", doc: "Fields to keep; all others are dropped. Empty: keep all." },
    {
      name: "renames",
      type: "LIST",
      default: [],
      importance: "MEDIUM",
      doc: "Pairs old:new of names.",
      check(value) {
        const bad = Array.isArray(value) ? value.find((v) => splitPair(String(v)).length !== 2) : undefined;
        return bad === undefined ? null : `Invalid rename mapping: ${bad}`;
      },
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
    const config = parseConfig(replaceField.config, raw);
    const exclude = new Set(listSetting(config, "exclude")),
      include = new Set(listSetting(config, "include"));
    const renames = new Map(
      listSetting(config, "renames").map((pair) => {
        const [from = "", to = ""] = splitPair(pair);
        return [from, to] as const;
      }),
    );
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const side = sideOf(className);
    const kept = (name: string): boolean => !exclude.has(name) && (include.size === 0 || include.has(name));
    const plan = bySchema((schema): { to: Schema; from: Schema["fields"] } => {
      const from = schema.fields.filter((f) => kept(f.name));
      const builder = new StructBuilder();
      for (const f of from) builder.field(renames.get(f.name) ?? f.name, f.schema);
      return { to: builder.build(basicsOf(schema)), from };
    });
    return {
      restructure: {
        isKey: side.isKey,
        wraps: false,
        plan(schema) {
          const { to, from } = plan(schema);
          return { schema: to, slots: from.map((f) => fieldSlot(f, withDefault)) };
        },
      },
      apply(record) {
        const value = side.value(record),
          schema = side.schema(record);
        if (value === null) return record;
        if (schema === null) {
          const map = new Map();
          for (const [k, v] of requireMap(value, PURPOSE)) {
            if (typeof k === "string" && kept(k)) map.set(renames.get(k) ?? k, v);
          }
          return side.with(record, null, map);
        }
        const struct = requireStruct(value, PURPOSE, schema);
        const { to, from } = plan(struct.schema);
        return side.with(record, to, new Struct(to, slotsOf(struct, from, withDefault)));
      },
    };
  },
};
