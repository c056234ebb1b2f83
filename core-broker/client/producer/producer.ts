/** The producer: records in, acknowledged batches out. See types.ts for the contract, sender.ts for how order is kept. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { type RecordRanges, rangesOf } from "../../protocol/records/builder.ts";
import { Cluster } from "../cluster.ts";
import type { ClientDeps } from "../deps.ts";
import { closedError, within } from "../retry.ts";
import type { ClientConfig, Delivery, PartitionOffset, Producer, RecordHeader } from "../types.ts";
import { Accumulator } from "./accumulator.ts";
import type { Batch } from "./batch.ts";
import { type ProducerConfig, producerConfig } from "./config.ts";
import { ProducerIdentity } from "./identity.ts";
import { isQuiet } from "./linger.ts";
import { Sender } from "./sender.ts";
import { Transaction } from "./transaction.ts";

/** Longer than any delivery.timeout.ms that makes sense, within what a timer can hold. */
const HOLD_MS = 0x7fffffff;
/** A reason of its own: without one each abort makes a DOMException with a stack trace. */
const OVER = "over";
const NO_HEADERS: readonly RecordHeader[] = [];

export class KafkaProducer implements Producer {
  onSettled: ((delivery: Delivery) => void) | null = null;
  readonly #config: ProducerConfig;
  readonly #cluster: Cluster;
  readonly #accumulator: Accumulator;
  readonly #identity: ProducerIdentity;
  readonly #sender: Sender;
  readonly #transaction: Transaction | null;
  #fatal: Error | null = null;
  #closing = false;
  #roomWaiters: (() => void)[] = [];

