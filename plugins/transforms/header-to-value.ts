/** io.debezium.transforms.HeaderToValue: copies or moves headers into fields of the value. */
import type { ConfigDef } from "#connect/api/config";
import { listSetting, parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConfigError } from "#connect/api/errors";
import type { TransformPlugin } from "#connect/api/plugin";
import { STRING } from "#connect/api/schema";
import { DEBEZIUM_VERSION, debeziumCheck, debeziumEnum, debeziumRequired, javaError } from "./debezium.ts";
import { schemaWith, structWith, type NewEntry } from "./nested-entries.ts";
import { requireStruct } from "./side.ts";

const listCheck = (name: string) =>
  debeziumCheck(name, (value) => {
    if (value === null || !Array.isArray(value) || value.length === 0) return "A value is required";
    if (value.some((v) => v === "")) return "Empty string element(s) not allowed";
    return value.some((v) => /\s/.test(String(v))) ? "Space(s) are not allowed in any element" : null;
  });
const config: ConfigDef = [
  {
    name: "headers",
    type: "LIST",
    default: null,
    importance: "HIGH",
    orderInGroup: 1,
    displayName: "Header names list",
    doc: "Headers to take.",
    check: listCheck("headers"),
  },
  {
    name: "fields",
    type: "LIST",
    default: null,
    importance: "HIGH",
    orderInGroup: 1,
    displayName: "Field names list",
    doc: "Fields to add, in the order of headers; dots lead into structs.",
    check: listCheck("fields"),
  },
  {
    name: "operation",
    type: "STRING",
    default: null,
    importance: "HIGH",
    orderInGroup: 1,
    displayName: "Operation: mover or copy",
    doc: "move takes the headers away, copy leaves them.",
    check: (value, raw) => debeziumRequired("operation")(value, raw) ?? debeziumEnum("operation", "move", "copy")(value, raw),
  },
];
export const headerToValue: TransformPlugin = {
  kind: "transform",
  name: "header-to-value",
  classes: ["io.debezium.transforms.HeaderToValue"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = parseConfig(config, raw);
    // The check takes any case, the reader of the setting does not.
    if (!["move", "copy"].includes(stringSetting(c, "operation"))) throw javaError("IllegalArgumentException", "operation is move or copy");
    const fields = listSetting(c, "fields"),
      headers = listSetting(c, "headers");
    if (fields.length !== headers.length)
      throw new ConfigError("'fields' config must have the same number of elements as 'headers' config.");
    const move = stringSetting(c, "operation") === "move";
    const paths = new Map(headers.map((h, i) => [h, (fields[i] ?? "").split(".")] as const));
    return {
      apply(record) {
        if (record.value === null) return record;
        const value = requireStruct(record.value, "Header field insertion", record.valueSchema);
        const entries: NewEntry[] = [];
        for (const h of record.headers) {
          const path = paths.get(h.key);
          if (path !== undefined) entries.push({ path, schema: h.schema ?? STRING, value: h.value });
        }
        if (entries.length === 0) return record;
        const to = schemaWith(value.schema, entries);
        const kept = move ? record.headers.filter((h) => !paths.has(h.key)) : record.headers;
        return { ...record, valueSchema: to, value: structWith(value, to, entries), headers: kept };
      },
    };
  },
};
