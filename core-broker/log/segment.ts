/** One segment: `<base offset>.log` with its indexes. Knows positions and bytes, nothing of producers or configs. */
import { crcOk } from "../protocol/records/batch.ts";
import { baseOffsetOf, HEADER_BYTES, lastOffsetOf, maxTimestampOf, plausibleSize, sizeOf } from "./batch-fields.ts";
import { LogError } from "./errors.ts";
import { OffsetIndex } from "./offset-index.ts";
import { readBuffers } from "./read-buffers.ts";
import { scanSegment, type ScanEnd, type ScannedBatch } from "./segment-scan.ts";
import type { Disk, DiskFile } from "./store/types.ts";
import { TimeIndex } from "./time-index.ts";
import { TransactionIndex } from "./transaction-index.ts";

export const segmentFileName = (offset: number, suffix: string): string => `${String(offset).padStart(20, "0")}${suffix}`;
/** All files of a segment but the log itself. */
export const INDEX_SUFFIXES = [".index", ".timeindex", ".txnindex"] as const;

export interface SegmentRead {
  readonly offset: number;
  readonly maxBytes: number;
  readonly minOneMessage: boolean;
  /** Exclusive: batches that begin here or later are left out. */
  readonly upTo: number;
}
interface Hint {
  offset: number;
  position: number;
}
/** Where to read and what is expected there. */
interface ReadPlan {
  position: number;
  length: number;
  /** Last offset that the index promises for the batch at `position`; −1: no promise. */
  promised: number;
}
const HINTS_MAX = 8;
const NOTHING = Buffer.alloc(0);

export class Segment {
  readonly baseOffset: number;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  readonly txnIndex: TransactionIndex;
  sizeBytes: number;
  #firstTimestampMs: number | null = null;
  #maxTimestampMs = -1;
  #offsetOfMaxTimestamp: number;
  /** false: the time index still has to be asked. */
  #timestampsKnown: boolean;
  /** Bytes from here on were written and checked by this process; older ones are checked at each read. */
  trustedFrom: number;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #suffix: string;
  #file: DiskFile | null = null;
  #sinceIndexEntry = 0;
  readonly #hints: Hint[] = [];
  #nextHint = 0;

  constructor(disk: Disk, directory: string, baseOffset: number, sizeBytes: number, suffix = "") {
    this.#disk = disk;
    this.#directory = directory;
    this.#suffix = suffix;
    this.baseOffset = baseOffset;
    this.sizeBytes = sizeBytes;
    this.trustedFrom = sizeBytes;
    this.#offsetOfMaxTimestamp = baseOffset;
    this.#timestampsKnown = sizeBytes === 0;
    this.offsetIndex = new OffsetIndex(disk, this.pathOf(".index"), baseOffset);
    this.timeIndex = new TimeIndex(disk, this.pathOf(".timeindex"), baseOffset);
    this.txnIndex = new TransactionIndex(disk, this.pathOf(".txnindex"));
  }
  pathOf(suffix: string): string {
    return `${this.#directory}/${segmentFileName(this.baseOffset, suffix)}${this.#suffix}`;
  }
  get file(): DiskFile {
    this.#file ??= this.#disk.open(this.pathOf(".log"), "create");
    return this.#file;
  }

