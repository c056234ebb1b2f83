/**
 * `__cluster_metadata-0` on disk as KRaft lays it out: `<offset>.log` with record batches, and `<offset>-<epoch>.checkpoint`
 * with a snapshot of everything before that offset. An append is on the disk before it returns. A torn last batch (the
 * process died in the middle of a write) is cut off on open; a damaged one before it is an error, never skipped.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { batches, BATCH_HEADER_BYTES, crcOk, isControl, readBatchHeader } from "../protocol/records/batch.ts";
import { BatchBuilder } from "../protocol/records/builder.ts";
import { readRecords } from "../protocol/records/records.ts";
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from "./metadata-record.ts";
import { BrokerError } from "../base/errors.ts";

export const METADATA_TOPIC = "__cluster_metadata";
const DIRECTORY = `${METADATA_TOPIC}-0`;
const EPOCH = 1;
/** Records of one batch; a command of more is split, which only matters if the process dies between two of them. */
const BATCH_RECORDS_MAX = 10_000;

export type OnRecord = (record: MetadataRecord, offset: number) => void;
export interface OpenedMetadataLog {
  readonly log: MetadataLog;
  /** Records of types that we do not know: such a log is never compacted by us. */
  readonly unknownRecords: number;
}
const fileName = (offset: number): string => String(offset).padStart(20, "0");

