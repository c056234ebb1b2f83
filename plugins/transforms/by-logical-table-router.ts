/** io.debezium.transforms.ByLogicalTableRouter: sends the events of several tables (shards) to one topic. */
import type { ConfigDef } from "#connect/api/config";
import { javaRegex, oneOfIgnoringCase, type ConfigCheck } from "#connect/api/config-checks";
import { booleanSetting, optionalString, stringSetting } from "#connect/api/config-parse";
import { JavaRegex } from "#connect/api/java-regex";
import type { TransformPlugin } from "#connect/api/plugin";
import { STRING, withOptions, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { StructBuilder } from "#connect/api/struct-builder";
import type { ConnectValue } from "#connect/api/value";
import { DEBEZIUM_VERSION, debeziumRequired, envelopeOf, validatedConfig, widened } from "./debezium.ts";
import { replacing } from "./regex-router.ts";
import { nameAdjuster, type NameAdjuster } from "./schema-name.ts";
import { bySchema, requireStruct } from "./side.ts";

const optionalRegex: ConfigCheck = (value, raw) => (value === null ? null : javaRegex(value, raw));
const config: ConfigDef = [
  {
    name: "topic.regex",
    type: "STRING",
    default: null,
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Topic regex",
    doc: "Java regular expression that the whole topic must match.",
    check: (v, raw) => debeziumRequired("topic.regex")(v, raw) ?? javaRegex(v, raw),
  },
  {
    name: "topic.replacement",
    type: "STRING",
    default: null,
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Topic replacement",
    doc: "The topic of all these events, with $1 for groups.",
    check: debeziumRequired("topic.replacement"),
  },
  {
    name: "key.enforce.uniqueness",
    type: "BOOLEAN",
    default: true,
    importance: "LOW",
    orderInGroup: 1,
    width: "SHORT",
    displayName: "Add source topic name into key",
    doc: "Whether a field with the table's name is added to the key.",
  },
  {
    name: "key.field.regex",
    type: "STRING",
    default: null,
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Key field regex",
    doc: "Expression that makes that name of the old topic.",
    check: optionalRegex,
  },
  {
    name: "key.field.replacement",
    type: "STRING",
    default: null,
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Key field replacement",
    doc: "Replacement for key.field.regex.",
    check: (value, raw) =>
      (raw["key.field.regex"] ?? "").trim() !== "" && (value ?? "") === ""
        ? "key.field.replacement must be non-empty if key.field.regex is set."
        : null,
  },
  {
    name: "logical.table.cache.size",
    type: "INT",
    default: 16,
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Logical table cache size",
    doc: "Accepted; schemas are kept for as many target topics as there are, up to 10,000.",
  },
  {
    name: "key.field.name",
    type: "STRING",
    default: "__dbz__physicalTableIdentifier",
    importance: "LOW",
    internal: true,
    doc: "Name of that field.",
  },
  {
    name: "schema.name.adjustment.mode",
    type: "STRING",
    default: "none",
    importance: "LOW",
    internal: true,
    doc: "How schema names are made fit for Avro.",
    check: oneOfIgnoringCase("none", "avro", "avro_unicode"),
  },
];

/** Schemas for one target topic. */
interface TopicSchemas {
  readonly key: (schema: Schema) => Schema;
  readonly envelope: (schema: Schema) => { envelope: Schema; row: Schema };
}
function schemasFor(topic: string, keyField: string | null, adjust: NameAdjuster): TopicSchemas {
  return {
    key: bySchema((schema) => {
      const builder = new StructBuilder();
      for (const f of schema.fields) builder.field(f.name, f.schema);
      if (keyField !== null) builder.field(keyField, STRING);
      return builder.build({ ...schema, name: adjust(`${topic}.Key`) });
    }),
    envelope: bySchema((schema) => {
      const row = withOptions(schema.byName.get("before")?.schema ?? schema, { name: adjust(`${topic}.Value`) });
      const builder = new StructBuilder();
      for (const f of schema.fields) builder.field(f.name, f.name === "before" || f.name === "after" ? row : f.schema);
      return { envelope: builder.build({ ...schema, name: adjust(`${topic}.Envelope`) }), row };
    }),
  };
}
const withDefaults = bySchema((row) => row.fields.some((f) => f.schema.optional && (f.schema.default ?? null) !== null));
/** The row under its new schema. As Struct.get reads, a null with a default becomes that default. */
const renamed = (row: Struct, to: Schema): Struct =>
  withDefaults(row.schema)
    ? new Struct(
        to,
        row.schema.fields.map((f) => row.get(f.name)),
      )
    : widened(row, to, []);
const TARGETS_MAX = 10_000;

export const byLogicalTableRouter: TransformPlugin = {
  kind: "transform",
  name: "by-logical-table-router",
  classes: ["io.debezium.transforms.ByLogicalTableRouter"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = validatedConfig(config, raw);
    const regex = new JavaRegex(stringSetting(c, "topic.regex"));
    const replacement = stringSetting(c, "topic.replacement");
    const unique = booleanSetting(c, "key.enforce.uniqueness");
    const keyField = unique ? stringSetting(c, "key.field.name") : null;
    const keyPattern = (optionalString(c, "key.field.regex") ?? "").trim();
    const keyRegex = keyPattern === "" ? null : new JavaRegex(keyPattern);
    const keyReplacement = optionalString(c, "key.field.replacement") ?? "";
    const adjust = nameAdjuster(stringSetting(c, "schema.name.adjustment.mode"));
    const targets = new Map<string, TopicSchemas>();
    const target = (topic: string): TopicSchemas => {
      let known = targets.get(topic);
      if (known === undefined) {
        if (targets.size >= TARGETS_MAX) targets.clear();
        targets.set(topic, (known = schemasFor(topic, keyField, adjust)));
      }
      return known;
    };
    const newKey = (schemas: TopicSchemas, key: ConnectValue, oldTopic: string): { keySchema: Schema | null; key: ConnectValue } => {
      if (key === null) return { keySchema: null, key: null };
      const old = requireStruct(key, "Updating schema");
      const slots = old.schema.fields.map((f) => old.get(f.name));
      if (unique) slots.push((keyRegex === null ? null : replacing(() => keyRegex.replaceWhole(oldTopic, keyReplacement))) ?? oldTopic);
      const keySchema = schemas.key(old.schema);
      return { keySchema, key: new Struct(keySchema, slots) };
    };
    return {
      apply(record) {
        const topic = replacing(() => regex.replaceWhole(record.topic, replacement));
        if (topic === null || topic === "") return record;
        const schemas = target(topic);
        const { keySchema, key } = newKey(schemas, record.key, record.topic);
        const event = envelopeOf(record);
        if (event === null) return { ...record, topic, keySchema, key };
        const { envelope, row } = schemas.envelope(event.schema);
        const slots = event.schema.fields.map((f) => {
          const value = event.get(f.name);
          return (f.name === "before" || f.name === "after") && value instanceof Struct ? renamed(value, row) : value;
        });
        return { ...record, topic, keySchema, key, valueSchema: envelope, value: new Struct(envelope, slots) };
      },
    };
  },
};
