/** The consumer. One user: calls to `poll` do not overlap. See types.ts for the contract. */
import type { Timer } from "../../base/clock.ts";
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { Cluster } from "../cluster.ts";
import type { ClientDeps } from "../deps.ts";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, offsetsAt, partitionKey } from "../list-offsets.ts";
import { Notifier } from "../notifier.ts";
import { commitOffsets, fetchOffsets, NO_MEMBER } from "../offset-store.ts";
import { closedError, shouldRetry } from "../retry.ts";
import type { ClientConfig, ConsumedRecord, Consumer, PartitionOffset, RebalanceListener, TopicPartition } from "../types.ts";
import { type ConsumerConfig, consumerConfig } from "./config.ts";
import { ConsumerGroup } from "./consumer-group.ts";
import { Fetcher } from "./fetcher.ts";
import { PartitionState } from "./partition-state.ts";
import { findPositions } from "./positions.ts";

const AUTO_COMMIT_TIMEOUT_MS = 5000;
const NO_RECORDS: readonly ConsumedRecord[] = [];

export class KafkaConsumer implements Consumer {
  readonly #config: ConsumerConfig;
  readonly #cluster: Cluster;
  readonly #news: Notifier;
  readonly #fetcher: Fetcher;
  readonly #states = new Map<string, PartitionState>();
  #group: ConsumerGroup | null = null;
  #topics: readonly string[] = [];
  #pattern: RegExp | null = null;
  #positioning: Promise<void> | null = null;
  #positionError: Error | null = null;
  #polling = false;
  #wakeup = false;
  #closed = false;
  #pollTimer: Timer | null = null;
  #nextCommitAt = 0;
  #committing: Promise<void> | null = null;