export class MetadataLog {
  readonly directory: string;
  /** Offset of the next record. */
  endOffset = 0;
  bytes = 0;
  #descriptor: number;
  constructor(directory: string, descriptor: number, endOffset: number, bytes: number) {
    this.directory = directory;
    this.endOffset = endOffset;
    this.bytes = bytes;
    this.#descriptor = descriptor;
  }
  /** Appends the records of one command and forces them to the disk; returns the first one's offset. Throws KAFKA_STORAGE_ERROR. */
  append(records: readonly MetadataRecord[], timestampMs: number): number {
    const base = this.endOffset;
    const parts: Buffer[] = [];
    for (let from = 0; from < records.length; from += BATCH_RECORDS_MAX) {
      parts.push(batchOf(records.slice(from, from + BATCH_RECORDS_MAX), base + from, timestampMs));
    }
    const bytes = Buffer.concat(parts);
    try {
      writeAll(this.#descriptor, bytes);
      fdatasyncSync(this.#descriptor);
    } catch (error) {
      // What is not known to be durable must not be found by the next start, nor stand before the next command.
      ftruncateSync(this.#descriptor, this.bytes);
      throw new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, `the metadata log cannot be written: ${this.directory}`, error);
    }
    this.bytes += bytes.length;
    this.endOffset = base + records.length;
    return base;
  }
  /** Replaces log and older snapshots by a snapshot of `records`; a crash at any point leaves one of both complete. */
  compact(records: Iterable<MetadataRecord>, timestampMs: number): void {
    const end = this.endOffset;
    const parts: Buffer[] = [controlBatch(0, timestampMs, 3, snapshotHeader(timestampMs))];
    let offset = 1;
    let chunk: MetadataRecord[] = [];
    const put = (): void => {
      if (chunk.length > 0) parts.push(batchOf(chunk, offset, timestampMs));
      offset += chunk.length;
      chunk = [];
    };
    for (const record of records) {
      chunk.push(record);
      if (chunk.length === BATCH_RECORDS_MAX) put();
    }
    put();
    parts.push(controlBatch(offset, timestampMs, 4, Buffer.alloc(3)));
    const name = join(this.directory, `${fileName(end)}-${String(EPOCH).padStart(10, "0")}.checkpoint`);
    writeDurably(name, Buffer.concat(parts));
    closeSync(this.#descriptor);
    this.#descriptor = openSync(join(this.directory, `${fileName(end)}.log`), "a+");
    this.bytes = 0;
    for (const file of readdirSync(this.directory)) {
      const match = /^(\d{20})(-\d{10})?\.(log|checkpoint|index|timeindex)$/.exec(file);
      if (match !== null && Number(match[1]) < end) rmSync(join(this.directory, file), { force: true });
    }
    syncDirectory(this.directory);
  }
  close(): void {
    if (this.#descriptor < 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** Throws BrokerError(CORRUPT_DATA) for a damaged log. */
export function openMetadataLog(dataDirectory: string, onRecord: OnRecord): OpenedMetadataLog {
  const directory = join(dataDirectory, DIRECTORY);
  mkdirSync(directory, { recursive: true });
  const files = readdirSync(directory).sort();
  const checkpoint = files.findLast((file) => /^\d{20}-\d{10}\.checkpoint$/.test(file));
  const from = checkpoint === undefined ? 0 : Number(checkpoint.slice(0, 20));
  let unknownRecords = 0;
  if (checkpoint !== undefined) {
    const bytes = readFileSync(join(directory, checkpoint));
    const loaded = load(bytes, (record) => onRecord(record, from - 1), 0);
    if (loaded.validBytes !== bytes.length) throw damaged(join(directory, checkpoint), loaded.validBytes);
    unknownRecords += loaded.unknown;
  }
  const segments = files.filter((file) => /^\d{20}\.log$/.test(file));
  let end = from;
  for (const [index, segment] of segments.entries()) {
    const path = join(directory, segment);
    const bytes = readFileSync(path);
    const loaded = load(bytes, onRecord, from);
    unknownRecords += loaded.unknown;
    end = Math.max(end, loaded.end);
    if (loaded.validBytes === bytes.length) continue;
    if (index < segments.length - 1 || !isTornTail(bytes, loaded.validBytes)) throw damaged(path, loaded.validBytes);
    const descriptor = openSync(path, "r+");
    ftruncateSync(descriptor, loaded.validBytes);
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
  const last = join(directory, segments.at(-1) ?? `${fileName(end)}.log`);
  const descriptor = openSync(last, "a+");
  if (segments.length === 0) syncDirectory(directory);
  return { log: new MetadataLog(directory, descriptor, end, readFileSync(last).length), unknownRecords };
}
/** Nothing but the incomplete batch follows: what comes after the valid part does not hold another whole batch. */
function isTornTail(bytes: Buffer, at: number): boolean {
  const header = readBatchHeader(bytes, at);
  return header === null || at + header.sizeInBytes >= bytes.length;
}
const damaged = (path: string, at: number): BrokerError =>
  new BrokerError("CORRUPT_DATA", `${path} is damaged at byte ${at}: a metadata batch has a wrong checksum`);

interface Loaded {
  readonly validBytes: number;
  readonly end: number;
  readonly unknown: number;
}
function load(bytes: Buffer, onRecord: OnRecord, from: number): Loaded {
  let validBytes = 0;
  let end = 0;
  let unknown = 0;
  for (const { header, start, end: stop } of batches(bytes)) {
    if (!crcOk(bytes, start, stop)) break;
    validBytes = stop;
    end = header.baseOffset + header.lastOffsetDelta + 1;
    if (isControl(header.attributes) || end <= from) continue;
    for (const { offset, value } of readRecords(bytes, start, header)) {
      if (value === null || offset < from) continue;
      const record = decodeMetadataRecord(value);
      if (record === null) unknown++;
      else onRecord(record, offset);
    }
  }
  return { validBytes, end, unknown };
}

function batchOf(records: readonly MetadataRecord[], baseOffset: number, timestampMs: number): Buffer {
  const builder = new BatchBuilder({ baseOffset, partitionLeaderEpoch: EPOCH });
  for (const record of records) builder.append(timestampMs, null, encodeMetadataRecord(record), []);
  return builder.build("none");
}
/** Control record key: int16 version 0, int16 type (3 snapshot header, 4 snapshot footer; KIP-630). */
function controlBatch(baseOffset: number, timestampMs: number, type: number, value: Buffer): Buffer {
  const builder = new BatchBuilder({ baseOffset, partitionLeaderEpoch: EPOCH, control: true, bytesInitial: 4 * BATCH_HEADER_BYTES });
  builder.append(timestampMs, Buffer.from([0, 0, 0, type]), value, []);
  return builder.build("none");
}
/** int16 version, int64 timestamp of the last record, no tags. */
function snapshotHeader(timestampMs: number): Buffer {
  const value = Buffer.alloc(11);
  value.writeBigInt64BE(BigInt(timestampMs), 2);
  return value;
}
function writeAll(descriptor: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(descriptor, bytes, done);
}
function writeDurably(path: string, bytes: Buffer): void {
  const temporary = `${path}.part`;
  const descriptor = openSync(temporary, "w");
  writeAll(descriptor, bytes);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(temporary, path);
  syncDirectory(join(path, ".."));
}
function syncDirectory(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
