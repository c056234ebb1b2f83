/** Batches of up to `batch.size` bytes, sent at the end of the turn; their fate is the cluster's. */
import type { ClientConfig, Delivery, Producer, RecordHeader, RecordRanges } from "#broker/client/types";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { murmur2 } from "#broker/protocol/murmur2";
import type { FakeCluster, StoredRecord } from "./kafka-cluster.ts";

class FakeBatch implements Delivery {
  readonly topic: string;
  readonly partition: number;
  state: Delivery["state"] = "pending";
  baseOffset = -1;
  error: Error | null = null;
  bytes = 0;
  records: StoredRecord[] = [];
  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }
}
const copy = (bytes: Uint8Array | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes));

export class FakeProducer implements Producer {
  bufferedBytes = 0;
  onSettled: ((delivery: Delivery) => void) | null = null;
  closed = false;
  readonly #cluster: FakeCluster;
  readonly #batchSize: number;
  readonly #bufferMemory: number;
  readonly #maxRequest: number;
  readonly #open = new Map<string, FakeBatch>();
  readonly #roomWaiters: (() => void)[] = [];
  readonly #idleWaiters: (() => void)[] = [];
  #scheduled = false;

  constructor(cluster: FakeCluster, config: ClientConfig) {
    this.#cluster = cluster;
    this.#batchSize = Number(config["batch.size"] ?? 16_384);
    this.#bufferMemory = Number(config["buffer.memory"] ?? 33_554_432);
    this.#maxRequest = Number(config["max.request.size"] ?? 1_048_576);
  }
  async partitions(topic: string): Promise<number> {
    return this.#cluster.topic(topic).partitions.length;
  }
  append(
    topic: string,
    partition: number | null,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestamp: number,
    headers: readonly RecordHeader[],
  ): Delivery {
    const bytes = (key?.length ?? 0) + (value?.length ?? 0) + 20;
    if (bytes > this.#maxRequest) throw new KafkaError(ErrorCode.MESSAGE_TOO_LARGE);
    const count = this.#cluster.topic(topic).partitions.length;
    const chosen = partition ?? (key === null ? 0 : (murmur2(key) & 0x7fffffff) % count);
    const id = `${topic}-${chosen}`;
    let batch = this.#open.get(id);
    if (batch === undefined || batch.bytes + bytes > this.#batchSize) {
      if (batch !== undefined) this.#send(batch);
      batch = new FakeBatch(topic, chosen);
      this.#open.set(id, batch);
    }
    batch.records.push({
      key: copy(key),
      value: copy(value),
      timestamp,
      headers: headers.map((h) => ({ key: h.key, value: copy(h.value) })),
    });
    batch.bytes += bytes;
    this.bufferedBytes += bytes;
    this.#schedule();
    return batch;
  }
  appendRanges(topic: string, partition: number | null, r: RecordRanges, timestamp: number, headers: readonly RecordHeader[]): Delivery {
    const range = (b: Buffer, start: number, length: number): Buffer | null => (length < 0 ? null : b.subarray(start, start + length));
    const key = range(r.keyBytes, r.keyStart, r.keyLength);
    return this.append(topic, partition, key, range(r.valueBytes, r.valueStart, r.valueLength), timestamp, headers);
  }
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const batch of this.#open.values()) this.#send(batch);
      this.#open.clear();
    });
  }
  #send(batch: FakeBatch): void {
    this.#cluster.whenAcked(() => {
      const error = this.#cluster.produceError?.(batch.topic) ?? null;
      if (error === null) batch.baseOffset = this.#cluster.append(batch.topic, batch.partition, batch.records);
      batch.state = error === null ? "acked" : "failed";
      batch.error = error;
      batch.records = [];
      this.bufferedBytes -= batch.bytes;
      this.onSettled?.(batch);
      if (this.bufferedBytes < this.#bufferMemory) for (const wake of this.#roomWaiters.splice(0)) wake();
      if (this.bufferedBytes === 0) for (const wake of this.#idleWaiters.splice(0)) wake();
    });
  }
  room(): Promise<void> {
    if (this.bufferedBytes < this.#bufferMemory) return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }
  flush(): Promise<void> {
    if (this.bufferedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }
  async send(
    topic: string,
    partition: number | null,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs = Date.now(),
    headers: readonly RecordHeader[] = [],
  ): Promise<{ partition: number; offset: number }> {
    const delivery = this.append(topic, partition, key, value, timestampMs, headers);
    await this.flush();
    if (delivery.error !== null) throw delivery.error;
    return { partition: delivery.partition, offset: delivery.baseOffset };
  }
  beginTransaction(): void {}
  async sendOffsetsToTransaction(): Promise<void> {}
  async commitTransaction(): Promise<void> {}
  async abortTransaction(): Promise<void> {}
  async initTransactions(): Promise<void> {}
  async close(): Promise<void> {
    this.closed = true;
  }
}
