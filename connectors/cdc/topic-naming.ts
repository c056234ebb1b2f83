/** Names of topics: `<prefix><delimiter><schema><delimiter><table>` and the connector's own ones. */
import type { Settings } from "./settings.ts";

/** Characters that Kafka refuses become underscores. */
export const topicName = (name: string): string => (name === "." || name === ".." ? "_" : name.replace(/[^a-zA-Z0-9._-]/g, "_"));

export interface TopicNaming {
  readonly prefix: string;
  data(schema: string, table: string): string;
  readonly transaction: string;
  readonly heartbeat: string;
  readonly message: string;
}

export function topicNaming(settings: Settings): TopicNaming {
  const prefix = settings.string("topic.prefix");
  const delimiter = settings.optional("topic.delimiter") ?? ".";
  const heartbeatPrefix = settings.optional("topic.heartbeat.prefix") ?? settings.string("heartbeat.topics.prefix");
  return {
    prefix,
    data: (schema, table) => topicName([prefix, schema, table].join(delimiter)),
    transaction: topicName([prefix, settings.optional("topic.transaction") ?? "transaction"].join(delimiter)),
    heartbeat: topicName([heartbeatPrefix, prefix].join(delimiter)),
    message: topicName([prefix, "message"].join(delimiter)),
  };
}
