/** io.debezium.transforms.partitions.PartitionRouting: the partition by a hash of some of the event's fields. */
import type { ConfigDef } from "#connect/api/config";
import { listSetting, numberSetting, optionalString, parseConfig } from "#connect/api/config-parse";
import { DataError } from "#connect/api/errors";
import { javaToString } from "#connect/api/java-text";
import type { TransformPlugin } from "#connect/api/plugin";
import type { Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { checkedFirst, debeziumCheck, debeziumError, debeziumRequired, DEBEZIUM_VERSION, envelopeOf } from "./debezium.ts";
import { javaHash, murmurHash } from "./java-hash.ts";

const INT_MAX = 0x7fffffff;
const config: ConfigDef = [
  {
    name: "partition.payload.fields",
    type: "LIST",
    default: null,
    importance: "HIGH",
    group: "partitions",
    orderInGroup: 1,
    displayName: "List of payload fields to use for compute partition.",
    doc: "Fields whose values decide, e.g. source.table or change.id (change is the row after, or before a delete).",
    check: debeziumCheck("partition.payload.fields", (v) => {
      if (v === null || (Array.isArray(v) && v.length === 0)) return "A value is required";
      return Array.isArray(v) && v.some((e) => e === "") ? "Empty string element(s) not allowed" : null;
    }),
  },
  {
    name: "partition.topic.num",
    type: "INT",
    default: null,
    importance: "HIGH",
    group: "partitions",
    orderInGroup: 2,
    displayName: "Number of partition configured for topic",
    doc: "How many partitions the topic has.",
    check: (value, raw) =>
      debeziumRequired("partition.topic.num")(value, raw) ??
      debeziumCheck("partition.topic.num", (v) => (Number(v) > 0 ? null : "A positive, non-zero integer value is expected"))(value, raw),
  },
  {
    name: "partition.hash.function",
    type: "STRING",
    default: "java",
    importance: "LOW",
    group: "partitions",
    orderInGroup: 3,
    displayName: "Hash function",
    doc: "java (hashCode) or murmur.",
  },
];
/** The value and its schema, null where a step or the value is missing. */
function find(event: Struct, path: readonly string[], isDelete: boolean): { value: ConnectValue; schema: Schema } | null {
  let struct: Struct = event;
  for (const [i, step] of path.entries()) {
    const last = i === path.length - 1;
    const name = step === "change" && !last ? (isDelete ? "before" : "after") : step;
    const field = struct.schema.byName.get(name);
    if (field === undefined) return null;
    const value = struct.get(name);
    if (last) return value === null ? null : { value, schema: field.schema };
    if (field.schema.type !== "STRUCT") return null;
    if (!(value instanceof Struct)) throw new DataError(`${name} is null`);
    struct = value;
  }
  return null;
}
export const partitionRouting: TransformPlugin = {
  kind: "transform",
  name: "partition-routing",
  classes: ["io.debezium.transforms.partitions.PartitionRouting"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = parseConfig(checkedFirst(config, "partition.topic.num"), raw);
    const paths = listSetting(c, "partition.payload.fields").map((f) => f.split(".").map((s) => s.trim()));
    const partitions = numberSetting(c, "partition.topic.num");
    const hash = (optionalString(c, "partition.hash.function") ?? "").trim().toLowerCase() === "murmur" ? murmurHash : javaHash;
    return {
      apply(record) {
        const event = envelopeOf(record);
        if (event === null) return record;
        const op = event.schema.byName.has("op") ? event.get("op") : null;
        if (op === "t" || op === "m") return record;
        let sum = 0,
          found = 0;
        try {
          for (const path of paths) {
            const at = find(event, path, op === "d");
            if (at === null) continue;
            found++;
            sum = (sum + hash(at.value, at.schema)) | 0;
          }
        } catch (e) {
          throw debeziumError(`Unprocessable message ${javaToString(event)}`, e);
        }
        if (found === 0) return record;
        const positive = sum & INT_MAX;
        return { ...record, partition: (positive === INT_MAX ? 0 : positive) % partitions };
      },
    };
  },
};
