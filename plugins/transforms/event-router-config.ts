/** Settings of the outbox event router. */
import type { ConfigDef } from "#connect/api/config";
import { javaRegexProblem } from "#connect/api/config-checks";
import { debeziumCheck, debeziumEnum } from "./debezium.ts";
import { splitPair } from "./side.ts";

const PLACEMENT = "table.fields.additional.placement";
export const eventRouterConfig: ConfigDef = [
  {
    name: "table.op.invalid.behavior",
    type: "STRING",
    default: "warn",
    importance: "MEDIUM",
    doc: "What to do with an update in the outbox table: warn, error (both drop it) or fatal.",
    check: debeziumEnum("table.op.invalid.behavior", "warn", "error", "fatal"),
  },
  { name: "table.field.event.id", type: "STRING", default: "id", importance: "LOW", doc: "Column of the event's id." },
  { name: "table.field.event.key", type: "STRING", default: "aggregateid", importance: "LOW", doc: "Column of the event's key." },
  { name: "table.field.event.type", type: "STRING", default: "type", importance: "LOW", doc: "Column of the event's type." },
  {
    name: "table.field.event.timestamp",
    type: "STRING",
    default: null,
    importance: "MEDIUM",
    doc: "Column of the record's timestamp; none: the event's ts_ms.",
  },
  { name: "table.field.event.payload", type: "STRING", default: "payload", importance: "LOW", doc: "Column of the payload." },
  {
    name: PLACEMENT,
    type: "STRING",
    default: null,
    importance: "HIGH",
    doc: "Further columns: column:header, column:envelope or column:partition, with :alias if wanted.",
    check: debeziumCheck(PLACEMENT, (value) => {
      const items = typeof value === "string" ? value.split(",").map((s) => s.trim()) : [];
      const bad = items.some((item) => ![2, 3].includes(splitPair(item).length));
      return bad ? `A comma-separated list of valid String pairs or trios is expected but got: [${items.join(", ")}]` : null;
    }),
  },
  {
    name: "table.fields.additional.error.on.missing",
    type: "BOOLEAN",
    default: true,
    importance: "LOW",
    doc: "Whether a further column that is not there is an error.",
  },
  { name: "table.field.event.schema.version", type: "STRING", default: null, importance: "LOW", doc: "Column of the schema's version." },
  { name: "route.by.field", type: "STRING", default: "aggregatetype", importance: "HIGH", doc: "Column that decides the topic." },
  {
    name: "route.topic.regex",
    type: "STRING",
    default: "(?<routedByValue>.*)",
    importance: "LOW",
    doc: "Expression applied to that column's value.",
    check: debeziumCheck("route.topic.regex", (value, raw) => {
      const problem = javaRegexProblem(value, raw);
      return problem === null ? null : `A valid regular expressions is expected, but ${problem}`;
    }),
  },
  { name: "route.topic.replacement", type: "STRING", default: "outbox.event.${routedByValue}", importance: "HIGH", doc: "The topic." },
  {
    name: "route.tombstone.on.empty.payload",
    type: "BOOLEAN",
    default: false,
    importance: "HIGH",
    doc: "Whether an empty payload makes a tombstone.",
  },
  { name: "table.expand.json.payload", type: "BOOLEAN", default: false, importance: "HIGH", doc: "Whether JSON text becomes a struct." },
  {
    name: "table.json.payload.null.behavior",
    type: "STRING",
    default: "ignore",
    importance: "MEDIUM",
    doc: "Nulls in that JSON: ignore, or optional_bytes.",
    check: debeziumEnum("table.json.payload.null.behavior", "ignore", "optional_bytes"),
  },
];
