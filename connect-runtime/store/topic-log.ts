/**
 * A compacted topic as a replicated map's log: created if absent, read to its end, then followed; every record is applied in
 * order within its partition. The config, status and offset stores are folds over such a log.
 */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Admin, ClientConfig, ConsumedRecord, Consumer, KafkaClients, NewTopic, Producer, TopicPartition } from "#broker/client/types";
import { ConnectError, ConfigError } from "../api/errors.ts";

export interface TopicLogOptions {
  readonly clients: KafkaClients;
  /** Name, partitions, replication factor and settings (`cleanup.policy=compact` is added) used if the topic is absent. */
  readonly topic: NewTopic;
  /** The worker setting that names the topic, for messages: `config.storage.topic`. */
  readonly setting: string;
  /** What is stored there, for messages: "connector configurations". */
  readonly purpose: string;
  readonly adminConfig: ClientConfig;
  readonly consumerConfig: ClientConfig;
  /** Null: read only, unless `producer` is given. */
  readonly producerConfig: ClientConfig | null;
  /** A producer that somebody else owns and closes (e.g. a transactional one). */
  readonly producer?: Producer;
  /** An admin that somebody else owns and closes. */
  readonly admin?: Admin;
  /** Called for every record, in order per partition. Must not throw; key and value are views: copy what is kept. */
  readonly apply: (record: ConsumedRecord) => void;
  /** Called after a batch was applied. */
  readonly applied?: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Of committed data only: `readToEnd` waits for transactions that are open. The last stable offset would stop short of what was
   * committed behind another writer's open transaction.
   */
  readonly throughOpenTransactions?: boolean;
  /** How long `open` waits for the topic to appear with its partitions. Default 30,000. */
  readonly topicTimeoutMs?: number;
}

export interface TopicLog {
  readonly topic: string;
  readonly partitions: number;
  /** Applies everything that was in the topic when this was called, then resolves. Throws ConnectError on timeout. */
  readToEnd(timeoutMs?: number): Promise<void>;
  /** Resolves when the record is acknowledged. Partition: murmur2 of the key, as Java does. */
  send(key: Uint8Array | null, value: Uint8Array | null): Promise<void>;
  /** Null when the log is read only. */
  readonly producer: Producer | null;
  close(): Promise<void>;
}

const POLL_MS = 1_000;
const RETRY_PAUSE_MS = 500;
/** What cannot be sent by then, because the brokers are away, is lost. */
const CLOSE_TIMEOUT_MS = 5_000;
const READ_TO_END_TIMEOUT_MS = 60_000;

/** Creates the topic if absent and applies all of it before resolving. Throws ConfigError for an unsuitable topic. */
export async function openTopicLog(options: TopicLogOptions): Promise<TopicLog> {
  const { clients, clock } = options;
  const name = options.topic.name;
  const admin = options.admin ?? (await clients.admin(options.adminConfig));
  const partitions = await ensureTopic(admin, options);
  const assignment: TopicPartition[] = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }));
  const consumer = await clients.consumer({
    "auto.offset.reset": "earliest",
    "fetch.min.bytes": "1",
    ...options.consumerConfig,
    "enable.auto.commit": "false",
  });
  consumer.assign(assignment);
  await consumer.seekToBeginning(assignment);
  const producer =
    options.producer ?? (options.producerConfig === null ? null : await clients.producer({ "linger.ms": "0", ...options.producerConfig }));
  if (producer !== null) await producer.partitions(name);

  const isolation = options.consumerConfig["isolation.level"] === "read_committed" ? "read_committed" : "read_uncommitted";
  let started = false;
  const follower = follow(consumer, options);
  const log: TopicLog = {
    topic: name,
    partitions,
    producer,
    async readToEnd(timeoutMs = READ_TO_END_TIMEOUT_MS) {
      const deadline = clock.monotonic() + timeoutMs;
      const ends = await admin.endOffsets(assignment, started && options.throughOpenTransactions === true ? "read_uncommitted" : isolation);
      await follower.reach(assignment, ends, deadline);
    },
    async send(key, value) {
      if (producer === null) throw new ConnectError(`Topic ${name} is open for reading only`);
      await producer.send(name, null, key, value);
    },
    async close() {
      await follower.stop();
      await consumer.close();
      if (options.producer === undefined) await producer?.close(CLOSE_TIMEOUT_MS);
      if (options.admin === undefined) await admin.close();
    },
  };
  try {
    await log.readToEnd();
    started = true;
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
}

