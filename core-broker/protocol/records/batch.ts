/**
 * Record batches, magic 2 (KIP-98; "Record Batch" in Kafka's protocol documentation). The broker only ever reads headers and
 * the CRC; records are parsed by consumers, the cleaner and the coordinators.
 *
 *   0 baseOffset i64 | 8 batchLength i32 | 12 leaderEpoch i32 | 16 magic i8 | 17 crc u32 | 21 attributes i16 |
 *   23 lastOffsetDelta i32 | 27 baseTimestamp i64 | 35 maxTimestamp i64 | 43 producerId i64 | 51 producerEpoch i16 |
 *   53 baseSequence i32 | 57 count i32 | 61 records
 *
 * The CRC covers everything from the attributes on, so offset and leader epoch can be set in place.
 */
import { CODECS, type Codec } from "./compression/index.ts";
import { crc32c } from "./crc32c.ts";

export const BATCH_HEADER_BYTES = 61;
/** Bytes before what `batchLength` counts. */
export const LOG_OVERHEAD_BYTES = 12;
const TIMESTAMP_TYPE = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

export interface BatchHeader {
  readonly baseOffset: number;
  readonly batchLength: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
  /** The whole batch, offset and length fields included. */
  readonly sizeInBytes: number;
}

const readInt64 = (b: Buffer, at: number): number => {
  const high = b.readInt32BE(at);
  if (high > 0x1fffff) return Number.MAX_SAFE_INTEGER;
  return high < -0x1fffff ? Number.MIN_SAFE_INTEGER : high * 0x1_0000_0000 + b.readUInt32BE(at + 4);
};
export const writeInt64 = (b: Buffer, value: number, at: number): void => {
  const high = Math.floor(value / 0x1_0000_0000);
  b.writeInt32BE(high, at);
  b.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
};

/** Null when fewer bytes are there than the header needs, or the length field cannot be one. */
export function readBatchHeader(b: Buffer, at = 0): BatchHeader | null {
  if (b.length - at < BATCH_HEADER_BYTES) return null;
  const batchLength = b.readInt32BE(at + 8);
  if (batchLength < BATCH_HEADER_BYTES - LOG_OVERHEAD_BYTES) return null;
  return {
    baseOffset: readInt64(b, at),
    batchLength,
    partitionLeaderEpoch: b.readInt32BE(at + 12),
    magic: b.readInt8(at + 16),
    crc: b.readUInt32BE(at + 17),
    attributes: b.readInt16BE(at + 21),
    lastOffsetDelta: b.readInt32BE(at + 23),
    baseTimestamp: readInt64(b, at + 27),
    maxTimestamp: readInt64(b, at + 35),
    producerId: readInt64(b, at + 43),
    producerEpoch: b.readInt16BE(at + 51),
    baseSequence: b.readInt32BE(at + 53),
    recordCount: b.readInt32BE(at + 57),
    sizeInBytes: batchLength + LOG_OVERHEAD_BYTES,
  };
}

export interface BatchSlice {
  readonly header: BatchHeader;
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}
/** The whole batches in `b`, in order; stops at the first torn one. */
export function* batches(b: Buffer, from = 0): Generator<BatchSlice> {
  let start = from;
  for (;;) {
    const header = readBatchHeader(b, start);
    if (header === null || start + header.sizeInBytes > b.length) return;
    yield { header, start, end: start + header.sizeInBytes };
    start += header.sizeInBytes;
  }
}
export const crcOk = (b: Buffer, start: number, end: number): boolean => b.readUInt32BE(start + 17) === crc32c(b.subarray(start + 21, end));

export const compressionOf = (attributes: number): Codec | null => CODECS[attributes & 0x07] ?? null;
export const isTransactional = (attributes: number): boolean => (attributes & TRANSACTIONAL) !== 0;
/** Of a produced batch as it came, which may be anything. */
export const isTransactionalBatch = (b: Uint8Array): boolean =>
  b.length >= BATCH_HEADER_BYTES && b[16] === 2 && isTransactional(b[22] ?? 0);
export const isControl = (attributes: number): boolean => (attributes & CONTROL) !== 0;
export const isLogAppendTime = (attributes: number): boolean => (attributes & TIMESTAMP_TYPE) !== 0;

/** In place; neither is covered by the CRC. */
export function setBatchOffset(b: Buffer, at: number, baseOffset: number, partitionLeaderEpoch: number): void {
  writeInt64(b, baseOffset, at);
  b.writeInt32BE(partitionLeaderEpoch, at + 12);
}
/** message.timestamp.type=LogAppendTime: sets flag and maximum timestamp in place and recomputes the CRC. */
export function setLogAppendTime(b: Buffer, start: number, end: number, timestampMs: number): void {
  b.writeInt16BE(b.readInt16BE(start + 21) | TIMESTAMP_TYPE, start + 21);
  writeInt64(b, timestampMs, start + 35);
  b.writeUInt32BE(crc32c(b.subarray(start + 21, end)), start + 17);
}

export interface BatchFields {
  readonly baseOffset: number;
  readonly partitionLeaderEpoch: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}
/** Writes the 61-byte header at `at`, over records that end at `end`, CRC included. */
export function writeBatchHeader(b: Buffer, at: number, end: number, f: BatchFields): void {
  writeInt64(b, f.baseOffset, at);
  b.writeInt32BE(end - at - LOG_OVERHEAD_BYTES, at + 8);
  b.writeInt32BE(f.partitionLeaderEpoch, at + 12);
  b.writeInt8(2, at + 16);
  b.writeInt16BE(f.attributes, at + 21);
  b.writeInt32BE(f.lastOffsetDelta, at + 23);
  writeInt64(b, f.baseTimestamp, at + 27);
  writeInt64(b, f.maxTimestamp, at + 35);
  writeInt64(b, f.producerId, at + 43);
  b.writeInt16BE(f.producerEpoch, at + 51);
  b.writeInt32BE(f.baseSequence, at + 53);
  b.writeInt32BE(f.recordCount, at + 57);
  b.writeUInt32BE(crc32c(b.subarray(at + 21, end)), at + 17);
}
export function attributesFor(codec: Codec, flags: { transactional?: boolean; control?: boolean; logAppendTime?: boolean } = {}): number {
  return (
    CODECS.indexOf(codec) |
    (flags.logAppendTime === true ? TIMESTAMP_TYPE : 0) |
    (flags.transactional === true ? TRANSACTIONAL : 0) |
    (flags.control === true ? CONTROL : 0)
  );
}
