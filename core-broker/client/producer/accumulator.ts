/**
 * Where records become batches. `append` runs hundreds of thousands of times a second: it allocates nothing per record, and
 * one object per batch.
 */
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { murmur2 } from "../../protocol/murmur2.ts";
import { BatchBuilder, type RecordRanges, rangesOf } from "../../protocol/records/builder.ts";
import type { RecordHeader } from "../types.ts";
import { Batch } from "./batch.ts";
import type { ProducerConfig } from "./config.ts";
import { PartitionQueue } from "./partition-queue.ts";

interface TopicQueues {
  readonly name: string;
  readonly partitions: PartitionQueue[];
  /** Where records without partition and key go now (sticky until the batch is full, KIP-480). */
  sticky: number;
}
/** Full-size buffers kept for the next batches; more than this is left to the collector. */
const FREE_BUFFERS_MAX = 32;
const FIRST_BUFFER_BYTES = 4096;
/** A batch's header plus the framing of its request. */
const REQUEST_OVERHEAD_BYTES = 61 + 256;

export class Accumulator {
  bufferedBytes = 0;
  /** Partitions that have something to send. */
  readonly active = new Set<PartitionQueue>();
  readonly #config: ProducerConfig;
  readonly #clock: Clock;
  readonly #random: Random;
  /** A batch was begun (`full` false), or filled up: the sender may have work. */
  readonly #onBatch: (queue: PartitionQueue, full: boolean) => void;
  readonly #topics = new Map<string, TopicQueues>();
  #last: TopicQueues | null = null;
  readonly #free: Buffer[] = [];

  constructor(config: ProducerConfig, clock: Clock, random: Random, onBatch: (queue: PartitionQueue, full: boolean) => void) {
    this.#config = config;
    this.#clock = clock;
    this.#random = random;
    this.#onBatch = onBatch;
  }
  /** Partitions are only ever added (Kafka cannot take any away). */
  learn(topic: string, partitions: number): void {
    const known = this.#topics.get(topic) ?? { name: topic, partitions: [], sticky: -1 };
    for (let i = known.partitions.length; i < partitions; i++) known.partitions.push(new PartitionQueue(topic, i));
    this.#topics.set(topic, known);
  }
  partitionCount(topic: string): number {
    return this.#topics.get(topic)?.partitions.length ?? 0;
  }
  *queues(): Generator<PartitionQueue> {
    for (const topic of this.#topics.values()) yield* topic.partitions;
  }
  queue(topic: string, partition: number): PartitionQueue | undefined {
    return this.#topics.get(topic)?.partitions[partition];
  }

  append(
    topic: string,
    partition: number | null,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    headers: readonly RecordHeader[],
  ): Batch {
    return this.appendRanges(topic, partition, rangesOf(key, value), timestampMs, headers);
  }
  appendRanges(
    topic: string,
    partition: number | null,
    record: RecordRanges,
    timestampMs: number,
    headers: readonly RecordHeader[],
  ): Batch {
    const last = this.#last;
    const queues = last !== null && last.name === topic ? last : this.#find(topic);
    const index = partition === null ? this.#choose(queues, record) : partition;
    const queue = queues.partitions[index];
    if (queue === undefined) {
      throw new KafkaError(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        `Invalid partition given with record: ${index} is not in the range [0...${queues.partitions.length}).`,
      );
    }
    this.#checkSize(record, headers);
    const open = queue.open;
    if (open !== null) {
      const before = open.builder.sizeBytes;
      if (open.append(timestampMs, record, headers)) {
        const grown = open.builder.sizeBytes - before;
        open.accountedBytes += grown;
        this.bufferedBytes += grown;
        return open;
      }
      this.#fill(queue, open);
      if (partition === null && record.keyLength < 0) {
        queues.sticky = -1;
        return this.appendRanges(topic, null, record, timestampMs, headers);
      }
    }
    return this.#begin(queue, timestampMs, record, headers);
  }
  #find(topic: string): TopicQueues {
    const queues = this.#topics.get(topic);
    if (queues === undefined) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `topic ${topic} is not known yet: await partitions("${topic}") first`);
    }
    this.#last = queues;
    return queues;
  }
  #choose(queues: TopicQueues, record: RecordRanges): number {
    const count = queues.partitions.length;
    const { keyBytes, keyStart, keyLength } = record;
    if (keyLength >= 0) return count === 1 ? 0 : (murmur2(keyBytes, keyStart, keyLength) & 0x7fffffff) % count;
    if (queues.sticky < 0) queues.sticky = this.#random.below(count);
    return queues.sticky;
  }
  #checkSize(record: RecordRanges, headers: readonly RecordHeader[]): void {
    let size = Math.max(record.keyLength, 0) + Math.max(record.valueLength, 0);
    for (let i = 0; i < headers.length; i++) size += (headers[i]?.key.length ?? 0) + (headers[i]?.value?.length ?? 0);
    // 21: the most that a record's own lengths and deltas take; 61: the batch around it.
    size += 21 + 61;
    if (size > this.#config.requestBytesMax) {
      throw new KafkaError(
        ErrorCode.MESSAGE_TOO_LARGE,
        `The message is ${size} bytes when serialized which is larger than ${this.#config.requestBytesMax}, which is the value of the max.request.size configuration.`,
      );
    }
  }
  #fill(queue: PartitionQueue, batch: Batch): void {
    queue.ready.push(batch);
    queue.open = null;
    queue.bytesHint = batch.builder.sizeBytes;
    queue.countHint = batch.count;
    this.#onBatch(queue, true);
  }
  #begin(queue: PartitionQueue, timestampMs: number, record: RecordRanges, headers: readonly RecordHeader[]): Batch {
    const builder = this.#builder(queue);
    const batch = new Batch(queue.topic, queue.partition, this.#clock.monotonic(), builder);
    batch.append(timestampMs, record, headers);
    batch.accountedBytes = builder.sizeBytes;
    this.bufferedBytes += builder.sizeBytes;
    queue.open = batch;
    this.active.add(queue);
    this.#onBatch(queue, false);
    return batch;
  }
  /** A partition that fills batches gets a recycled full-size buffer at once; others start small and grow. */
  #builder(queue: PartitionQueue): BatchBuilder {
    const bytesMax = Math.min(this.#config.batchBytes, Math.max(this.#config.requestBytesMax - REQUEST_OVERHEAD_BYTES, 256));
    const full = queue.bytesHint * 2 > bytesMax;
    const recycled = full ? this.#free.pop() : undefined;
    if (recycled !== undefined) return new BatchBuilder({ bytesMax, buffer: recycled });
    return new BatchBuilder({
      bytesMax,
      bytesInitial: full ? bytesMax : Math.min(bytesMax, Math.max(FIRST_BUFFER_BYTES, queue.bytesHint)),
    });
  }
  /** Closes the open batch because it is sent now. */
  sealOpen(queue: PartitionQueue): Batch | null {
    const batch = queue.open;
    if (batch === null) return null;
    queue.open = null;
    queue.bytesHint = batch.builder.sizeBytes;
    queue.countHint = batch.count;
    return batch;
  }
  /** The batch is settled: its bytes count no more. `reuse`: nobody reads its memory any more, the next batch may have it. */
  release(batch: Batch, reuse: boolean): void {
    this.bufferedBytes -= batch.accountedBytes;
    batch.accountedBytes = 0;
    if (batch.released) return;
    batch.released = true;
    batch.bytes = null;
    const buffer = batch.builder.takeBuffer();
    if (reuse && buffer.length === this.#config.batchBytes && this.#free.length < FREE_BUFFERS_MAX) this.#free.push(buffer);
  }
}
