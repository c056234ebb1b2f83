/** io.debezium.transforms.ExtractChangedRecordState: names of changed and unchanged fields as headers. */
import type { ConfigDef } from "#connect/api/config";
import { optionalString, parseConfig } from "#connect/api/config-parse";
import type { TransformPlugin } from "#connect/api/plugin";
import type { Header } from "#connect/api/record";
import { sameValue } from "#connect/api/same-schema";
import { arrayOf, OPTIONAL_STRING } from "#connect/api/schema";
import { DEBEZIUM_VERSION, envelopeOf } from "./debezium.ts";
import { requireStructOrNull } from "./side.ts";

const config: ConfigDef = [
  {
    name: "header.changed.name",
    type: "STRING",
    default: null,
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Header change name.",
    doc: "Header for the names of changed fields.",
  },
  {
    name: "header.unchanged.name",
    type: "STRING",
    default: null,
    importance: "LOW",
    orderInGroup: 1,
    width: "LONG",
    displayName: "Header unchanged name.",
    doc: "Header for the names of unchanged fields.",
  },
];
export const extractChangedRecordState: TransformPlugin = {
  kind: "transform",
  name: "extract-changed-record-state",
  classes: ["io.debezium.transforms.ExtractChangedRecordState"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = parseConfig(config, raw);
    const target = (key: string): Omit<Header, "value"> | null => {
      const name = optionalString(c, key);
      return name === null || name.trim() === "" ? null : { key: name, schema: arrayOf(OPTIONAL_STRING, { optional: true, name }) };
    };
    const changedHeader = target("header.changed.name"),
      unchangedHeader = target("header.unchanged.name");
    return {
      apply(record) {
        const event = envelopeOf(record);
        if (event === null) return record;
        const after = requireStructOrNull(event.get("after"), "After value should be struct."),
          before = requireStructOrNull(event.get("before"), "Before value should be struct.");
        const changed: string[] = [],
          unchanged: string[] = [];
        if (after !== null && before !== null)
          for (const f of after.schema.fields)
            (sameValue(after.at(f.index), before.getWithoutDefault(f.name)) ? unchanged : changed).push(f.name);
        const headers = [...record.headers];
        if (changedHeader !== null) headers.push({ ...changedHeader, value: changed });
        if (unchangedHeader !== null) headers.push({ ...unchangedHeader, value: unchanged });
        return { ...record, headers };
      },
    };
  },
};
