/**
 * Topics of a source task: known, or created on first use. With `topic.creation.default.*` in the connector's configuration
 * its groups decide (KIP-158); otherwise the topic gets the broker's defaults, as automatic creation would give it.
 */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Admin, NewTopic, Producer } from "#broker/client/types";
import { ConfigError, ConnectError } from "../api/errors.ts";
import { flagOf, listOf, numberOf, withPrefix } from "./settings.ts";
import type { ConfigMap } from "./types.ts";

interface CreationGroup {
  readonly name: string;
  readonly include: RegExp[];
  readonly exclude: RegExp[];
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}
const DEFAULT_GROUP = "default";
const BROKER_DEFAULT = -1;

function wholeMatch(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch (error) {
    throw new ConfigError(`Invalid regular expression ${pattern} in topic.creation`, error);
  }
}
function groupOf(config: ConfigMap, name: string): CreationGroup {
  const prefix = `topic.creation.${name}.`;
  const own = withPrefix(config, prefix);
  const configs: Record<string, string> = {};
  const settings = new Set(["include", "exclude", "partitions", "replication.factor"]);
  for (const [key, value] of Object.entries(own)) if (!settings.has(key)) configs[key] = value;
  const inherited = (key: string): number => numberOf(config, `topic.creation.${DEFAULT_GROUP}.${key}`, BROKER_DEFAULT);
  return {
    name,
    include: listOf(own, "include").map(wholeMatch),
    exclude: listOf(own, "exclude").map(wholeMatch),
    partitions: numberOf(own, "partitions", inherited("partitions")),
    replicationFactor: numberOf(own, "replication.factor", inherited("replication.factor")),
    configs,
  };
}
/** Null: the connector leaves topics to the broker's defaults. Throws ConfigError. */
export function creationGroups(worker: ConfigMap, connector: ConfigMap): readonly CreationGroup[] | null {
  if (!flagOf(worker, "topic.creation.enable", true)) return null;
  if (!(`topic.creation.${DEFAULT_GROUP}.replication.factor` in connector)) return null;
  const named = listOf(connector, "topic.creation.groups").filter((name) => name !== DEFAULT_GROUP);
  return [...named.map((name) => groupOf(connector, name)), { ...groupOf(connector, DEFAULT_GROUP), include: [/^/], exclude: [] }];
}
/** The first group that takes the topic; the default group takes all. */
function newTopicFor(groups: readonly CreationGroup[] | null, topic: string): NewTopic {
  const group = groups?.find((g) => g.include.some((r) => r.test(topic)) && !g.exclude.some((r) => r.test(topic)));
  if (group === undefined) return { name: topic, partitions: BROKER_DEFAULT, replicationFactor: BROKER_DEFAULT };
  return { name: topic, partitions: group.partitions, replicationFactor: group.replicationFactor, configs: group.configs };
}

export interface TopicRegistryOptions {
  readonly producer: Producer;
  /** Opened on the first topic that is new here. */
  readonly admin: () => Promise<Admin>;
  readonly groups: readonly CreationGroup[] | null;
  readonly clock: Clock;
  readonly log: Logger;
}
const UNKNOWN = new Set(["UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE"]);
const APPEAR_TIMEOUT_MS = 60_000;

export class TopicRegistry {
  readonly #o: TopicRegistryOptions;
  readonly #known = new Set<string>();
  constructor(options: TopicRegistryOptions) {
    this.#o = options;
  }
  has(topic: string): boolean {
    return this.#known.has(topic);
  }
  /** A topic that has been deleted while the task writes to it is created again, as Kafka's producer has the broker do it. */
  async revive(topic: string): Promise<void> {
    const admin = await this.#o.admin();
    if (!this.has(topic) || (await admin.describeTopics([topic])).has(topic)) return;
    await admin.createTopics([newTopicFor(this.#o.groups, topic)]);
    this.#o.log.warn(`topic ${topic} was gone and has been created again`);
  }
  /** Resolves when the producer knows the topic. Throws ConnectError when it cannot be had. */
  async ensure(topic: string, signal: AbortSignal): Promise<void> {
    const { producer, clock, log } = this.#o;
    try {
      const admin = await this.#o.admin();
      if (!(await admin.describeTopics([topic])).has(topic)) {
        const wanted = newTopicFor(this.#o.groups, topic);
        const created = (await admin.createTopics([wanted])).get(topic) ?? false;
        if (created) log.info(`created topic ${topic}`, { ...wanted });
      }
    } catch (error) {
      throw new ConnectError(
        `Task failed to create new topic ${topic}. Ensure that the task is authorized to create topics or that the topic exists and restart the task`,
        { causeClass: "transient", cause: error },
      );
    }
    const deadline = clock.monotonic() + APPEAR_TIMEOUT_MS;
    for (;;) {
      try {
        await producer.partitions(topic);
        break;
      } catch (error) {
        const again = error instanceof Error && UNKNOWN.has(error.name) && clock.monotonic() < deadline && !signal.aborted;
        if (!again) throw new ConnectError(`Topic ${topic} did not become available`, { causeClass: "transient", cause: error });
        await clock.sleep(100, signal);
      }
    }
    this.#known.add(topic);
  }
}
