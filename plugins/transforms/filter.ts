/** org.apache.kafka.connect.transforms.Filter: drops every record that reaches it; a predicate decides which do. */
import type { TransformPlugin } from "#connect/api/plugin";

export const filter: TransformPlugin = {
  kind: "transform",
  name: "filter",
  classes: ["org.apache.kafka.connect.transforms.Filter"],
  version: "4.1.0",
  config: [],
  create: () => ({ apply: () => null }),
};