async function ensureTopic(admin: Admin, options: TopicLogOptions): Promise<number> {
  const { topic, clock } = options;
  const deadline = clock.monotonic() + (options.topicTimeoutMs ?? 30_000);
  let described = (await admin.describeTopics([topic.name])).get(topic.name);
  const existed = described !== undefined;
  if (!existed) await admin.createTopics([{ ...topic, configs: { ...topic.configs, "cleanup.policy": "compact" } }]);
  while (described === undefined || described.partitions.some((p) => p.leader < 0)) {
    if (clock.monotonic() > deadline)
      throw new ConnectError(`Could not create or find topic '${topic.name}' (${options.setting}) in time: check the brokers' logs`, {
        causeClass: "transient",
      });
    if (described !== undefined || !existed) await clock.sleep(described === undefined ? 2 : 50);
    described = (await admin.describeTopics([topic.name])).get(topic.name);
  }
  if (existed) await requireCompaction(admin, options);
  return described.partitions.length;
}

/** A topic with another clean-up policy loses state silently, so it is refused as Kafka Connect does. */
async function requireCompaction(admin: Admin, options: TopicLogOptions): Promise<void> {
  const { name } = options.topic;
  let policy: string | null | undefined;
  try {
    policy = (await admin.describeTopicConfigs(name)).get("cleanup.policy")?.value;
  } catch (error) {
    options.log.warn(`cannot check cleanup.policy of topic ${name}: ${String(error)}`);
    return;
  }
  if (policy === null || policy === undefined || policy === "compact") return;
  throw new ConfigError(
    `Topic '${name}' supplied via the '${options.setting}' property is required to have 'cleanup.policy=compact' to guarantee consistency and ` +
      `durability of ${options.purpose}, but found the topic currently has 'cleanup.policy=${policy}'. Continuing would likely result in ` +
      `eventually losing ${options.purpose} and problems restarting this Connect cluster in the future. Change the '${options.setting}' property ` +
      `in the Connect worker configurations to use a topic with 'cleanup.policy=compact'.`,
  );
}

interface Follower {
  reach(partitions: readonly TopicPartition[], ends: readonly number[], deadline: number): Promise<void>;
  stop(): Promise<void>;
}
interface Waiter {
  readonly partitions: readonly TopicPartition[];
  readonly ends: readonly number[];
  readonly done: () => void;
}

/** The one loop that polls the consumer; waiters are woken when the positions have passed theirs. */
function follow(consumer: Consumer, options: TopicLogOptions): Follower {
  const { apply, clock, log } = options;
  const stopping = new AbortController();
  const waiters = new Set<Waiter>();
  // Positions as of the last applied batch: the consumer's own may be ahead of what has been applied.
  const reached: number[] = [];
  const note = (): void => {
    for (const p of consumer.assignment()) reached[p.partition] = consumer.position(p) ?? 0;
  };
  note();
  const passed = (w: Waiter): boolean => w.partitions.every((p, i) => (reached[p.partition] ?? 0) >= (w.ends[i] ?? 0));
  const wake = (): void => {
    for (const waiter of waiters) {
      if (!passed(waiter)) continue;
      waiters.delete(waiter);
      waiter.done();
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const records = await consumer.poll(POLL_MS);
        for (const record of records) apply(record);
        if (records.length > 0) options.applied?.();
        note();
        wake();
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.warn(`reading topic ${options.topic.name} failed, trying again: ${String(error)}`);
        await clock.sleep(RETRY_PAUSE_MS, stopping.signal);
      }
    }
  };
  const running = run();
  return {
    async reach(partitions, ends, deadline) {
      await new Promise<void>((resolve, reject) => {
        const timer = clock.after(Math.max(0, deadline - clock.monotonic()), () => {
          waiters.delete(waiter);
          reject(new ConnectError(`Timed out reading topic ${options.topic.name} to its end`, { causeClass: "transient" }));
        });
        const waiter: Waiter = {
          partitions,
          ends,
          done: () => {
            timer.cancel();
            resolve();
          },
        };
        if (passed(waiter)) return waiter.done();
        waiters.add(waiter);
      });
    },
    async stop() {
      stopping.abort();
      consumer.wakeup();
      await running;
    },
  };
}
