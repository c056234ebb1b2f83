/** org.apache.kafka.connect.transforms.predicates.TopicNameMatches */
import { allOf, javaRegex, nonEmptyString } from "#connect/api/config-checks";
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import { JavaRegex } from "#connect/api/java-regex";
import type { PredicatePlugin } from "#connect/api/plugin";

export const topicNameMatches: PredicatePlugin = {
  kind: "predicate",
  name: "topic-name-matches",
  classes: ["org.apache.kafka.connect.transforms.predicates.TopicNameMatches"],
  version: "4.1.0",
  config: [
    {
      name: "pattern",
      type: "STRING",
      importance: "MEDIUM",
      doc: "Java regular expression that the whole topic name must match.",
      check: allOf(nonEmptyString, javaRegex),
    },
  ],
  create(raw) {
    const regex = new JavaRegex(stringSetting(parseConfig(topicNameMatches.config, raw), "pattern"));
    return { test: (record) => regex.matches(record.topic) };
  },
};
