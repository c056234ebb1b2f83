/**
 * `<offset>.snapshot`: the producers' state before that offset. version int16 (1), CRC-32C of what follows as uint32, count int32,
 * then per producer: id int64, epoch int16, last sequence int32, last offset int64, offset delta int32, timestamp int64,
 * coordinator epoch int32, first offset of the open transaction int64 (−1: none).
 */
import { crc32c } from "../protocol/records/crc32c.ts";
import { readInt64, writeInt64 } from "./batch-fields.ts";

const VERSION = 1;
const HEADER_BYTES = 10;
const ENTRY_BYTES = 46;

export interface SnapshotEntry {
  readonly producerId: number;
  readonly epoch: number;
  readonly lastSequence: number;
  readonly lastOffset: number;
  readonly offsetDelta: number;
  readonly timestampMs: number;
  readonly coordinatorEpoch: number;
  readonly currentTxnFirstOffset: number;
}

export function encodeSnapshot(entries: readonly SnapshotEntry[]): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + entries.length * ENTRY_BYTES);
  bytes.writeInt16BE(VERSION, 0);
  bytes.writeInt32BE(entries.length, 6);
  let at = HEADER_BYTES;
  for (const entry of entries) {
    writeInt64(bytes, entry.producerId, at);
    bytes.writeInt16BE(entry.epoch, at + 8);
    bytes.writeInt32BE(entry.lastSequence, at + 10);
    writeInt64(bytes, entry.lastOffset, at + 14);
    bytes.writeInt32BE(entry.offsetDelta, at + 22);
    writeInt64(bytes, entry.timestampMs, at + 26);
    bytes.writeInt32BE(entry.coordinatorEpoch, at + 34);
    writeInt64(bytes, entry.currentTxnFirstOffset, at + 38);
    at += ENTRY_BYTES;
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(6)), 2);
  return bytes;
}

/** null: damaged, or of another version. */
export function decodeSnapshot(bytes: Buffer): SnapshotEntry[] | null {
  if (bytes.length < HEADER_BYTES || bytes.readInt16BE(0) !== VERSION) return null;
  if (bytes.readUInt32BE(2) !== crc32c(bytes.subarray(6))) return null;
  const count = bytes.readInt32BE(6);
  if (count < 0 || bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) return null;
  const entries: SnapshotEntry[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    entries.push({
      producerId: readInt64(bytes, at),
      epoch: bytes.readInt16BE(at + 8),
      lastSequence: bytes.readInt32BE(at + 10),
      lastOffset: readInt64(bytes, at + 14),
      offsetDelta: bytes.readInt32BE(at + 22),
      timestampMs: readInt64(bytes, at + 26),
      coordinatorEpoch: bytes.readInt32BE(at + 34),
      currentTxnFirstOffset: readInt64(bytes, at + 38),
    });
  }
  return entries;
}
