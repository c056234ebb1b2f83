/**
 * One partition's part of a Fetch answer: batches that are decompressed and read only when their records are wanted. Records
 * are views on the frame or on the decompressed batch. Under read_committed, control batches and the batches of aborted
 * transactions are left out (KIP-98).
 */
import { ErrorCode, KafkaError, ProtocolError } from "../../protocol/errors.ts";
import { type BatchHeader, crcOk, isControl, isLogAppendTime, isTransactional, readBatchHeader } from "../../protocol/records/batch.ts";
import { recordBytes } from "../../protocol/records/records.ts";
import type { ConsumedRecord } from "../types.ts";
import { RecordCursor } from "./record-cursor.ts";

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}
export interface FetchedOptions {
  readonly readCommitted: boolean;
  readonly checkCrcs: boolean;
}
/** Record batches of this magic have 61-byte headers and their records inside; older ones are message sets. */
const MAGIC = 2;
const CONTROL_ABORT = 0;

export class FetchedBatches {
  readonly topic: string;
  readonly partition: number;
  readonly #records: Buffer;
  readonly #options: FetchedOptions;
  /** By first offset. */
  readonly #aborted: AbortedTransaction[];
  readonly #abortedNow = new Set<number>();
  #at = 0;
  #cursor: RecordCursor | null = null;
  #broken: KafkaError | null = null;
  /** Offset after the last record read. */
  nextOffset: number;

  constructor(
    topic: string,
    partition: number,
    records: Buffer,
    from: number,
    aborted: readonly AbortedTransaction[],
    options: FetchedOptions,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.#records = records;
    this.nextOffset = from;
    this.#options = options;
    this.#aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }
  get broken(): boolean {
    return this.#broken !== null;
  }
  get sizeBytes(): number {
    return this.#records.length;
  }
  /**
   * Appends up to `max` records to `out` and returns how many; 0 when the answer is used up. What cannot be read is thrown
   * (CORRUPT_MESSAGE) when everything before it has been given out, and again at every call: going on would be a silent gap.
   */
  read(out: ConsumedRecord[], max: number): number {
    if (this.#broken !== null) throw this.#broken;
    let count = 0;
    try {
      while (count < max) {
        const cursor = this.#cursor ?? this.#nextBatch();
        if (cursor === null) break;
        const record = cursor.next(this.nextOffset);
        if (record === null) {
          // Compaction may have removed the batch's last records: its header says where the next one begins.
          this.nextOffset = cursor.endOffset;
          this.#cursor = null;
          continue;
        }
        this.#cursor = cursor;
        this.nextOffset = record.offset + 1;
        out.push(record);
        count++;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const what = `Received exception when fetching the next record from ${this.topic}-${this.partition} at offset ${this.nextOffset}`;
      this.#broken = new KafkaError(ErrorCode.CORRUPT_MESSAGE, `${what}: ${error.message}; seek past it to go on`, error);
      if (count === 0) throw this.#broken;
    }
    return count;
  }
  #nextBatch(): RecordCursor | null {
    for (;;) {
      const start = this.#at;
      const header = readBatchHeader(this.#records, start);
      // The broker may cut the last batch off.
      if (header === null || start + header.sizeInBytes > this.#records.length) return null;
      if (header.magic !== MAGIC) throw new ProtocolError(`message format ${header.magic} (before Kafka 0.11) is not supported`);
      this.#at = start + header.sizeInBytes;
      const endOffset = header.baseOffset + header.lastOffsetDelta + 1;
      if (endOffset <= this.nextOffset) continue;
      if (this.#options.checkCrcs && !crcOk(this.#records, start, this.#at)) throw new ProtocolError("batch with a wrong CRC");
      if (this.#hidden(start, header)) {
        this.nextOffset = endOffset;
        continue;
      }
      const logAppend = isLogAppendTime(header.attributes);
      return new RecordCursor(this.topic, this.partition, recordBytes(this.#records, start, header), header, logAppend);
    }
  }
  #hidden(start: number, header: BatchHeader): boolean {
    const control = isControl(header.attributes);
    if (this.#options.readCommitted) {
      const lastOffset = header.baseOffset + header.lastOffsetDelta;
      while (this.#aborted[0] !== undefined && this.#aborted[0].firstOffset <= lastOffset) {
        const entry = this.#aborted.shift();
        if (entry !== undefined) this.#abortedNow.add(entry.producerId);
      }
      if (control) {
        if (controlType(recordBytes(this.#records, start, header)) === CONTROL_ABORT) this.#abortedNow.delete(header.producerId);
      } else if (isTransactional(header.attributes) && this.#abortedNow.has(header.producerId)) return true;
    }
    return control;
  }
}
/** A control record's key: version int16, type int16 (0 abort, 1 commit), behind length, attributes, deltas and key length. */
function controlType(bytes: Buffer): number {
  const key = RecordCursor.firstKey(bytes);
  return key === null || key.length < 4 ? -1 : key.readInt16BE(2);
}
/** Offset after the last whole batch in a Fetch answer, by headers alone; `from` when there is none. */
export function offsetAfter(records: Buffer, from: number): number {
  let next = from;
  for (let at = 0; ; ) {
    const header = readBatchHeader(records, at);
    if (header === null || at + header.sizeInBytes > records.length) return next;
    next = Math.max(next, header.baseOffset + header.lastOffsetDelta + 1);
    at += header.sizeInBytes;
  }
}
