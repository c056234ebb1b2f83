/**
 * Builds one record batch. `append` is on the hot path of every source: it writes varints and bytes straight into one
 * buffer, allocates nothing per record, and keeps the header's 61 bytes free for `build`.
 */
import { attributesFor, BATCH_HEADER_BYTES, writeBatchHeader } from "./batch.ts";
import { type Codec, compress } from "./compression/index.ts";

export interface HeaderInput {
  readonly key: string;
  readonly value: Uint8Array | null;
}
/** Key and value as ranges of buffers, which are read during the call only; a length of -1 is null. */
export interface RecordRanges {
  readonly keyBytes: Buffer;
  readonly keyStart: number;
  readonly keyLength: number;
  readonly valueBytes: Buffer;
  readonly valueStart: number;
  readonly valueLength: number;
}
const NOTHING = Buffer.alloc(0);
const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
export const rangesOf = (key: Uint8Array | null, value: Uint8Array | null): RecordRanges => ({
  keyBytes: key === null ? NOTHING : asBuffer(key),
  keyStart: 0,
  keyLength: key === null ? -1 : key.length,
  valueBytes: value === null ? NOTHING : asBuffer(value),
  valueStart: 0,
  valueLength: value === null ? -1 : value.length,
});
export interface BatchOptions {
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** No record is taken that would make the uncompressed batch larger, except the first. */
  readonly bytesMax?: number;
  readonly bytesInitial?: number;
  /** Memory to write into instead of fresh one; `takeBuffer` gives it (or what it grew to) back for the next builder. */
  readonly buffer?: Buffer;
}

/** Bytes of a zigzag varint. */
const varintSize = (value: number): number => {
  const z = ((value << 1) ^ (value >> 31)) >>> 0;
  return z < 0x80 ? 1 : z < 0x4000 ? 2 : z < 0x20_0000 ? 3 : z < 0x1000_0000 ? 4 : 5;
};
const INT32_MAX = 0x3fff_ffff;

export class BatchBuilder {
  count = 0;
  #buffer: Buffer;
  #length = BATCH_HEADER_BYTES;
  #baseTimestamp = 0;
  #maxTimestamp = -1;
  readonly #options: BatchOptions;
  readonly #bytesMax: number;

  constructor(options: BatchOptions = {}) {
    this.#options = options;
    this.#bytesMax = options.bytesMax ?? Number.MAX_SAFE_INTEGER;
    this.#buffer = options.buffer ?? Buffer.allocUnsafeSlow(Math.max(options.bytesInitial ?? 1024, BATCH_HEADER_BYTES * 2));
  }
  /** The memory behind the builder, once neither builder nor an uncompressed batch built by it is used any more. */
  takeBuffer(): Buffer {
    return this.#buffer;
  }
  /** Uncompressed size so far, header included. */
  get sizeBytes(): number {
    return this.#length;
  }

