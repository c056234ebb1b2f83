/** One record batch on its way: what the caller sees of it is `Delivery`. */
import { readBatchHeader, writeBatchHeader } from "../../protocol/records/batch.ts";
import type { BatchBuilder, RecordRanges } from "../../protocol/records/builder.ts";
import type { Codec } from "../../protocol/records/compression/index.ts";
import type { Delivery, RecordHeader } from "../types.ts";

export class Batch implements Delivery {
  readonly topic: string;
  readonly partition: number;
  state: "pending" | "acked" | "failed" = "pending";
  baseOffset = -1;
  error: Error | null = null;
  /** Monotonic ms. */
  readonly createdAt: number;
  readonly builder: BatchBuilder;
  /** The finished batch; null while records are taken. */
  bytes: Buffer | null = null;
  /** What counts against buffer.memory. */
  accountedBytes = 0;
  producerId = -1;
  producerEpoch = -1;
  /** -1: none assigned, so it has never been on the wire with one. */
  sequence = -1;
  attempts = 0;
  released = false;
  waiters: (() => void)[] | null = null;
  /** A batch that was split settles with its last part. */
  parent: Batch | null = null;
  partsOpen = 0;

  constructor(topic: string, partition: number, createdAt: number, builder: BatchBuilder) {
    this.topic = topic;
    this.partition = partition;
    this.createdAt = createdAt;
    this.builder = builder;
  }
  get count(): number {
    return this.builder.count;
  }
  append(timestampMs: number, record: RecordRanges, headers: readonly RecordHeader[]): boolean {
    return this.builder.appendRanges(timestampMs, record, headers);
  }
  /**
   * The bytes to send under this identity. The first call closes the batch for records and compresses it; later ones only
   * renew header and CRC, and only where something changed. Nobody may be reading the bytes then.
   */
  finish(codec: Codec, transactional: boolean, producerId: number, producerEpoch: number, sequence: number): Buffer {
    let bytes = this.bytes;
    if (bytes === null) {
      bytes = this.builder.build(codec, { transactional, producerId, producerEpoch, baseSequence: sequence });
      this.bytes = bytes;
    } else if (producerId !== this.producerId || producerEpoch !== this.producerEpoch || sequence !== this.sequence) {
      const header = readBatchHeader(bytes);
      if (header === null) throw new Error("a finished batch has a header");
      writeBatchHeader(bytes, 0, bytes.length, { ...header, producerId, producerEpoch, baseSequence: sequence });
    }
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.sequence = sequence;
    return bytes;
  }
  /** Resolves when the batch is acked or failed. */
  settled(): Promise<void> {
    if (this.state !== "pending") return Promise.resolve();
    return new Promise((resolve) => {
      (this.waiters ??= []).push(resolve);
    });
  }
}
