/** org.apache.kafka.connect.transforms.RegexRouter: renames topics by a Java regular expression. */
import { javaRegex } from "#connect/api/config-checks";
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import { ConnectError } from "#connect/api/errors";
import { JavaRegex, RegexReplacementError } from "#connect/api/java-regex";
import type { TransformPlugin } from "#connect/api/plugin";

const TOPICS_REMEMBERED_MAX = 10_000;
/** Errors that java.util.regex throws at replacement time. */
export function replacing<T>(run: () => T): T {
  try {
    return run();
  } catch (e) {
    if (e instanceof RegexReplacementError) throw new ConnectError(e.message, { javaClass: e.javaClass, causeClass: "config", cause: e });
    throw e;
  }
}
export const regexRouter: TransformPlugin = {
  kind: "transform",
  name: "regex-router",
  classes: ["org.apache.kafka.connect.transforms.RegexRouter"],
  version: "4.1.0",
  config: [
    {
      name: "regex",
      type: "STRING",
      importance: "HIGH",
      doc: "Java regular expression that the whole topic name must match.",
      check: javaRegex,
    },
    { name: "replacement", type: "STRING", importance: "HIGH", doc: "The new name; $1 or ${name} stand for groups of the expression." },
  ],
  create(raw) {
    const config = parseConfig(regexRouter.config, raw);
    const regex = new JavaRegex(stringSetting(config, "regex"));
    const replacement = stringSetting(config, "replacement");
    const renamed = new Map<string, string>();
    return {
      apply(record) {
        let topic = renamed.get(record.topic);
        if (topic === undefined) {
          topic = replacing(() => regex.replaceWhole(record.topic, replacement)) ?? record.topic;
          if (renamed.size >= TOPICS_REMEMBERED_MAX) renamed.clear();
          renamed.set(record.topic, topic);
        }
        return topic === record.topic ? record : { ...record, topic };
      },
    };
  },
};
