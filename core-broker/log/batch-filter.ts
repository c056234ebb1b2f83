/**
 * Compaction's view of a batch: its records as byte ranges, and the batch again with only some of them. What is kept is copied as it
 * stands: offsets, headers, values are never re-encoded; only timestamp deltas are, when the base timestamp becomes the delete
 * horizon (KIP-534).
 */
import { BATCH_HEADER_BYTES, type BatchHeader, compressionOf, writeBatchHeader } from "../protocol/records/batch.ts";
import { compress } from "../protocol/records/compression/index.ts";
import { recordBytes } from "../protocol/records/records.ts";
import { hasDeleteHorizon, isLogAppendTime, withDeleteHorizon } from "./batch-fields.ts";
import { LogError } from "./errors.ts";

export interface RecordSlice {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly isTombstone: boolean;
  /** After the length and the attributes byte: where the timestamp delta stands and where it ends; then the rest of the record. */
  readonly afterTimestamp: number;
  readonly start: number;
  readonly end: number;
}
const DELETE_HORIZON = 0x40;
const CODEC = 0x07;

/** Reads varints from `bytes`; one per batch. */
class Reader {
  readonly bytes: Buffer;
  at = 0;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  /** Zigzag varint of up to 64 bits; exact to 2^53. */
  varint(): number {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n));
    }
    throw new LogError("CORRUPT_MESSAGE", "a varint in a record is too long");
  }
  #byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new LogError("CORRUPT_MESSAGE", "a record runs over its batch");
    return byte;
  }
}

export interface OpenBatch {
  readonly header: BatchHeader;
  /** Decompressed. */
  readonly bytes: Buffer;
  readonly records: readonly RecordSlice[];
}
/** CORRUPT_MESSAGE, ProtocolError. */
export function openBatch(buf: Buffer, pos: number, header: BatchHeader): OpenBatch {
  const bytes = recordBytes(buf, pos, header);
  const reader = new Reader(bytes);
  const records: RecordSlice[] = [];
  const base = header.baseTimestamp;
  const appendTime = isLogAppendTime(header.attributes) ? header.maxTimestamp : null;
  for (let index = 0; index < header.recordCount; index++) {
    const length = reader.varint();
    const start = reader.at;
    const end = start + length;
    if (length < 0 || end > bytes.length) throw new LogError("CORRUPT_MESSAGE", "a record runs over its batch");
    reader.at++;
    const timestampMs = appendTime ?? base + reader.varint();
    const afterTimestamp = appendTime === null ? reader.at : skipVarint(reader);
    const offset = header.baseOffset + reader.varint();
    const keyLength = reader.varint();
    const key = keyLength < 0 ? null : bytes.subarray(reader.at, reader.at + keyLength);
    reader.at += Math.max(keyLength, 0);
    const isTombstone = reader.varint() < 0;
    records.push({ offset, timestampMs, key, isTombstone, afterTimestamp, start, end });
    reader.at = end;
  }
  return { header, bytes, records };
}
function skipVarint(reader: Reader): number {
  reader.varint();
  return reader.at;
}

/** The batch with the records in `kept` (a subset, in order); offsets, sequence and producer as they were. */
export function rebuildBatch(batch: OpenBatch, kept: readonly RecordSlice[], deleteHorizonMs: number | null): Buffer {
  const { header } = batch;
  if (kept.length === 0) return emptyBatch(header);
  const base = deleteHorizonMs ?? header.baseTimestamp;
  const parts: Buffer[] = [];
  let maxTimestamp = -1;
  for (const record of kept) {
    maxTimestamp = Math.max(maxTimestamp, record.timestampMs);
    const rest = batch.bytes.subarray(record.afterTimestamp, record.end);
    const delta = varint(record.timestampMs - base);
    parts.push(varint(1 + delta.length + rest.length), batch.bytes.subarray(record.start, record.start + 1), delta, rest);
  }
  const codec = compressionOf(header.attributes) ?? "none";
  const records = compress(codec, Buffer.concat(parts));
  const out = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + records.length);
  records.copy(out, BATCH_HEADER_BYTES);
  const marked = deleteHorizonMs !== null || hasDeleteHorizon(header.attributes);
  writeBatchHeader(out, 0, out.length, {
    ...header,
    attributes: marked ? withDeleteHorizon(header.attributes) : header.attributes,
    baseTimestamp: base,
    maxTimestamp: isLogAppendTime(header.attributes) ? header.maxTimestamp : maxTimestamp,
    recordCount: kept.length,
  });
  return out;
}
/** A header alone: keeps the producer's last sequence number when its last records are gone. */
function emptyBatch(header: BatchHeader): Buffer {
  const out = Buffer.alloc(BATCH_HEADER_BYTES);
  writeBatchHeader(out, 0, out.length, {
    ...header,
    attributes: header.attributes & ~(DELETE_HORIZON | CODEC),
    baseTimestamp: -1,
    recordCount: 0,
  });
  return out;
}

function varint(value: number): Buffer {
  let zigzag = value < 0 ? -value * 2 - 1 : value * 2;
  const bytes: number[] = [];
  while (zigzag >= 0x80) {
    bytes.push((zigzag % 0x80) | 0x80);
    zigzag = Math.floor(zigzag / 0x80);
  }
  bytes.push(zigzag);
  return Buffer.from(bytes);
}