  constructor(config: ClientConfig, deps: ClientDeps) {
    this.#config = producerConfig(config);
    this.#cluster = new Cluster(config, deps);
    this.#identity = new ProducerIdentity(this.#cluster);
    const { lingerMs } = this.#config;
    this.#accumulator = new Accumulator(this.#config, deps.clock, deps.random, (queue, full) => {
      if (full || lingerMs === 0 || this.#sender.flushing > 0 || isQuiet(queue, this.#config)) this.#sender.wake();
      else this.#sender.wakeIn(lingerMs);
    });
    this.#sender = new Sender(this.#cluster, this.#config, this.#accumulator, this.#identity);
    this.#sender.onSettled = (batch) => this.#settled(batch);
    this.#sender.onFatal = (error) => {
      this.#fatal = error;
      this.#transaction?.fail(error);
    };
    this.#cluster.onMetadata = () => this.#metadataChanged();
    const id = this.#config.transactionalId;
    this.#transaction =
      id === null ? null : new Transaction(this.#cluster, this.#config, id, this.#identity, this.#sender, () => this.#flushAll());
    this.#sender.gate = this.#transaction;
  }
  #metadataChanged(): void {
    for (const name of this.#cluster.metadata.topicNames()) {
      const count = this.#cluster.metadata.topic(name)?.partitions.length ?? 0;
      if (count > this.#accumulator.partitionCount(name)) this.#accumulator.learn(name, count);
    }
    if (this.#accumulator.active.size > 0) this.#sender.wake();
  }
  async partitions(topic: string): Promise<number> {
    if (this.#fatal !== null) throw this.#fatal;
    const known = this.#accumulator.partitionCount(topic);
    if (known > 0) return known;
    const { partitions } = await this.#cluster.awaitTopic(topic, this.#config.maxBlockMs);
    this.#accumulator.learn(topic, partitions.length);
    return partitions.length;
  }
  append(
    topic: string,
    partition: number | null,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    headers: readonly RecordHeader[],
  ): Delivery {
    return this.#append(topic, partition, rangesOf(key, value), timestampMs, headers);
  }
  appendRanges(
    topic: string,
    partition: number | null,
    record: RecordRanges,
    timestampMs: number,
    headers: readonly RecordHeader[],
  ): Delivery {
    return this.#append(topic, partition, record, timestampMs, headers);
  }
  #append(topic: string, partition: number | null, record: RecordRanges, timestampMs: number, headers: readonly RecordHeader[]): Batch {
    if (this.#fatal !== null || this.#closing) throw this.#fatal ?? closedError();
    if (this.#transaction !== null) {
      const refusal = this.#transaction.refusal();
      if (refusal !== null) throw refusal;
    }
    return this.#accumulator.appendRanges(topic, partition, record, timestampMs, headers);
  }
  get bufferedBytes(): number {
    return this.#accumulator.bufferedBytes;
  }
  room(): Promise<void> {
    if (this.#hasRoom()) return Promise.resolve();
    this.#sender.wake();
    const over = this.#holdProcess();
    return new Promise((resolve) => {
      this.#roomWaiters.push(() => {
        over.abort(OVER);
        resolve();
      });
    });
  }
  #hasRoom(): boolean {
    return this.#fatal !== null || this.#accumulator.bufferedBytes < this.#config.bufferMemoryBytes;
  }
  #settled(batch: Batch): void {
    if (this.#roomWaiters.length > 0 && this.#hasRoom()) {
      const waiters = this.#roomWaiters;
      this.#roomWaiters = [];
      for (const resolve of waiters) resolve();
    }
    this.onSettled?.(batch);
  }
  async flush(): Promise<void> {
    if (this.#fatal !== null) throw this.#fatal;
    await this.#flushAll();
    if (this.#fatal !== null) throw this.#fatal;
  }
  async #flushAll(): Promise<void> {
    this.#sender.flushing++;
    this.#sender.wake();
    const over = this.#holdProcess();
    try {
      const waiting = [...this.#accumulator.active].flatMap((queue) => queue.unsettled().map((batch) => (batch.parent ?? batch).settled()));
      await Promise.all(waiting);
    } finally {
      this.#sender.flushing--;
      over.abort(OVER);
    }
  }
  /** Timers do not keep a process alive; somebody who waits for a delivery does, also while no broker can be reached. */
  #holdProcess(): AbortController {
    const over = new AbortController();
    void this.#cluster.deps.clock.sleep(HOLD_MS, over.signal);
    return over;
  }
  async send(
    topic: string,
    partition: number | null,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number = this.#cluster.deps.clock.now(),
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): Promise<{ partition: number; offset: number }> {
    await this.partitions(topic);
    const batch = this.#append(topic, partition, rangesOf(key, value), timestampMs, headers);
    const index = batch.count - 1;
    const over = this.#holdProcess();
    await batch.settled();
    over.abort(OVER);
    if (batch.error !== null) throw batch.error;
    return { partition: batch.partition, offset: batch.baseOffset < 0 ? -1 : batch.baseOffset + index };
  }

  #requireTransactions(): Transaction {
    if (this.#transaction !== null) return this.#transaction;
    throw new KafkaError(ErrorCode.INVALID_TXN_STATE, "Transactional method invoked on a non-transactional producer.");
  }
  initTransactions(): Promise<void> {
    return this.#requireTransactions().init();
  }
  beginTransaction(): void {
    this.#requireTransactions().begin();
  }
  sendOffsetsToTransaction(offsets: readonly PartitionOffset[], groupId: string): Promise<void> {
    return this.#requireTransactions().sendOffsets(offsets, groupId);
  }
  commitTransaction(): Promise<void> {
    return this.#requireTransactions().commit();
  }
  abortTransaction(): Promise<void> {
    return this.#requireTransactions().abort();
  }
  /** Sends what is buffered for at most `timeoutMs` (default: 30 s), fails the rest, and closes the connections. */
  async close(timeoutMs = 30_000): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    // What did not get out in time is failed below, each record to its sender.
    if (timeoutMs > 0) await within(this.#cluster, "closing the producer", timeoutMs, this.#flushAll()).catch(() => {});
    this.#sender.stop(this.#fatal ?? closedError());
    this.#cluster.close();
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
  }
}
