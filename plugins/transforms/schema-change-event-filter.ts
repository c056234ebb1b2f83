/** io.debezium.transforms.SchemaChangeEventFilter: drops schema changes of the types named. */
import type { ConfigDef } from "#connect/api/config";
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import { isList, javaToString } from "#connect/api/java-text";
import type { TransformPlugin } from "#connect/api/plugin";
import { Struct } from "#connect/api/struct";
import { DEBEZIUM_VERSION, debeziumRequired, javaError } from "./debezium.ts";
import { requireStruct } from "./side.ts";

const NAME = "schema.change.event.exclude.list";
const TYPES: ReadonlySet<string> = new Set(["CREATE", "ALTER", "DROP", "TRUNCATE", "DATABASE"]);
const config: ConfigDef = [
  {
    name: NAME,
    type: "STRING",
    default: null,
    importance: "HIGH",
    orderInGroup: 1,
    width: "SHORT",
    displayName: "Schema change event exclude list",
    doc: "Types to drop: CREATE, ALTER, DROP, TRUNCATE, DATABASE.",
    check: debeziumRequired(NAME),
  },
];
function eventType(name: string): string {
  if (TYPES.has(name)) return name;
  throw javaError("IllegalArgumentException", `No enum constant io.debezium.schema.SchemaChangeEvent.SchemaChangeEventType.${name}`);
}
export const schemaChangeEventFilter: TransformPlugin = {
  kind: "transform",
  name: "schema-change-event-filter",
  classes: ["io.debezium.transforms.SchemaChangeEventFilter"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const excluded = new Set(
      stringSetting(parseConfig(config, raw), NAME)
        .split(",")
        .map((name) => eventType(name.trim())),
    );
    return {
      apply(record) {
        if (record.value === null || record.valueSchema?.name?.endsWith("SchemaChangeValue") !== true) return record;
        const changes = requireStruct(record.value, "Read schema change event to filter", record.valueSchema).get("tableChanges");
        if (!isList(changes)) return null;
        const first = changes[0];
        const type = first instanceof Struct ? eventType(javaToString(first.get("type"))) : "DATABASE";
        return excluded.has(type) ? null : record;
      },
    };
  },
};
