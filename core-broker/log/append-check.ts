/** What comes in from clients and coordinators, before it may touch the log. Headers and CRC only, unless the topic asks for more. */
import {
  compressionOf,
  crcOk,
  readBatchHeader,
  setLogAppendTime,
  writeBatchHeader,
  BATCH_HEADER_BYTES,
} from "../protocol/records/batch.ts";
import { compress, type Codec } from "../protocol/records/compression/index.ts";
import { readRecords, recordBytes } from "../protocol/records/records.ts";
import * as field from "./batch-fields.ts";
import type { LogConfig } from "./config.ts";
import { LogError } from "./errors.ts";

export type Origin = "client" | "coordinator";

/** Throws unless every batch is whole and allowed. Returns the number of batches. */
export function checkBatches(buf: Buffer, origin: Origin, config: LogConfig, nowMs: number, name: string): number {
  let pos = 0;
  let index = 0;
  while (pos < buf.length) {
    const size = checkShape(buf, pos, config, name);
    const attributes = field.attributesOf(buf, pos);
    if (origin === "client") checkClientBatch(buf, pos, index, name);
    if (config.timestampType === "CreateTime") checkTimestamps(buf, pos, index, config, nowMs, name);
    if (config.compact && origin === "client") checkKeys(buf, pos, index, name);
    if (compressionOf(attributes) === null) {
      throw new LogError("CORRUPT_MESSAGE", `${name}: unknown compression type ${field.codecOf(attributes)}`);
    }
    pos += size;
    index++;
  }
  if (index === 0) throw new LogError("INVALID_RECORD", `${name}: the request holds no record batch`);
  if (buf.length > config.segmentBytes) {
    throw new LogError(
      "RECORD_LIST_TOO_LARGE",
      `${name}: the batches of the append are ${buf.length} bytes, more than segment.bytes ${config.segmentBytes}`,
    );
  }
  return index;
}

function checkShape(buf: Buffer, pos: number, config: LogConfig, name: string): number {
  if (buf.length - pos < 17) throw new LogError("CORRUPT_MESSAGE", `${name}: a record batch is cut off`);
  const magic = field.magicOf(buf, pos);
  if (magic === 0 || magic === 1) {
    throw new LogError("INVALID_RECORD", `${name}: only record batches of magic version 2 are accepted, this one has ${magic}`);
  }
  const size = field.plausibleSize(buf, pos);
  if (size < 0 || pos + size > buf.length) throw new LogError("CORRUPT_MESSAGE", `${name}: the bytes are no whole record batch`);
  if (size > config.maxMessageBytes) {
    throw new LogError(
      "MESSAGE_TOO_LARGE",
      `The record batch size in the append to ${name} is ${size} bytes which exceeds the maximum configured value of ${config.maxMessageBytes}.`,
    );
  }
  if (!crcOk(buf, pos, pos + size)) throw new LogError("CORRUPT_MESSAGE", `${name}: the CRC of a record batch is wrong`);
  return size;
}

function checkClientBatch(buf: Buffer, pos: number, index: number, name: string): void {
  const count = field.recordCountOf(buf, pos);
  if (count <= 0) invalid(index, name, `invalid reported count ${count}`);
  if (field.lastOffsetDeltaOf(buf, pos) !== count - 1) {
    invalid(index, name, `inconsistent offset range: last offset delta ${field.lastOffsetDeltaOf(buf, pos)} for ${count} records`);
  }
  const attributes = field.attributesOf(buf, pos);
  if (field.isControl(attributes)) invalid(index, name, "Clients are not allowed to write control records");
  const hasProducer = field.producerIdOf(buf, pos) >= 0;
  if (hasProducer && field.baseSequenceOf(buf, pos) < 0) invalid(index, name, `invalid sequence number ${field.baseSequenceOf(buf, pos)}`);
  if (field.isTransactional(attributes) && !hasProducer) invalid(index, name, "a transactional batch needs a producer id");
}
function invalid(index: number, name: string, problem: string): never {
  throw new LogError("INVALID_RECORD", `${name}: ${problem}`, { recordErrors: [{ batchIndex: index, message: problem }] });
}

function checkTimestamps(buf: Buffer, pos: number, index: number, config: LogConfig, nowMs: number, name: string): void {
  const problem = timestampProblem(buf, pos, config, nowMs);
  if (problem === null) return;
  throw new LogError("INVALID_TIMESTAMP", `${name}: ${problem}`, { recordErrors: [{ batchIndex: index, message: problem }] });
}
function timestampProblem(buf: Buffer, pos: number, config: LogConfig, nowMs: number): string | null {
  if (field.isLogAppendTime(field.attributesOf(buf, pos))) {
    return field.isControl(field.attributesOf(buf, pos)) ? null : "the batch claims log append time, which only a broker sets";
  }
  const first = field.baseTimestampOf(buf, pos);
  const last = field.maxTimestampOf(buf, pos);
  if (last - nowMs > config.timestampAfterMaxMs) return outOfRange(last, config, nowMs);
  // −1: the records have no timestamp.
  return first >= 0 && nowMs - first > config.timestampBeforeMaxMs ? outOfRange(first, config, nowMs) : null;
}
function outOfRange(timestampMs: number, config: LogConfig, nowMs: number): string {
  return (
    `Timestamp ${timestampMs} of message is out of range. The timestamp should be within ` +
    `[${nowMs - config.timestampBeforeMaxMs}, ${nowMs + config.timestampAfterMaxMs}]`
  );
}

function checkKeys(buf: Buffer, pos: number, index: number, name: string): void {
  const header = readBatchHeader(buf, pos);
  if (header === null) return;
  let at = 0;
  for (const record of readRecords(buf, pos, header)) {
    if (record.key === null) {
      const message = `Compacted topic cannot accept message without key in topic partition ${name}.`;
      throw new LogError("INVALID_RECORD", message, { recordErrors: [{ batchIndex: index === 0 ? at : index, message }] });
    }
    at++;
  }
}

/** compression.type: the batches in the codec that the topic wants; the same buffer when nothing changes. */
export function recompress(buf: Buffer, config: LogConfig): Buffer {
  if (config.compressionType === "producer") return buf;
  const wanted: Codec = config.compressionType === "uncompressed" ? "none" : config.compressionType;
  const out: Buffer[] = [];
  let changed = false;
  for (let pos = 0; pos < buf.length; ) {
    const header = readBatchHeader(buf, pos);
    if (header === null) throw new LogError("CORRUPT_MESSAGE", "the bytes are no whole record batch");
    const end = pos + header.sizeInBytes;
    if (compressionOf(header.attributes) === wanted || field.isControl(header.attributes)) out.push(buf.subarray(pos, end));
    else {
      changed = true;
      const records = compress(wanted, recordBytes(buf, pos, header), config.compressionLevel);
      const batch = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + records.length);
      records.copy(batch, BATCH_HEADER_BYTES);
      const codecBits = ["none", "gzip", "snappy", "lz4", "zstd"].indexOf(wanted);
      writeBatchHeader(batch, 0, batch.length, { ...header, attributes: (header.attributes & ~0x07) | codecBits });
      out.push(batch);
    }
    pos = end;
  }
  return changed ? Buffer.concat(out) : buf;
}

/** message.timestamp.type=LogAppendTime, in place. */
export function stampAppendTime(buf: Buffer, nowMs: number): void {
  for (let pos = 0; pos < buf.length; ) {
    const end = pos + field.sizeOf(buf, pos);
    setLogAppendTime(buf, pos, end, nowMs);
    pos = end;
  }
}
