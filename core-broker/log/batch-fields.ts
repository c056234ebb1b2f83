/**
 * Fields of a record batch (magic 2) read straight from the bytes, for walks over many batches where a header object each
 * would be waste. Layout: Kafka protocol guide, "Record Batch".
 */
export { isControl, isLogAppendTime, isTransactional, writeInt64 } from "../protocol/records/batch.ts";

const OFFSET_AND_LENGTH_BYTES = 12;
/** Up to and including the record count. */
export const HEADER_BYTES = 61;
export const NO_SEQUENCE = -1;

const CODEC_MASK = 0x07;
const DELETE_HORIZON = 0x40;

export const readInt64 = (buf: Buffer, pos: number): number => buf.readInt32BE(pos) * 4_294_967_296 + buf.readUInt32BE(pos + 4);

export const baseOffsetOf = (buf: Buffer, pos: number): number => readInt64(buf, pos);
/** Whole batch, with the 12 bytes before the part that the length field counts. */
export const sizeOf = (buf: Buffer, pos: number): number => OFFSET_AND_LENGTH_BYTES + buf.readInt32BE(pos + 8);
export const leaderEpochOf = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + 12);
export const magicOf = (buf: Buffer, pos: number): number => buf.readInt8(pos + 16);
export const attributesOf = (buf: Buffer, pos: number): number => buf.readInt16BE(pos + 21);
export const lastOffsetDeltaOf = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + 23);
export const lastOffsetOf = (buf: Buffer, pos: number): number => readInt64(buf, pos) + buf.readInt32BE(pos + 23);
export const baseTimestampOf = (buf: Buffer, pos: number): number => readInt64(buf, pos + 27);
export const maxTimestampOf = (buf: Buffer, pos: number): number => readInt64(buf, pos + 35);
export const producerIdOf = (buf: Buffer, pos: number): number => readInt64(buf, pos + 43);
export const producerEpochOf = (buf: Buffer, pos: number): number => buf.readInt16BE(pos + 51);
export const baseSequenceOf = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + 53);
export const recordCountOf = (buf: Buffer, pos: number): number => buf.readInt32BE(pos + 57);

export const codecOf = (attributes: number): number => attributes & CODEC_MASK;
/** KIP-534: the base timestamp is then the time after which tombstones and markers may go. */
export const hasDeleteHorizon = (attributes: number): boolean => (attributes & DELETE_HORIZON) !== 0;
export const withDeleteHorizon = (attributes: number): number => attributes | DELETE_HORIZON;

/** Sequence numbers wrap from 2^31-1 to 0. */
function incrementSequence(sequence: number, by: number): number {
  return sequence > 0x7fffffff - by ? by - (0x7fffffff - sequence) - 1 : sequence + by;
}
export function decrementSequence(sequence: number, by: number): number {
  return sequence < by ? 0x7fffffff - (by - sequence) + 1 : sequence - by;
}
export const lastSequenceOf = (buf: Buffer, pos: number): number => {
  const base = baseSequenceOf(buf, pos);
  return base === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(base, lastOffsetDeltaOf(buf, pos));
};

/**
 * Is there a plausible batch at `pos`? A walk asks this before it trusts a length. Bytes past the buffer are not looked at.
 * Returns its size in bytes, or -1.
 */
export function plausibleSize(buf: Buffer, pos: number): number {
  if (pos + HEADER_BYTES > buf.length || magicOf(buf, pos) !== 2) return -1;
  const size = sizeOf(buf, pos);
  return size < HEADER_BYTES || lastOffsetDeltaOf(buf, pos) < 0 ? -1 : size;
}
