/** Reads the records of one decompressed batch, one at a time. */
import { ProtocolError } from "../../protocol/errors.ts";
import type { BatchHeader } from "../../protocol/records/batch.ts";
import type { ConsumedRecord, RecordHeader } from "../types.ts";

const NO_HEADERS: readonly RecordHeader[] = [];
type TimestampType = ConsumedRecord["timestampType"];

class FetchedRecord implements ConsumedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: TimestampType;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
  constructor(
    topic: string,
    partition: number,
    offset: number,
    timestamp: number,
    timestampType: TimestampType,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
  ) {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
    this.timestampType = timestampType;
    this.key = key;
    this.value = value;
    this.headers = headers;
  }
}

export class RecordCursor {
  readonly endOffset: number;
  readonly #topic: string;
  readonly #partition: number;
  readonly #bytes: Buffer;
  readonly #header: BatchHeader;
  readonly #timestampType: TimestampType;
  #at = 0;
  #left: number;

  constructor(topic: string, partition: number, bytes: Buffer, header: BatchHeader, logAppend: boolean) {
    this.#topic = topic;
    this.#partition = partition;
    this.#bytes = bytes;
    this.#header = header;
    this.#left = header.recordCount;
    this.#timestampType = logAppend ? "LOG_APPEND_TIME" : "CREATE_TIME";
    this.endOffset = header.baseOffset + header.lastOffsetDelta + 1;
  }
  /** The next record at or after `from`; null at the end. */
  next(from: number): ConsumedRecord | null {
    while (this.#left > 0) {
      this.#left--;
      const size = this.#varint();
      const end = this.#at + size;
      if (size < 0 || end > this.#bytes.length) throw new ProtocolError("record runs over the batch");
      this.#at++;
      const timestampDelta = this.#varlong();
      const offset = this.#header.baseOffset + this.#varint();
      if (offset < from) {
        this.#at = end;
        continue;
      }
      const key = this.#field();
      const value = this.#field();
      const count = this.#varint();
      const headers = count === 0 ? NO_HEADERS : this.#headers(count, end);
      if (this.#at !== end) throw new ProtocolError("record has the wrong size");
      const append = this.#timestampType === "LOG_APPEND_TIME";
      const timestamp = append ? this.#header.maxTimestamp : this.#header.baseTimestamp + timestampDelta;
      return new FetchedRecord(this.#topic, this.#partition, offset, timestamp, this.#timestampType, key, value, headers);
    }
    return null;
  }
  /** The key of the first record in `bytes`. */
  static firstKey(bytes: Buffer): Buffer | null {
    const header = { baseOffset: 0, lastOffsetDelta: 0, recordCount: 1 } as BatchHeader;
    const record = new RecordCursor("", 0, bytes, header, false).next(0);
    return record === null || record.key === null ? null : Buffer.from(record.key);
  }
  #headers(count: number, end: number): readonly RecordHeader[] {
    if (count < 0 || count > end - this.#at) throw new ProtocolError(`record claims ${count} headers`);
    const headers: RecordHeader[] = [];
    for (let i = 0; i < count; i++) {
      const name = this.#field();
      if (name === null) throw new ProtocolError("record header without a key");
      headers.push({ key: name.toString("utf8"), value: this.#field() });
    }
    return headers;
  }
  #field(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const start = this.#at;
    const end = start + length;
    if (end > this.#bytes.length) throw new ProtocolError("record field runs over the batch");
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }
  #varint(): number {
    let zigzag = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      zigzag |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    throw new ProtocolError("record: bad varint");
  }
  /** Sums of powers instead of shifts: timestamp deltas may exceed 32 bits. */
  #varlong(): number {
    let zigzag = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      zigzag += (byte & 0x7f) * scale;
      if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      scale *= 128;
    }
    throw new ProtocolError("record: bad varlong");
  }
}
