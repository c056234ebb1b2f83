/** org.apache.kafka.connect.transforms.predicates.HasHeaderKey */
import { nonEmptyString } from "#connect/api/config-checks";
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import type { PredicatePlugin } from "#connect/api/plugin";

export const hasHeaderKey: PredicatePlugin = {
  kind: "predicate",
  name: "has-header-key",
  classes: ["org.apache.kafka.connect.transforms.predicates.HasHeaderKey"],
  version: "4.1.0",
  config: [{ name: "name", type: "STRING", importance: "MEDIUM", doc: "Header that the record must have.", check: nonEmptyString }],
  create(raw) {
    const name = stringSetting(parseConfig(hasHeaderKey.config, raw), "name");
    return { test: (record) => record.headers.some((h) => h.key === name) };
  },
};