  /** Whole batches with their final offsets. On failure the file is cut back to what it was. */
  append(batches: Buffer, indexIntervalBytes: number): void {
    const start = this.sizeBytes;
    try {
      if (start === 0) this.#makeIndexFiles();
      this.file.write(batches, start);
    } catch (error) {
      this.#cutBack(start, error);
    }
    let pos = 0;
    while (pos < batches.length) {
      this.noteBatch(batches, pos, start + pos, indexIntervalBytes);
      pos += sizeOf(batches, pos);
    }
    this.sizeBytes = start + batches.length;
  }
  /** Empty ones: Kafka's dump tool wants them beside a log that has data, also while the broker runs. */
  #makeIndexFiles(): void {
    this.offsetIndex.entries.reset();
    this.timeIndex.entries.reset();
  }
  /** A batch that lies at `position` of the file: indexes and timestamps. */
  noteBatch(buf: Buffer, pos: number, position: number, indexIntervalBytes: number): void {
    const timestamp = maxTimestampOf(buf, pos);
    const lastOffset = lastOffsetOf(buf, pos);
    if (!this.#timestampsKnown) this.#learnTimestamps();
    if (this.#firstTimestampMs === null && position === 0) this.#firstTimestampMs = timestamp;
    if (timestamp > this.#maxTimestampMs) {
      this.#maxTimestampMs = timestamp;
      this.#offsetOfMaxTimestamp = lastOffset;
    }
    if (this.#sinceIndexEntry > indexIntervalBytes) {
      this.offsetIndex.append(lastOffset, position);
      if (this.#maxTimestampMs >= 0) this.timeIndex.append(this.#maxTimestampMs, this.#offsetOfMaxTimestamp);
      this.#sinceIndexEntry = 0;
    }
    this.#sinceIndexEntry += sizeOf(buf, pos);
  }
  #cutBack(size: number, error: unknown): never {
    try {
      this.file.truncate(size);
    } catch (second) {
      throw new LogError("KAFKA_STORAGE_ERROR", `${this.pathOf(".log")}: a write failed and could not be undone`, { cause: second });
    }
    throw new LogError("KAFKA_STORAGE_ERROR", `${this.pathOf(".log")}: write failed: ${String(error)}`, { cause: error });
  }

  /**
   * Batches from the one that holds `offset` on. null: the segment has none at or after it, look in the next one; empty: there is
   * one, but `upTo` or `maxBytes` forbid it. CORRUPT_MESSAGE.
   */
  read(request: SegmentRead): Buffer | null {
    let plan = this.#plan(request);
    while (plan !== null) {
      const buf = readBuffers.take(plan.length).subarray(0, plan.length);
      const cut = this.#cut(buf.subarray(0, this.file.read(buf, plan.position)), plan, request);
      if (Buffer.isBuffer(cut)) return cut;
      plan = cut;
    }
    return null;
  }
  async readAsync(request: SegmentRead): Promise<Buffer | null> {
    let plan = this.#plan(request);
    while (plan !== null) {
      const buf = readBuffers.take(plan.length).subarray(0, plan.length);
      const cut = this.#cut(buf.subarray(0, await this.file.readAsync(buf, plan.position)), plan, request);
      if (Buffer.isBuffer(cut)) return cut;
      plan = cut;
    }
    return null;
  }
  /** Where in the file a search for the offset begins. */
  searchPosition(offset: number): number {
    return this.#hintFor(offset) ?? this.offsetIndex.positionBefore(offset);
  }
  #hintFor(offset: number): number | null {
    for (const hint of this.#hints) if (hint.offset === offset) return hint.position;
    return null;
  }
  #plan(request: SegmentRead): ReadPlan | null {
    const hinted = this.#hintFor(request.offset);
    const position = hinted ?? this.offsetIndex.positionBefore(request.offset);
    const promised = hinted === null && position > 0 ? this.offsetIndex.promisedAt(request.offset) : -1;
    // Without a hint the batch may lie up to an index interval further on.
    const slack = hinted === null ? 8192 : 0;
    const length = Math.min(this.sizeBytes - position, Math.max(request.maxBytes, HEADER_BYTES) + slack);
    return length < HEADER_BYTES ? null : { position, length, promised };
  }
  /** The batches asked for, or the next read that is needed to find them. */
  #cut(buf: Buffer, plan: ReadPlan, request: SegmentRead): Buffer | ReadPlan | null {
    let pos = 0;
    if (plan.promised >= 0 && (plausibleSize(buf, 0) < 0 || lastOffsetOf(buf, 0) !== plan.promised)) return this.#distrustIndex(request);
    while (pos + HEADER_BYTES <= buf.length) {
      const size = this.#sizeAt(buf, pos, plan.position);
      if (lastOffsetOf(buf, pos) >= request.offset) break;
      pos += size;
    }
    const position = plan.position + pos;
    if (position >= this.sizeBytes) return null;
    if (pos + HEADER_BYTES > buf.length) return this.#planAt(position, Math.max(request.maxBytes, HEADER_BYTES));
    const first = this.#sizeAt(buf, pos, plan.position);
    if (baseOffsetOf(buf, pos) >= request.upTo) return NOTHING;
    if (first > request.maxBytes && !request.minOneMessage) return NOTHING;
    if (pos + first > buf.length) return this.#planAt(position, Math.max(request.maxBytes, first));
    return this.#take(buf, pos, plan.position, request);
  }
  #planAt(position: number, length: number): ReadPlan {
    if (this.sizeBytes - position < HEADER_BYTES) throw this.#corrupt(position, "a batch header is cut off");
    return { position, length: Math.min(length, this.sizeBytes - position), promised: -1 };
  }
  #take(buf: Buffer, start: number, position: number, request: SegmentRead): Buffer {
    let end = start;
    let nextOffset = request.offset;
    while (end + HEADER_BYTES <= buf.length) {
      const size = this.#sizeAt(buf, end, position);
      if (end + size > buf.length || baseOffsetOf(buf, end) >= request.upTo) break;
      if (end > start && end + size - start > request.maxBytes) break;
      if (position + end < this.trustedFrom && !crcOk(buf, end, end + size)) {
        if (end > start) break;
        throw this.#corrupt(position + end, "the CRC is wrong");
      }
      nextOffset = lastOffsetOf(buf, end) + 1;
      end += size;
    }
    this.#remember(nextOffset, position + end);
    return buf.subarray(start, end);
  }
  #sizeAt(buf: Buffer, pos: number, position: number): number {
    const size = plausibleSize(buf, pos);
    if (size < 0 || position + pos + size > this.sizeBytes) throw this.#corrupt(position + pos, "the bytes are no record batch");
    return size;
  }
  #remember(offset: number, position: number): void {
    this.#hints[this.#nextHint] = { offset, position };
    this.#nextHint = (this.#nextHint + 1) % HINTS_MAX;
  }
  #corrupt(position: number, problem: string): LogError {
    return new LogError("CORRUPT_MESSAGE", `${this.pathOf(".log")}: damaged at byte ${position}: ${problem}`);
  }
  #distrustIndex(request: SegmentRead): ReadPlan | null {
    this.rebuildIndexes(4096);
    return this.#plan(request) === null ? null : { position: 0, length: Math.min(this.sizeBytes, request.maxBytes + 8192), promised: -1 };
  }

  /** Empties both indexes and fills them from the log; stops at damage. `visit` sees each good batch. */
  rebuildIndexes(indexIntervalBytes: number, visit: (batch: ScannedBatch) => void = () => {}): ScanEnd {
    this.offsetIndex.entries.reset();
    this.timeIndex.entries.reset();
    this.forgetPositions();
    this.#maxTimestampMs = -1;
    this.#offsetOfMaxTimestamp = this.baseOffset;
    this.#firstTimestampMs = null;
    this.#timestampsKnown = true;
    this.#sinceIndexEntry = 0;
    const end = scanSegment(this.file, { to: this.sizeBytes, checkCrc: true, minOffset: this.baseOffset }, (batch) => {
      this.noteBatch(batch.buf, batch.pos, batch.filePosition, indexIntervalBytes);
      visit(batch);
      return true;
    });
    this.sealTimeIndex();
    return end;
  }
  /** The last entry of a segment's time index is its largest timestamp. */
  sealTimeIndex(): void {
    if (this.maxTimestampMs >= 0) this.timeIndex.append(this.#maxTimestampMs, this.#offsetOfMaxTimestamp);
  }
  /** What the time index knows, without a scan: exact for a sealed segment. */
  #learnTimestamps(): void {
    this.#maxTimestampMs = this.timeIndex.lastTimestampMs;
    this.#offsetOfMaxTimestamp = this.timeIndex.lastOffset;
    this.#timestampsKnown = true;
  }
  /** −1: none. */
  get maxTimestampMs(): number {
    if (!this.#timestampsKnown) this.#learnTimestamps();
    return this.#maxTimestampMs;
  }
  /** Last offset of the batch that has the largest timestamp. */
  get offsetOfMaxTimestamp(): number {
    if (!this.#timestampsKnown) this.#learnTimestamps();
    return this.#offsetOfMaxTimestamp;
  }
  /** Of the first batch, which drives roll by time; null: empty. */
  get firstTimestampMs(): number | null {
    if (this.#firstTimestampMs === null && this.sizeBytes >= HEADER_BYTES) {
      const header = Buffer.alloc(HEADER_BYTES);
      this.file.read(header, 0);
      this.#firstTimestampMs = maxTimestampOf(header, 0);
    }
    return this.#firstTimestampMs;
  }
  /** Durable at once: else a power loss could bring old bytes back behind newer ones. */
  truncateTo(position: number, offset: number): void {
    this.file.truncate(position);
    this.file.sync();
    this.sizeBytes = position;
    this.trustedFrom = Math.min(this.trustedFrom, position);
    this.offsetIndex.truncateTo(offset);
    this.timeIndex.truncateTo(offset);
    this.txnIndex.truncateTo(offset);
    this.forgetPositions();
    this.#firstTimestampMs = null;
    this.#learnTimestamps();
  }
  forgetPositions(): void {
    this.#hints.length = 0;
    this.#nextHint = 0;
  }
  /** Nothing is appended any more: last time index entry, indexes written, every later read is checked. */
  seal(): void {
    this.sealTimeIndex();
    this.offsetIndex.entries.persist();
    this.timeIndex.entries.persist();
    this.trustedFrom = Number.MAX_SAFE_INTEGER;
  }
  /** Into the page cache, for Kafka's dump tool; nothing here depends on it. */
  writeIndexesBehind(): void {
    for (const { entries } of [this.offsetIndex, this.timeIndex]) if (entries.isBehind) entries.persist();
  }
  /** The log's bytes only: recovery scans the newest segment and makes its indexes again. */
  flushData(): void {
    this.file.sync();
  }
  /** Everything, so that recovery may trust the segment as it stands. */
  flush(): void {
    this.file.sync();
    this.#flushIndexes();
  }
  async flushAsync(): Promise<void> {
    await this.file.syncAsync();
    this.#flushIndexes();
  }
  #flushIndexes(): void {
    this.offsetIndex.entries.persist(true);
    this.timeIndex.entries.persist(true);
    if (this.txnIndex.count > 0) this.txnIndex.entries.persist(true);
  }
  close(): void {
    this.#file?.close();
    this.#file = null;
  }
  /** Renames all files, e.g. to `.deleted`. Open reads go on. */
  rename(suffix: string): void {
    for (const kind of [...INDEX_SUFFIXES, ".log"]) {
      const path = this.pathOf(kind);
      if (this.#disk.exists(path)) this.#disk.rename(path, `${this.#directory}/${segmentFileName(this.baseOffset, kind)}${suffix}`);
    }
  }
}
