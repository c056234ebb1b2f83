/**
 * How many records the dead-letter queues hold and how old they are. Brokers are asked for offsets and timestamps only, no record is
 * read; for all queues behind the same brokers together, and not more often than every 5 s.
 */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Admin, ClientConfig, TopicPartition } from "#broker/client/types";
import { queueName } from "../worker/dead-letter.ts";
import { flagOf } from "../worker/settings.ts";
import type { ConfigMap } from "../worker/types.ts";

export interface DeadLetterFigures {
  readonly topic: string;
  /** Offsets between the first record and the end; where transactions wrote, their markers count. 0 for a topic that is not there yet. */
  readonly depth: number;
  /** The records' own timestamps, milliseconds since 1970; null: the queue is empty, or its brokers (before 3.0) cannot tell. */
  readonly oldest_ms: number | null;
  readonly newest_ms: number | null;
}
/** Null: the connector has no queue. A source's is used only where it is asked for. */
export function queueOf(type: string, config: ConfigMap): string | null {
  const topic = queueName(config);
  if (topic === "" || (type !== "sink" && !flagOf(config, "errors.deadletterqueue.source.enable", false))) return null;
  return topic;
}
/** One entry for each topic. Throws KafkaError. */
export async function deadLetterFigures(admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, DeadLetterFigures>> {
  const described = await admin.describeTopics(topics);
  const partitions = [...described.values()].flatMap((t) =>
    t.partitions.map((p): TopicPartition => ({ topic: t.name, partition: p.partition })),
  );
  const unknown = (): (number | null)[] => partitions.map(() => null);
  const [starts, ends, firsts, highest] =
    partitions.length === 0
      ? [[], [], [], []]
      : await Promise.all([
          admin.beginningOffsets(partitions),
          admin.endOffsets(partitions),
          admin.recordTimes(partitions, "first"),
          admin.recordTimes(partitions, "highest").catch(unknown),
        ]);
  const figures = new Map(
    topics.map((topic): [string, DeadLetterFigures] => [topic, { topic, depth: 0, oldest_ms: null, newest_ms: null }]),
  );
  for (const [i, { topic }] of partitions.entries()) {
    const sofar = figures.get(topic);
    if (sofar === undefined) continue;
    figures.set(topic, {
      topic,
      depth: sofar.depth + Math.max(0, (ends[i] ?? 0) - (starts[i] ?? 0)),
      oldest_ms: of(Math.min, sofar.oldest_ms, firsts[i]),
      newest_ms: of(Math.max, sofar.newest_ms, highest[i]),
    });
  }
  return figures;
}
const of = (choose: (a: number, b: number) => number, a: number | null, b: number | null | undefined): number | null =>
  a === null || b === null || b === undefined ? (a ?? b ?? null) : choose(a, b);

export interface Queue {
  readonly connector: string;
  readonly topic: string;
  /** Of a client of the brokers that have the queue. */
  readonly admin: ClientConfig;
}
export interface DeadLetterWatchOptions {
  readonly admin: (config: ClientConfig) => Promise<Admin>;
  readonly clock: Clock;
  readonly log: Logger;
}
const REFRESH_MS = 5_000;
/** A scrape waits so long for new figures; later ones are there for the next. */
const WAIT_MS = 1_000;

export class DeadLetterWatch {
  readonly #o: DeadLetterWatchOptions;
  #figures: ReadonlyMap<string, DeadLetterFigures> = new Map();
  #refreshing: Promise<void> | null = null;
  #askedMs = -Infinity;

  constructor(options: DeadLetterWatchOptions) {
    this.#o = options;
  }
  /** By connector; one is missing while its brokers do not answer. `queues` is called when there is something to ask. */
  async figures(queues: () => Promise<readonly Queue[]>): Promise<ReadonlyMap<string, DeadLetterFigures>> {
    const { clock } = this.#o;
    if (this.#refreshing === null && clock.monotonic() - this.#askedMs >= REFRESH_MS) {
      this.#askedMs = clock.monotonic();
      this.#refreshing = this.#refresh(queues).finally(() => (this.#refreshing = null));
    }
    if (this.#refreshing !== null) {
      const enough = new AbortController();
      await Promise.race([this.#refreshing, clock.sleep(WAIT_MS, enough.signal)]);
      enough.abort();
    }
    return this.#figures;
  }
  async #refresh(queues: () => Promise<readonly Queue[]>): Promise<void> {
    const found = new Map<string, DeadLetterFigures>();
    const clusters = Map.groupBy(await queues(), ({ admin: { "client.id": _id, ...cluster } }) => JSON.stringify(cluster));
    for (const together of clusters.values()) {
      try {
        const figures = await this.#ask(together);
        for (const { connector, topic } of together) {
          const its = figures.get(topic);
          if (its !== undefined) found.set(connector, its);
        }
      } catch (error) {
        const names = together.map((q) => q.connector).join(", ");
        this.#o.log.debug(`depth of the dead-letter queues of ${names} cannot be told: ${String(error)}`);
      }
    }
    this.#figures = found;
  }
  async #ask(queues: readonly Queue[]): Promise<ReadonlyMap<string, DeadLetterFigures>> {
    const admin = await this.#o.admin({ ...queues[0]?.admin, "client.id": "connector-adminclient-dead-letters" });
    try {
      return await deadLetterFigures(admin, [...new Set(queues.map((q) => q.topic))]);
    } finally {
      await admin.close();
    }
  }
}
