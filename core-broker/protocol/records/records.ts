/** Reads the records of a batch. Keys, values and header values are views: on the batch itself, or on its decompressed bytes. */
import { ProtocolError } from "../errors.ts";
import { BATCH_HEADER_BYTES, type BatchHeader, compressionOf, isLogAppendTime } from "./batch.ts";
import { decompress } from "./compression/index.ts";

export interface RecordHeaderView {
  readonly key: string;
  readonly value: Uint8Array | null;
}
export interface RecordView {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeaderView[];
}
const NO_HEADERS: readonly RecordHeaderView[] = [];
/** What one batch may decompress to; a batch is at most `max.message.bytes` on the wire, and this bounds a bomb. */
const DECOMPRESSED_BYTES_MAX = 1 << 30;

class Cursor {
  readonly bytes: Buffer;
  at: number;
  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }
  varint(): number {
    let z = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) break;
      z |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (z >>> 1) ^ -(z & 1);
    }
    throw new ProtocolError("record: bad varint");
  }
  varlong(): number {
    const start = this.at;
    let z = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new ProtocolError("record: bad varlong");
      z |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (z >>> 1) ^ -(z & 1);
    }
    this.at = start;
    return this.#bigVarlong();
  }
  #bigVarlong(): number {
    let z = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) break;
      z |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((z >> 1n) ^ -(z & 1n));
    }
    throw new ProtocolError("record: bad varlong");
  }
  bytesOrNull(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.at;
    if (start + length > this.bytes.length) throw new ProtocolError("record: field runs over the batch");
    this.at = start + length;
    return this.bytes.subarray(start, this.at);
  }
}

/** The bytes of the records after the header, decompressed. Throws ProtocolError. */
export function recordBytes(b: Buffer, start: number, header: BatchHeader, bytesMax: number = DECOMPRESSED_BYTES_MAX): Buffer {
  const codec = compressionOf(header.attributes);
  if (codec === null) throw new ProtocolError(`unknown compression in attributes ${header.attributes}`);
  return decompress(codec, b.subarray(start + BATCH_HEADER_BYTES, start + header.sizeInBytes), bytesMax);
}

/** All records of the batch at `start`. Throws ProtocolError when they are not what the header says. */
export function readRecords(b: Buffer, start: number, header: BatchHeader): RecordView[] {
  const cursor = new Cursor(recordBytes(b, start, header), 0);
  const appendTime = isLogAppendTime(header.attributes) ? header.maxTimestamp : null;
  // A record takes 7 bytes at least: a count above that is a lie.
  if (header.recordCount < 0 || header.recordCount > cursor.bytes.length)
    throw new ProtocolError(`${header.recordCount} records in ${cursor.bytes.length} bytes`);
  const records: RecordView[] = [];
  for (let i = 0; i < header.recordCount; i++) records.push(readRecord(cursor, header, appendTime));
  return records;
}

function readRecord(cursor: Cursor, header: BatchHeader, appendTime: number | null): RecordView {
  const size = cursor.varint();
  const end = cursor.at + size;
  if (size < 0 || end > cursor.bytes.length) throw new ProtocolError("record runs over the batch");
  cursor.at++; // attributes, unused
  const timestamp = header.baseTimestamp + cursor.varlong();
  const offset = header.baseOffset + cursor.varint();
  const key = cursor.bytesOrNull();
  const value = cursor.bytesOrNull();
  const headerCount = cursor.varint();
  let headers = NO_HEADERS;
  if (headerCount > 0) {
    if (headerCount > end - cursor.at) throw new ProtocolError(`record claims ${headerCount} headers`);
    const list: RecordHeaderView[] = [];
    for (let i = 0; i < headerCount; i++) {
      const name = cursor.bytesOrNull();
      if (name === null) throw new ProtocolError("record header without a key");
      list.push({ key: name.toString("utf8"), value: cursor.bytesOrNull() });
    }
    headers = list;
  }
  if (cursor.at !== end) throw new ProtocolError("record has the wrong size");
  return { offset, timestamp: appendTime ?? timestamp, key, value, headers };
}
