/**
 * Keeps one Fetch request per broker under way and what it brings in the partitions' buffers, bounded by bytes: the next
 * records are on their way while the caller works on these.
 */
import { ErrorCode, errorName, isRetriable, KafkaError } from "../../protocol/errors.ts";
import { fetch, type FetchResponse } from "../../protocol/messages/index.ts";
import { ZERO_UUID } from "../../protocol/schema.ts";
import type { Cluster } from "../cluster.ts";
import type { ConsumedRecord } from "../types.ts";
import type { ConsumerConfig } from "./config.ts";
import { FetchedBatches, offsetAfter } from "./fetched-batches.ts";
import type { PartitionState } from "./partition-state.ts";

interface Asked {
  readonly state: PartitionState;
  readonly generation: number;
  readonly offset: number;
  readonly topicId: string;
}
type PartitionAnswer = FetchResponse["responses"][number]["partitions"][number];
/** First version that names topics by id (KIP-516). */
const TOPIC_ID_VERSION = 13;
/** While a partition with a full buffer is left out, the poll is short, so that it is asked for again soon. */
const SHORT_WAIT_MS = 10;
const LEADER_CHANGED: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.REPLICA_NOT_AVAILABLE,
]);

export class Fetcher {
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #states: () => Iterable<PartitionState>;
  /** New records, or an error to throw. */
  readonly #notify: () => void;
  readonly #busy = new Set<number>();
  #bufferedBytes = 0;
  #error: Error | null = null;
  #turn = 0;

