/** org.apache.kafka.connect.transforms.InsertField: adds the record's topic, partition, offset, timestamp or a fixed text as fields. */
import type { ConfigKey } from "#connect/api/config";
import { booleanSetting, invalidConfig, optionalString, parseConfig } from "#connect/api/config-parse";
import { ConfigError, DataError } from "#connect/api/errors";
import type { TransformPlugin } from "#connect/api/plugin";
import { isSinkRecord, type ConnectRecord } from "#connect/api/record";
import {
  INT32,
  INT64,
  OPTIONAL_INT32,
  OPTIONAL_INT64,
  OPTIONAL_STRING,
  primitive,
  STRING,
  TIMESTAMP,
  type Schema,
} from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { basicsOf, StructBuilder } from "#connect/api/struct-builder";
import { constantSlot, fieldSlot, recordSlot, type Restructure, type SlotPlan } from "#connect/api/struct-plan";
import { Boxed, type ConnectValue } from "#connect/api/value";
import { bothSides, bySchema, requireMap, requireStruct, sideOf, slotsOf } from "./side.ts";

const PURPOSE = "field insertion";
const timestamp = (optional: boolean): Schema => primitive("INT64", { name: TIMESTAMP, version: 1, optional });
/** One of the possible additions. `value` null means: leave the field out, or null. */
interface Insertion {
  readonly field: string;
  readonly schema: Schema;
  value(record: ConnectRecord, withSchema: boolean): ConnectValue;
  /** Of the field in a struct; null: `value` may throw. */
  readonly slot: SlotPlan | null;
}
function offsetOf(record: ConnectRecord): ConnectValue {
  if (!isSinkRecord(record))
    throw new DataError(`Only SinkRecord supported for [${PURPOSE}], found: org.apache.kafka.connect.source.SourceRecord`);
  return BigInt(record.offset);
}
const KINDS: Readonly<Record<string, { required: Schema; optional: Schema; value: Insertion["value"] }>> = {
  "topic.field": { required: STRING, optional: OPTIONAL_STRING, value: (r) => r.topic },
  "partition.field": {
    required: INT32,
    optional: OPTIONAL_INT32,
    value: (r, withSchema) => (r.partition === null || withSchema ? r.partition : new Boxed("int32", r.partition)),
  },
  "offset.field": { required: INT64, optional: OPTIONAL_INT64, value: offsetOf },
  "timestamp.field": {
    required: timestamp(false),
    optional: timestamp(true),
    // Without a schema nothing would say that the number is a moment: it stays one.
    value: (r, withSchema) => (r.timestamp === null ? null : withSchema ? new Date(r.timestamp) : BigInt(r.timestamp)),
  },
};
function insertionOf(spec: string, kind: { required: Schema; optional: Schema; value: Insertion["value"] }): Insertion {
  const suffixed = spec.endsWith("!") || spec.endsWith("?");
  return {
    field: suffixed ? spec.slice(0, -1) : spec,
    schema: spec.endsWith("!") ? kind.required : kind.optional,
    value: kind.value,
    slot: kind.value === offsetOf ? null : recordSlot((record) => kind.value(record, true)),
  };
}
const fieldKey = (name: string, importance: "HIGH" | "MEDIUM", doc: string): ConfigKey => ({
  name,
  type: "STRING",
  default: null,
  importance,
  doc,
});
const SUFFIX = "A trailing ! makes the field required, a trailing ? optional (the default).";

export const insertField: TransformPlugin = {
  kind: "transform",
  name: "insert-field",
  classes: bothSides("InsertField"),
  version: "4.1.0",
  config: [
    fieldKey("topic.field", "MEDIUM", `Field for the topic. ${SUFFIX}`),
    fieldKey("partition.field", "MEDIUM", `Field for the partition. ${SUFFIX}`),
    fieldKey("offset.field", "MEDIUM", `Field for the offset, sinks only. ${SUFFIX}`),
    fieldKey("timestamp.field", "MEDIUM", `Field for the record's timestamp. ${SUFFIX}`),
    fieldKey("static.field", "MEDIUM", `Field for a fixed text. ${SUFFIX}`),
    fieldKey("static.value", "MEDIUM", "The fixed text."),
    {
      name: "replace.null.with.default",
      type: "BOOLEAN",
      default: true,
      importance: "MEDIUM",
      doc: "Whether a null field with a default takes that default.",
    },
  ],
  create(raw, className) {
    const config = parseConfig(insertField.config, raw);
    const insertions: Insertion[] = [];
    for (const [key, kind] of Object.entries(KINDS)) {
      const spec = optionalString(config, key);
      if (spec !== null) insertions.push(insertionOf(spec, kind));
    }
    const staticField = optionalString(config, "static.field"),
      text = optionalString(config, "static.value");
    if (insertions.length === 0 && staticField === null) throw new ConfigError("No field insertion configured");
    if (staticField !== null) {
      const spec = "org.apache.kafka.connect.transforms.InsertField$InsertionSpec@0";
      if (text === null) throw new ConfigError(invalidConfig("static.value", null, `No value specified for static field: ${spec}`));
      const fixed = insertionOf(staticField, { required: STRING, optional: OPTIONAL_STRING, value: () => text });
      insertions.push({ ...fixed, slot: constantSlot(text) });
    }
    const withDefault = booleanSetting(config, "replace.null.with.default");
    const side = sideOf(className);
    const widened = bySchema((schema) => {
      const builder = new StructBuilder();
      for (const f of schema.fields) builder.field(f.name, f.schema);
      for (const i of insertions) builder.field(i.field, i.schema);
      return builder.build(basicsOf(schema));
    });
    const added = insertions.flatMap((i) => i.slot ?? []);
    const restructure: Restructure = {
      isKey: side.isKey,
      wraps: false,
      plan: (schema) => ({ schema: widened(schema), slots: [...schema.fields.map((f) => fieldSlot(f, withDefault)), ...added] }),
    };
    return {
      ...(added.length === insertions.length ? { restructure } : {}),
      apply(record) {
        const value = side.value(record),
          schema = side.schema(record);
        if (value === null) return record;
        if (schema === null) {
          const map = new Map(requireMap(value, PURPOSE));
          for (const i of insertions) {
            const inserted = i.value(record, false);
            if (inserted !== null) map.set(i.field, inserted);
          }
          return side.with(record, null, map);
        }
        const struct = requireStruct(value, PURPOSE, schema);
        const { fields } = struct.schema;
        const slots = slotsOf(struct, fields, withDefault, insertions.length);
        const to = widened(struct.schema);
        for (let i = 0; i < insertions.length; i++) slots[fields.length + i] = insertions[i]?.value(record, true) ?? null;
        return side.with(record, to, new Struct(to, slots));
      },
    };
  },
};
