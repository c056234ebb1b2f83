/** io.debezium.transforms.ExtractNewRecordState: from the change event to the row alone. */
import type { ConfigDef } from "#connect/api/config";
import { booleanSetting, listSetting, optionalString, stringSetting } from "#connect/api/config-parse";
import { isList, javaClass } from "#connect/api/java-text";
import type { TransformPlugin } from "#connect/api/plugin";
import type { ConnectRecord, Header } from "#connect/api/record";
import { OPTIONAL_STRING, STRING, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import {
  DEBEZIUM_VERSION,
  debeziumEnum,
  envelopeOf,
  javaError,
  validatedConfig,
  widened,
  widenedSchema,
  type AddedField,
} from "./debezium.ts";
import { FieldReference, fieldReferences } from "./field-reference.ts";
import { replaceField } from "./replace-field.ts";
import { bySchema } from "./side.ts";
import { stringField, structField } from "./struct-fields.ts";

const config: ConfigDef = [
  {
    name: "delete.tombstone.handling.mode",
    type: "STRING",
    default: "tombstone",
    importance: "MEDIUM",
    orderInGroup: 1,
    width: "MEDIUM",
    displayName: "Handle delete and tombstone records",
    doc: "What becomes of deletes and tombstones: drop both; tombstone: one null value for each delete; rewrite: the old row marked as deleted; rewrite-with-tombstone: that and the tombstone; delete-to-tombstone: a null value without schema.",
    check: debeziumEnum("delete.tombstone.handling.mode", "drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone"),
  },
  {
    name: "route.by.field",
    type: "STRING",
    default: "",
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Route by field name",
    doc: "Column whose value becomes the topic.",
  },
  {
    name: "add.fields.prefix",
    type: "STRING",
    default: "__",
    importance: "LOW",
    orderInGroup: 1,
    width: "SHORT",
    displayName: "Field prefix to be added to each field.",
    doc: "Put before the name of each added field.",
  },
  {
    name: "add.fields",
    type: "LIST",
    default: "",
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Adds the specified field(s) to the message if they exist.",
    doc: "Metadata to add as fields: field, struct.field or struct.field:newname.",
  },
  {
    name: "add.headers.prefix",
    type: "STRING",
    default: "__",
    importance: "LOW",
    orderInGroup: 1,
    width: "SHORT",
    displayName: "Header prefix to be added to each header.",
    doc: "Put before the name of each added header.",
  },
  {
    name: "add.headers",
    type: "LIST",
    default: "",
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Adds the specified fields to the header if they exist.",
    doc: "Metadata to add as headers, written as in add.fields.",
  },
  {
    name: "drop.fields.header.name",
    type: "STRING",
    default: null,
    importance: "LOW",
    orderInGroup: 1,
    width: "SHORT",
    displayName: "Specifies a header that contains a list of field names to be removed",
    doc: "Header with the list of fields to leave out.",
  },
  {
    name: "drop.fields.from.key",
    type: "BOOLEAN",
    default: false,
    importance: "LOW",
    orderInGroup: 1,
    width: "SHORT",
    displayName: "Specifies whether the fields to be dropped should also be omitted from the key",
    doc: "Whether these fields are left out of the key, too.",
  },
  {
    name: "drop.fields.keep.schema.compatible",
    type: "BOOLEAN",
    default: true,
    importance: "LOW",
    orderInGroup: 1,
    width: "SHORT",
    displayName: "Specifies if fields are dropped, will the event's schemas be compatible",
    doc: "Whether only optional fields may be left out.",
  },
  {
    name: "replace.null.with.default",
    type: "BOOLEAN",
    default: true,
    importance: "LOW",
    internal: true,
    doc: "Whether rewriting puts defaults in place of nulls.",
  },
];

type Mode = "drop" | "tombstone" | "rewrite" | "rewrite-with-tombstone" | "delete-to-tombstone";
interface Options {
  readonly mode: Mode;
  readonly routeBy: string;
  readonly fields: readonly FieldReference[];
  readonly headers: readonly FieldReference[];
  readonly withDefault: boolean;
  readonly dropHeader: string;
  readonly dropFromKey: boolean;
  readonly keepCompatible: boolean;
}
const isRewrite = (mode: Mode): boolean => mode === "rewrite" || mode === "rewrite-with-tombstone";

/** For one envelope schema: the result's schema by row schema. */
interface Plan {
  readonly added: readonly { readonly reference: FieldReference; readonly field: AddedField }[];
  readonly result: (row: Schema) => Schema;
}
function planFor(o: Options): (envelope: Schema) => Plan {
  return bySchema((envelope) => {
    const added = o.fields.flatMap((reference) => {
      const schema = reference.schemaIn(envelope);
      return schema === null ? [] : [{ reference, field: { name: reference.newName, schema } }];
    });
    const deleted: AddedField[] = isRewrite(o.mode) ? [{ name: "__deleted", schema: OPTIONAL_STRING }] : [];
    const result = bySchema((row) => widenedSchema(row, [...deleted, ...added.map((a) => a.field)]));
    return { added, result };
  });
}
/** Headers of the record and those that the settings add. A tombstone gets none but the operation. */
function headersOf(record: ConnectRecord, event: Struct | null, o: Options): readonly Header[] {
  if (o.headers.length === 0) return record.headers;
  const headers = [...record.headers];
  for (const reference of o.headers) {
    if (event === null) {
      if (reference.field === "op") headers.push({ key: reference.newName, schema: STRING, value: "d" });
      continue;
    }
    const schema = reference.schemaIn(event.schema);
    if (schema !== null) headers.push({ key: reference.newName, schema, value: reference.valueIn(event) });
  }
  return headers;
}
function withDefaults(row: Struct): Struct {
  return new Struct(
    row.schema,
    row.schema.fields.map((f) => row.at(f.index) ?? f.schema.default ?? null),
  );
}
function dropFields<R extends ConnectRecord>(record: R, o: Options): R {
  const header = o.dropHeader === "" ? undefined : record.headers.find((h) => h.key === o.dropHeader);
  if (header !== undefined && header.value !== null && !isList(header.value))
    throw javaError("ClassCastException", `${javaClass(header.value, header.schema)} cannot be cast to class java.util.List`);
  const names = header === undefined || !isList(header.value) ? [] : header.value.map(String);
  if (names.length === 0) return record;
  const without = (r: R, side: "Key" | "Value", schema: Schema | null): R => {
    const drop = o.keepCompatible ? names.filter((n) => schema?.byName.get(n)?.schema.optional === true) : names;
    if (drop.length === 0) return r;
    const className = `org.apache.kafka.connect.transforms.ReplaceField$${side}`;
    return replaceField.create({ exclude: drop.join(",") }, className).apply(r) ?? r;
  };
  const keyDone = o.dropFromKey && record.key !== null ? without(record, "Key", record.keySchema) : record;
  return without(keyDone, "Value", keyDone.valueSchema);
}

export const extractNewRecordState: TransformPlugin = {
  kind: "transform",
  name: "extract-new-record-state",
  classes: ["io.debezium.transforms.ExtractNewRecordState"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = validatedConfig(config, raw);
    const o: Options = {
      mode: stringSetting(c, "delete.tombstone.handling.mode").toLowerCase() as Mode,
      routeBy: stringSetting(c, "route.by.field"),
      fields: fieldReferences(stringSetting(c, "add.fields.prefix"), listSetting(c, "add.fields").join(",")),
      headers: fieldReferences(stringSetting(c, "add.headers.prefix"), listSetting(c, "add.headers").join(",")),
      withDefault: booleanSetting(c, "replace.null.with.default"),
      dropHeader: optionalString(c, "drop.fields.header.name") ?? "",
      dropFromKey: booleanSetting(c, "drop.fields.from.key"),
      keepCompatible: booleanSetting(c, "drop.fields.keep.schema.compatible"),
    };
    const plan = planFor(o);
    /** `marker` is the text of `__deleted` in rewrite modes. */
    const flattened = <R extends ConnectRecord>(
      record: R,
      event: Struct,
      row: Struct,
      marker: string,
      topic: string,
      headers: readonly Header[],
    ): R => {
      const p = plan(event.schema);
      const values: ConnectValue[] = isRewrite(o.mode) ? [marker] : [];
      for (const a of p.added) values.push(a.reference.valueIn(event));
      const valueSchema = p.result(row.schema);
      const source = isRewrite(o.mode) && o.withDefault ? withDefaults(row) : row;
      return { ...record, topic, valueSchema, value: widened(source, valueSchema, values), headers };
    };
    const routed = (record: ConnectRecord, row: Struct | null): string => {
      const topic = o.routeBy === "" || row === null ? null : stringField(row, o.routeBy);
      return topic === null || topic.trim() === "" ? record.topic : topic;
    };
    const deleted = <R extends ConnectRecord>(record: R, event: Struct, headers: readonly Header[]): R | null => {
      if (o.mode === "drop") return null;
      const before = structField(event, "before");
      const topic = routed(record, before);
      if (isRewrite(o.mode) && before !== null) return dropFields(flattened(record, event, before, "true", topic, headers), o);
      const valueSchema = o.mode === "delete-to-tombstone" ? null : event.field(isRewrite(o.mode) ? "before" : "after").schema;
      return dropFields({ ...record, topic, valueSchema, value: null, headers }, o);
    };
    return {
      apply(record) {
        const event = envelopeOf(record);
        if (record.value === null) {
          if (o.mode !== "rewrite-with-tombstone") return null;
          return o.headers.length === 0 ? record : { ...record, headers: headersOf(record, null, o) };
        }
        if (event === null) return record;
        const headers = headersOf(record, event, o);
        const after = event.get("after");
        if (after === null) return event.get("before") === null ? null : deleted(record, event, headers);
        const row = structField(event, "after");
        if (row === null) return record;
        return dropFields(flattened(record, event, row, "false", routed(record, row), headers), o);
      },
    };
  },
};
