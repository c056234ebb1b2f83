/** org.apache.kafka.connect.transforms.predicates.RecordIsTombstone: the value is null. */
import type { PredicatePlugin } from "#connect/api/plugin";

export const recordIsTombstone: PredicatePlugin = {
  kind: "predicate",
  name: "record-is-tombstone",
  classes: ["org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"],
  version: "4.1.0",
  config: [],
  create: () => ({ test: (record) => record.value === null }),
};