  constructor(config: ClientConfig, deps: ClientDeps) {
    this.#config = consumerConfig(config);
    this.#cluster = new Cluster(config, deps);
    this.#cluster.createsTopics = this.#config.createsTopics;
    this.#news = new Notifier(deps.clock);
    this.#fetcher = new Fetcher(this.#cluster, this.#config, () => this.#states.values(), this.#news.notify);
    this.#cluster.onMetadata = () => this.#metadataChanged();
  }
  #now(): number {
    return this.#cluster.deps.clock.monotonic();
  }
  #state(each: TopicPartition): PartitionState {
    const state = this.#states.get(partitionKey(each));
    if (state === undefined)
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No current assignment for partition ${partitionKey(each)}`);
    return state;
  }

  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void {
    const groupId = this.#config.groupId;
    if (groupId === null)
      throw new KafkaError(
        ErrorCode.INVALID_GROUP_ID,
        "To use the group management APIs, you must provide a valid group.id in the consumer configuration.",
      );
    if (this.#group === null && this.#states.size > 0)
      throw new KafkaError(ErrorCode.INVALID_REQUEST, "Subscription to topics, partitions and pattern are mutually exclusive");
    this.#pattern = topics instanceof RegExp ? topics : null;
    this.#topics = topics instanceof RegExp ? [] : [...new Set(topics)];
    this.#cluster.wantAll(this.#pattern !== null);
    this.#cluster.setWanted([...this.#topics, ...[...this.#states.values()].map((state) => state.topic)]);
    if (this.#group === null) {
      this.#group = new ConsumerGroup(this.#cluster, this.#config, groupId, {
        topics: () => this.#topics,
        owned: () => this.assignment(),
        own: (partitions) => this.#own(partitions),
        beforeRebalance: () => this.#autoCommitNow(),
        notify: this.#news.notify,
      });
    } else this.#group.rejoin("the subscription has changed");
    this.#group.listener = listener ?? null;
    this.#cluster.refresh().catch((error: unknown) => {
      this.#cluster.deps.logger.debug("first metadata request failed", { reason: String(error) });
    });
  }
  assign(partitions: readonly TopicPartition[]): void {
    if (this.#group !== null)
      throw new KafkaError(ErrorCode.INVALID_REQUEST, "Subscription to topics, partitions and pattern are mutually exclusive");
    this.#cluster.setWanted(partitions.map((each) => each.topic));
    this.#own(partitions);
    this.#cluster.requestUpdate();
    this.#news.notify();
  }
  #own(partitions: readonly TopicPartition[]): void {
    const keep = new Set(partitions.map(partitionKey));
    for (const [key, state] of this.#states) {
      if (keep.has(key)) continue;
      state.forgetPosition(null);
      this.#states.delete(key);
    }
    for (const each of partitions) {
      const key = partitionKey(each);
      if (!this.#states.has(key)) this.#states.set(key, new PartitionState(each.topic, each.partition));
    }
  }
  assignment(): readonly TopicPartition[] {
    return [...this.#states.values()].map(({ topic, partition }) => ({ topic, partition }));
  }
  #metadataChanged(): void {
    const pattern = this.#pattern;
    if (pattern !== null) {
      const { metadata } = this.#cluster;
      const matches = metadata.topicNames().filter((name) => {
        if (this.#config.excludeInternal && metadata.topic(name)?.internal === true) return false;
        pattern.lastIndex = 0;
        return pattern.test(name);
      });
      matches.sort();
      if (matches.join("\n") !== this.#topics.join("\n")) {
        this.#topics = matches;
        this.#group?.rejoin("topics that match the pattern have changed");
      }
    }
    this.#group?.metadataChanged(new Set(this.#topics));
    this.#news.notify();
  }

  async poll(timeoutMs: number): Promise<readonly ConsumedRecord[]> {
    if (this.#closed) throw closedError();
    if (this.#polling) throw new KafkaError(ErrorCode.INVALID_REQUEST, "poll is already running: this consumer has one user");
    this.#polling = true;
    const deadline = this.#now() + timeoutMs;
    this.#pollTimer?.cancel();
    try {
      for (;;) {
        if (this.#wakeup || this.#closed) {
          this.#wakeup = false;
          return NO_RECORDS;
        }
        const records = await this.#step();
        if (records.length > 0) return records;
        const left = deadline - this.#now();
        if (left <= 0) return NO_RECORDS;
        await this.#news.wait(left);
      }
    } finally {
      this.#polling = false;
      this.#watchPollInterval();
    }
  }
  async #step(): Promise<readonly ConsumedRecord[]> {
    if (this.#group !== null) {
      if (this.#pattern !== null && this.#topics.length === 0 && this.#cluster.metadata.brokers.size === 0)
        await this.#cluster.awaitBrokers(this.#cluster.config.defaultApiTimeoutMs);
      await this.#group.advance();
    }
    this.#autoCommitIfDue();
    this.#position();
    const records = this.#fetcher.collect();
    this.#fetcher.kick();
    return records;
  }
  /** Starts finding positions where they are missing. Errors that may heal are tried again, others come out of poll. */
  #position(): void {
    if (this.#positionError !== null) {
      const error = this.#positionError;
      this.#positionError = null;
      throw error;
    }
    if (this.#positioning !== null) return;
    const missing = [...this.#states.values()].filter((state) => state.position === null);
    if (missing.length === 0) return;
    this.#positioning = findPositions(this.#cluster, this.#config, missing, this.#cluster.config.defaultApiTimeoutMs)
      .catch((error: unknown) => {
        if (this.#cluster.stopped.aborted) return;
        if (shouldRetry(error)) this.#cluster.deps.logger.warn("positions could not be found; trying again", { reason: error.message });
        else this.#positionError = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#positioning = null;
        this.#news.notify();
      });
  }
  #watchPollInterval(): void {
    const group = this.#group;
    if (group === null || this.#closed) return;
    this.#pollTimer?.cancel();
    this.#pollTimer = this.#cluster.deps.clock.after(this.#config.pollIntervalMsMax, () => {
      if (this.#polling || this.#closed) return;
      this.#cluster.deps.logger.warn("max.poll.interval.ms is exceeded: leaving the group until the next poll", {
        group: this.#config.groupId ?? "",
      });
      void group.leaveFor("consumer poll timeout has expired.");
    });
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#state(partition).seek(offset);
    this.#news.notify();
  }
  async seekToBeginning(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#seekTo(partitions, "earliest");
  }
  async seekToEnd(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#seekTo(partitions, "latest");
  }
  async #seekTo(partitions: readonly TopicPartition[], where: "earliest" | "latest"): Promise<void> {
    const states = (partitions.length === 0 ? this.assignment() : partitions).map((each) => this.#state(each));
    for (const state of states) state.forgetPosition(where);
    await findPositions(this.#cluster, this.#config, states, this.#cluster.config.defaultApiTimeoutMs);
    this.#news.notify();
  }
  position(partition: TopicPartition): number | null {
    return this.#state(partition).position;
  }
  pause(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#state(each).paused = true;
  }
  resume(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#state(each).paused = false;
    this.#news.notify();
  }

  commit(offsets: readonly PartitionOffset[]): Promise<void> {
    return this.#commitWithin(offsets, this.#cluster.config.defaultApiTimeoutMs);
  }
  #commitWithin(offsets: readonly PartitionOffset[], timeoutMs: number): Promise<void> {
    const identity = (): ReturnType<ConsumerGroup["identity"]> => this.#group?.identity() ?? NO_MEMBER;
    return commitOffsets(this.#cluster, this.#groupId(), offsets, identity, timeoutMs);
  }
  /** What poll has given out so far counts as processed. In the background, so that a slow coordinator does not hold up poll. */
  #autoCommitIfDue(): void {
    if (!this.#config.autoCommit || this.#states.size === 0 || this.#committing !== null) return;
    const now = this.#cluster.deps.clock.monotonic();
    if (now < this.#nextCommitAt) return;
    const first = this.#nextCommitAt === 0;
    this.#nextCommitAt = now + this.#config.autoCommitIntervalMs;
    if (first) return;
    this.#committing = this.#commitPositions().finally(() => {
      this.#committing = null;
    });
  }
  /** Before partitions are given up: waits for the commit, within bounds. */
  async #autoCommitNow(): Promise<void> {
    if (!this.#config.autoCommit || this.#states.size === 0) return;
    // An older commit must not overtake this one.
    await this.#committing;
    await this.#commitPositions();
  }
  async #commitPositions(): Promise<void> {
    const offsets = [...this.#states.values()].flatMap((state) =>
      state.position === null ? [] : [{ topic: state.topic, partition: state.partition, offset: state.position }],
    );
    try {
      await this.#commitWithin(offsets, Math.min(AUTO_COMMIT_TIMEOUT_MS, this.#cluster.config.defaultApiTimeoutMs));
    } catch (error) {
      this.#cluster.deps.logger.warn("auto-commit failed", { group: this.#config.groupId ?? "", reason: String(error) });
    }
  }
  async committed(partitions: readonly TopicPartition[]): Promise<readonly (PartitionOffset | null)[]> {
    const found = await fetchOffsets(this.#cluster, this.#groupId(), partitions, true, this.#cluster.config.defaultApiTimeoutMs);
    return partitions.map((each) => found.get(partitionKey(each)) ?? null);
  }
  #groupId(): string {
    if (this.#config.groupId !== null) return this.#config.groupId;
    throw new KafkaError(ErrorCode.INVALID_GROUP_ID, "a group.id is needed for committed offsets");
  }
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly number[]> {
    return offsetsAt(this.#cluster, partitions, LATEST_TIMESTAMP, this.#config.isolation, this.#cluster.config.defaultApiTimeoutMs);
  }
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly number[]> {
    return offsetsAt(this.#cluster, partitions, EARLIEST_TIMESTAMP, this.#config.isolation, this.#cluster.config.defaultApiTimeoutMs);
  }
  wakeup(): void {
    this.#wakeup = true;
    this.#news.notify();
  }
  /** Commits if auto-commit is on, gives partitions up, leaves the group. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#news.notify();
    this.#pollTimer?.cancel();
    try {
      if (this.#group !== null) {
        await this.#autoCommitNow();
        await this.#group.close();
      }
    } finally {
      this.#cluster.close();
    }
  }
}