  constructor(cluster: Cluster, config: ConsumerConfig, states: () => Iterable<PartitionState>, notify: () => void) {
    this.#cluster = cluster;
    this.#config = config;
    this.#states = states;
    this.#notify = notify;
  }
  /** Up to `max.poll.records`, in order per partition; partitions take turns. Throws what a fetch failed with for good. */
  collect(): ConsumedRecord[] {
    const out: ConsumedRecord[] = [];
    const states = [...this.#states()].filter((state) => !state.paused && state.fetched.length > 0);
    const start = states.length === 0 ? 0 : this.#turn++ % states.length;
    for (let i = 0; i < states.length && out.length < this.#config.pollRecordsMax; i++) {
      const state = states[(start + i) % states.length];
      if (state !== undefined) this.#take(state, out);
    }
    if (out.length === 0 && this.#error !== null) {
      const error = this.#error;
      this.#error = null;
      throw error;
    }
    return out;
  }
  #take(state: PartitionState, out: ConsumedRecord[]): void {
    for (let batches = state.fetched[0]; batches !== undefined; batches = state.fetched[0]) {
      const wanted = this.#config.pollRecordsMax - out.length;
      if (wanted === 0) return;
      let count = 0;
      try {
        count = batches.read(out, wanted);
      } catch (error) {
        // First what other partitions have; poll throws this when nothing else is left, and each time until somebody seeks.
        this.#error = error instanceof Error ? error : new Error(String(error));
        return;
      }
      state.position = batches.nextOffset;
      if (count === wanted) return;
      if (count > 0 && batches.broken) return;
      state.fetched.shift();
      state.bufferedBytes -= batches.sizeBytes;
    }
  }
  /** Sends what can be sent. Cheap when there is nothing to do. */
  kick(): void {
    if (this.#cluster.stopped.aborted) return;
    const now = this.#cluster.deps.clock.monotonic();
    const byNode = new Map<number, PartitionState[]>();
    let leftOut = false;
    this.#bufferedBytes = 0;
    for (const state of this.#states()) this.#bufferedBytes += state.bufferedBytes;
    for (const state of this.#states()) {
      if (state.position === null || state.paused || state.fetching || state.notBefore > now) continue;
      if (state.bufferedBytes >= this.#config.partitionBytesMax || this.#bufferedBytes >= this.#config.fetchBytesMax) {
        leftOut = true;
        continue;
      }
      const node = this.#nodeFor(state, now);
      if (node < 0) {
        this.#cluster.requestUpdate();
        this.#later(state);
        continue;
      }
      const group = byNode.get(node);
      if (group === undefined) byNode.set(node, [state]);
      else group.push(state);
    }
    for (const [node, states] of byNode) {
      if (this.#busy.has(node)) continue;
      this.#busy.add(node);
      void this.#fetch(node, states, leftOut);
    }
  }
  #nodeFor(state: PartitionState, now: number): number {
    if (state.preferredReplica >= 0 && state.preferredUntil > now && this.#cluster.endpointOf(state.preferredReplica) !== undefined) {
      return state.preferredReplica;
    }
    return this.#cluster.metadata.leaderOf(state.topic, state.partition);
  }
  #later(state: PartitionState): void {
    const wait = this.#cluster.config.retryBackoffMs;
    state.notBefore = this.#cluster.deps.clock.monotonic() + wait;
    this.#cluster.deps.clock.after(wait + 1, () => this.kick());
  }

  async #fetch(node: number, states: readonly PartitionState[], leftOut: boolean): Promise<void> {
    const start = this.#turn % states.length;
    const asked: Asked[] = [...states.slice(start), ...states.slice(0, start)].map((state) => ({
      state,
      generation: state.generation,
      offset: state.fetchOffset,
      topicId: this.#cluster.metadata.topic(state.topic)?.id ?? ZERO_UUID,
    }));
    for (const { state } of asked) state.fetching = true;
    const waitMs = leftOut ? Math.min(SHORT_WAIT_MS, this.#config.fetchWaitMsMax) : this.#config.fetchWaitMsMax;
    let failed = false;
    try {
      const { body } = await this.#send(node, asked, waitMs);
      if (body.errorCode !== ErrorCode.NONE) throw new KafkaError(body.errorCode, `fetch: ${errorName(body.errorCode)}`);
      this.#handle(body, asked);
    } catch (error) {
      failed = true;
      this.#failed(error, asked);
    }
    for (const { state } of asked) state.fetching = false;
    this.#busy.delete(node);
    if (failed) for (const { state } of asked) this.#later(state);
    else this.kick();
  }
  #send(node: number, asked: readonly Asked[], waitMs: number) {
    const byId = asked.every((each) => each.topicId !== ZERO_UUID);
    const { partitionBytesMax, fetchBytesMin, fetchBytesMax, isolation, rack } = this.#config;
    const topics = [...Map.groupBy(asked, (each) => each.state.topic)].map(([topic, group]) => ({
      topic,
      topicId: group[0]?.topicId ?? ZERO_UUID,
      partitions: group.map(({ state, offset }) => ({
        partition: state.partition,
        currentLeaderEpoch: this.#cluster.metadata.topic(topic)?.partitions[state.partition]?.leaderEpoch ?? -1,
        fetchOffset: offset,
        partitionMaxBytes: partitionBytesMax,
      })),
    }));
    const request = {
      maxWaitMs: waitMs,
      minBytes: fetchBytesMin,
      maxBytes: Math.max(1, fetchBytesMax - this.#bufferedBytes),
      isolationLevel: isolation === "read_committed" ? 1 : 0,
      topics,
      rackId: rack,
    };
    return this.#cluster.send(node, fetch, request, {
      purpose: "fetch",
      versionMax: byId ? fetch.versions[1] : TOPIC_ID_VERSION - 1,
      timeoutMs: this.#cluster.config.requestTimeoutMs + waitMs,
    });
  }
  #handle(body: FetchResponse, asked: readonly Asked[]): void {
    let news = false;
    for (const topic of body.responses) {
      for (const answer of topic.partitions) {
        const match = asked.find(
          ({ state, topicId }) =>
            state.partition === answer.partitionIndex && (topic.topic === "" ? topicId === topic.topicId : state.topic === topic.topic),
        );
        // Seeked or revoked meanwhile: the answer is to a question nobody asks any more.
        if (match === undefined || match.state.generation !== match.generation || match.state.position === null) continue;
        if (answer.errorCode !== ErrorCode.NONE) news = this.#partitionError(match.state, answer.errorCode) || news;
        else news = this.#accept(match.state, answer) || news;
      }
    }
    if (news) this.#notify();
  }
  #accept(state: PartitionState, answer: PartitionAnswer): boolean {
    if (answer.preferredReadReplica >= 0) {
      state.preferredReplica = answer.preferredReadReplica;
      state.preferredUntil = this.#cluster.deps.clock.monotonic() + this.#cluster.config.metadataMaxAgeMs;
    }
    const records = answer.records;
    if (records === null || records.length === 0) return false;
    const bytes = Buffer.from(records.buffer, records.byteOffset, records.length);
    const next = offsetAfter(bytes, state.fetchOffset);
    if (next === state.fetchOffset) {
      this.#error = new KafkaError(
        ErrorCode.CORRUPT_MESSAGE,
        `${state.topic}-${state.partition}: no whole batch in ${bytes.length} bytes at offset ${state.fetchOffset}`,
      );
      this.#later(state);
      return true;
    }
    const options = { readCommitted: this.#config.isolation === "read_committed", checkCrcs: this.#config.checkCrcs };
    const batches = new FetchedBatches(state.topic, state.partition, bytes, state.fetchOffset, answer.abortedTransactions ?? [], options);
    state.fetchOffset = next;
    state.fetched.push(batches);
    state.bufferedBytes += bytes.length;
    this.#bufferedBytes += bytes.length;
    return true;
  }
  /** True when poll should look: there is an error, or the position has to be found again. */
  #partitionError(state: PartitionState, code: number): boolean {
    this.#later(state);
    if (code === ErrorCode.OFFSET_OUT_OF_RANGE) {
      if (state.preferredReplica >= 0) {
        state.preferredReplica = -1;
        return false;
      }
      // What is buffered is still good; the reset waits until it has been given out.
      if (state.fetched.length > 0) return false;
      const reset = this.#config.reset;
      const where = `${state.topic}-${state.partition}: offset ${state.fetchOffset}`;
      if (reset === "none") this.#error = new KafkaError(code, `${where} is out of range, and auto.offset.reset is none`);
      else {
        this.#cluster.deps.logger.warn(`${where} is out of range; going to the ${reset} one`);
        state.forgetPosition(reset);
      }
      return true;
    }
    if (LEADER_CHANGED.has(code)) state.preferredReplica = -1;
    if (isRetriable(code)) {
      if (LEADER_CHANGED.has(code)) this.#cluster.requestUpdate();
      return false;
    }
    this.#error = new KafkaError(code, `fetching ${state.topic}-${state.partition}: ${errorName(code)}`);
    return true;
  }
  #failed(error: unknown, asked: readonly Asked[]): void {
    if (this.#cluster.stopped.aborted) return;
    for (const { state } of asked) state.preferredReplica = -1;
    this.#cluster.requestUpdate();
    if (error instanceof KafkaError && isRetriable(error.code)) return;
    this.#error = error instanceof Error ? error : new Error(String(error));
    this.#notify();
  }
}
