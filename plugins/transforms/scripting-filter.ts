/** io.debezium.transforms.Filter: keeps the records for which a condition holds. */
import type { TransformPlugin } from "#connect/api/plugin";
import { DEBEZIUM_VERSION } from "./debezium.ts";
import { scripted, scriptingConfig, wrongResult } from "./scripting.ts";

const config = scriptingConfig("condition", "JavaScript over value, key, topic, header, valueSchema and keySchema; true keeps the record.");
export const scriptingFilter: TransformPlugin = {
  kind: "transform",
  name: "debezium-filter",
  classes: ["io.debezium.transforms.Filter"],
  version: DEBEZIUM_VERSION,
  config,
  create: (raw) =>
    scripted(raw, config, "condition", (record, result) => {
      if (typeof result !== "boolean") throw wrongResult("Boolean");
      return result ? record : null;
    }),
};
