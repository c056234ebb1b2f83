/** io.debezium.transforms.ContentBasedRouter: the topic by an expression. */
import type { TransformPlugin } from "#connect/api/plugin";
import { DEBEZIUM_VERSION } from "./debezium.ts";
import { scripted, scriptingConfig, wrongResult } from "./scripting.ts";

const config = scriptingConfig("topic.expression", "JavaScript that gives the topic; null leaves the record as it is.");
export const contentBasedRouter: TransformPlugin = {
  kind: "transform",
  name: "content-based-router",
  classes: ["io.debezium.transforms.ContentBasedRouter"],
  version: DEBEZIUM_VERSION,
  config,
  create: (raw) =>
    scripted(raw, config, "topic.expression", (record, result) => {
      if (result === null) return record;
      if (typeof result !== "string") throw wrongResult("String");
      return { ...record, topic: result };
    }),
};
