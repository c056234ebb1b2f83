/** io.debezium.connector.jdbc.transforms.CollectionNameTransformation: the topic (and so the sink's table) in another naming style. */
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import type { TransformPlugin } from "#connect/api/plugin";
import { DEBEZIUM_VERSION } from "./debezium.ts";
import { namingConfig, namingStyle } from "./naming-style.ts";

const config = namingConfig("collection");
export const collectionNameTransformation: TransformPlugin = {
  kind: "transform",
  name: "collection-name-transformation",
  classes: ["io.debezium.connector.jdbc.transforms.CollectionNameTransformation"],
  version: DEBEZIUM_VERSION,
  config,
  create(raw) {
    const c = parseConfig(config, raw);
    const prefix = stringSetting(c, "collection.naming.prefix"),
      suffix = stringSetting(c, "collection.naming.suffix");
    const style = namingStyle(stringSetting(c, "collection.naming.style"));
    return { apply: (record) => ({ ...record, topic: prefix + style(record.topic) + suffix }) };
  },
};
