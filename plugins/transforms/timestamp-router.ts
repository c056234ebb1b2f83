/** org.apache.kafka.connect.transforms.TimestampRouter: puts the record's time into the topic name. */
import { parseConfig, stringSetting } from "#connect/api/config-parse";
import { DataError } from "#connect/api/errors";
import type { TransformPlugin } from "#connect/api/plugin";
import { SimpleDateFormat } from "#connect/api/simple-date-format";

export const timestampRouter: TransformPlugin = {
  kind: "transform",
  name: "timestamp-router",
  classes: ["org.apache.kafka.connect.transforms.TimestampRouter"],
  version: "4.1.0",
  config: [
    {
      name: "topic.format",
      type: "STRING",
      default: "${topic}-${timestamp}",
      importance: "HIGH",
      doc: "The new topic, with ${topic} and ${timestamp} replaced.",
    },
    {
      name: "timestamp.format",
      type: "STRING",
      default: "yyyyMMdd",
      importance: "HIGH",
      doc: "Pattern of java.text.SimpleDateFormat, in UTC.",
    },
  ],
  create(raw) {
    const config = parseConfig(timestampRouter.config, raw);
    const topicFormat = stringSetting(config, "topic.format"),
      pattern = stringSetting(config, "timestamp.format");
    let format: SimpleDateFormat | null = null;
    return {
      apply(record) {
        if (record.timestamp === null) throw new DataError(`Timestamp missing on record: ${record.topic}`);
        format ??= new SimpleDateFormat(pattern);
        const time = format.format(new Date(record.timestamp));
        const topic = topicFormat.replaceAll("${topic}", () => record.topic).replaceAll("${timestamp}", () => time);
        return { ...record, topic };
      },
    };
  },
};