  /** False: the batch is full and the record was not taken. */
  append(timestampMs: number, key: Uint8Array | null, value: Uint8Array | null, headers: readonly HeaderInput[]): boolean {
    return this.appendRanges(timestampMs, rangesOf(key, value), headers);
  }
  /** As `append`. */
  appendRanges(timestampMs: number, record: RecordRanges, headers: readonly HeaderInput[]): boolean {
    if (this.count === 0) this.#baseTimestamp = timestampMs;
    const delta = timestampMs - this.#baseTimestamp;
    const { keyLength, valueLength } = record;
    const headerBytes = headersBytes(headers);
    let size = 1 + longSize(delta) + varintSize(this.count) + varintSize(keyLength) + varintSize(valueLength) + headerBytes.length;
    if (keyLength > 0) size += keyLength;
    if (valueLength > 0) size += valueLength;
    const total = this.#length + size + varintSize(size);
    if (total > this.#bytesMax && this.count > 0) return false;
    if (total > this.#buffer.length) this.#grow(total);
    const b = this.#buffer;
    let at = putVarint(b, this.#length, size);
    b[at++] = 0;
    at = putLong(b, at, delta);
    at = putVarint(b, at, this.count);
    at = putBytes(b, at, record.keyBytes, record.keyStart, keyLength);
    at = putBytes(b, at, record.valueBytes, record.valueStart, valueLength);
    headerBytes.copy(b, at);
    this.#length = at + headerBytes.length;
    this.count++;
    if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs;
    return true;
  }
  #grow(need: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(need, Math.min(this.#buffer.length * 2, Math.max(this.#bytesMax, need))));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }

  /** The finished batch; the builder must not be used afterwards (but may be built again with other producer fields). */
  build(codec: Codec = "none", options: BatchOptions = this.#options): Buffer {
    let out = this.#buffer.subarray(0, this.#length);
    if (codec !== "none") {
      const records = compress(codec, out.subarray(BATCH_HEADER_BYTES));
      out = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + records.length);
      records.copy(out, BATCH_HEADER_BYTES);
    }
    writeBatchHeader(out, 0, out.length, {
      baseOffset: options.baseOffset ?? 0,
      partitionLeaderEpoch: options.partitionLeaderEpoch ?? -1,
      attributes: attributesFor(codec, { transactional: options.transactional ?? false, control: options.control ?? false }),
      lastOffsetDelta: this.count - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: options.producerId ?? -1,
      producerEpoch: options.producerEpoch ?? -1,
      baseSequence: options.baseSequence ?? -1,
      recordCount: this.count,
    });
    return out;
  }
}

function putVarint(b: Buffer, at: number, value: number): number {
  let z = ((value << 1) ^ (value >> 31)) >>> 0;
  let position = at;
  while (z >= 0x80) {
    b[position++] = (z & 0x7f) | 0x80;
    z >>>= 7;
  }
  b[position++] = z;
  return position;
}
const longSize = (value: number): number => {
  if (value <= INT32_MAX && value >= -INT32_MAX) return varintSize(value);
  let z = zigzag(value);
  let n = 1;
  for (; z >= 0x80n; z >>= 7n) n++;
  return n;
};
const zigzag = (value: number): bigint => {
  const v = BigInt(value);
  return BigInt.asUintN(64, (v << 1n) ^ (v >> 63n));
};
function putLong(b: Buffer, at: number, value: number): number {
  if (value <= INT32_MAX && value >= -INT32_MAX) return putVarint(b, at, value);
  let position = at;
  let z = zigzag(value);
  for (; z >= 0x80n; z >>= 7n) b[position++] = Number(z & 0x7fn) | 0x80;
  b[position++] = Number(z);
  return position;
}
/** Below this a loop beats a call. */
const SHORT_BYTES = 24;
function putBytes(b: Buffer, from: number, bytes: Buffer, start: number, length: number): number {
  const at = putVarint(b, from, length);
  if (length > SHORT_BYTES) bytes.copy(b, at, start, start + length);
  else for (let i = 0; i < length; i++) b[at + i] = bytes[start + i] ?? 0;
  return length > 0 ? at + length : at;
}

/** The last list of headers as bytes, count included: a source gives all its records one list (Debezium's context headers). */
let lastHeaders: readonly HeaderInput[] | null = null;
let lastHeaderBytes: Buffer = Buffer.from([0]);
/** Lists are not changed once they were given. */
function headersBytes(headers: readonly HeaderInput[]): Buffer {
  if (headers === lastHeaders) return lastHeaderBytes;
  let size = varintSize(headers.length);
  const keys: Buffer[] = [];
  for (const header of headers) {
    const key = headerKeyBytes(header.key);
    const value = header.value === null ? -1 : header.value.length;
    keys.push(key);
    size += varintSize(key.length) + key.length + varintSize(value) + Math.max(value, 0);
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = putVarint(bytes, 0, headers.length);
  for (let i = 0; i < headers.length; i++) {
    const key = keys[i] ?? NOTHING,
      value = headers[i]?.value ?? null;
    at = putBytes(bytes, at, key, 0, key.length);
    at = putBytes(bytes, at, value === null ? NOTHING : asBuffer(value), 0, value === null ? -1 : value.length);
  }
  lastHeaders = headers;
  lastHeaderBytes = bytes;
  return bytes;
}
/** Header keys repeat for ever; their bytes are made once. Bounded, then started anew. */
const headerKeys = new Map<string, Buffer>();
const HEADER_KEYS_MAX = 1024;
function headerKeyBytes(key: string): Buffer {
  let bytes = headerKeys.get(key);
  if (bytes === undefined) {
    if (headerKeys.size >= HEADER_KEYS_MAX) headerKeys.clear();
    bytes = Buffer.from(key);
    headerKeys.set(key, bytes);
  }
  return bytes;
}
