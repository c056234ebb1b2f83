/**
 * Topics of a source task: known, or created on first use. With `topic.creation.*` in the connector's configuration its groups decide
 * (KIP-158); otherwise the topic gets the broker's defaults, as automatic creation would give it.
 */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Admin, Producer } from "#broker/client/types";
import { ConnectError } from "../api/errors.ts";
import { type CreationGroup, newTopicFor } from "./topic-creation.ts";

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
