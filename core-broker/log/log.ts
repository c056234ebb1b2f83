/**
 * The log of one partition: segments, producer state, leader epochs. Append is synchronous and is one write(2) of the caller's
 * buffer. High watermark and waiting are replication's business, not ours.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { setBatchOffset } from "../protocol/records/batch.ts";
import { checkBatches, type Origin, recompress, stampAppendTime } from "./append-check.ts";
import * as field from "./batch-fields.ts";
import type { LogConfig } from "./config.ts";
import { LogError } from "./errors.ts";
import { LeaderEpochs } from "./leader-epochs.ts";
import { loadLog, restoreProducers, snapshotOffsets } from "./log-load.ts";
import { encodeSnapshot } from "./producer-snapshot.ts";
import { type ProducerBatch, ProducerState, type StagedProducers } from "./producer-state.ts";
import { Segment, segmentFileName } from "./segment.ts";
import { SegmentList } from "./segment-list.ts";
import type { Disk } from "./store/types.ts";
import type { AbortedEntry } from "./transaction-index.ts";

export interface LogOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly directory: string;
  /** "topic-partition", for messages. */
  readonly name: string;
  readonly config: LogConfig;
  readonly clean: boolean;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  readonly producerExpirationMs: number;
  /** 0 ≤ n < 1, for segment.jitter.ms. */
  readonly jitter?: number;
}
export interface LogAppend {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly logAppendTimeMs: number;
  readonly duplicate: boolean;
}
export interface LogRead {
  readonly offset: number;
  readonly maxBytes: number;
  readonly minOneMessage: boolean;
  /** Exclusive. */
  readonly upTo: number;
}
const NOTHING = Buffer.alloc(0);
const DAMAGES_NAMED_MAX = 100;

export class Log {
  readonly directory: string;
  readonly name: string;
  readonly segments = new SegmentList();
  readonly producers: ProducerState;
  readonly epochs: LeaderEpochs;
  config: LogConfig;
  /** Everything before is fsynced. */
  recoveryPoint: number;
  /** Compaction: everything before has been cleaned. */
  cleanedUpTo = 0;
  /** What loading found: bytes that had to be cut off. */
  readonly cutBytes: number;
  /** Segments that had to be scanned. */
  readonly scannedSegments: number;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  #nextOffset: number;
  #startOffset: number;
  #lastFlushMs: number;
  #flushTimer: { cancel(): void } | null = null;
  #flushing: Promise<void> = Promise.resolve();
  /** Sealed, but not yet on disk with their indexes. */
  readonly #unsynced = new Set<Segment>();
  readonly #damageNamed = new Set<string>();
  #snapshotOffset = -1;
  #closed = false;
  /** Something has to be written at a clean shutdown. */
  #touched: boolean;
  readonly #jitter: number;
  readonly #producerExpirationMs: number;

  constructor(options: LogOptions) {
    this.disk = options.disk;
    this.clock = options.clock;
    this.logger = options.logger;
    this.directory = options.directory;
    this.name = options.name;
    this.config = options.config;
    this.#jitter = options.jitter ?? 0;
    this.#producerExpirationMs = options.producerExpirationMs;
    this.producers = new ProducerState(options.name);
    this.epochs = new LeaderEpochs(options.disk, options.directory);
    const nowMs = options.clock.now();
    const loaded = loadLog({ ...options, segments: this.segments, producers: this.producers, epochs: this.epochs, nowMs });
    this.#nextOffset = loaded.nextOffset;
    this.cutBytes = loaded.cutBytes;
    this.scannedSegments = loaded.scanned;
    this.#startOffset = Math.max(options.logStartOffset, this.segments.first.baseOffset);
    // After a scan nothing says which of the bytes are durable.
    this.recoveryPoint = options.clean ? this.#nextOffset : Math.min(options.recoveryPoint, this.#nextOffset);
    this.#lastFlushMs = nowMs;
    this.#touched = !options.clean;
    for (const segment of this.segments.from(this.recoveryPoint)) if (segment !== this.segments.active) this.#flushInBackground(segment);
    if (this.#startOffset > this.#nextOffset) this.#startAfresh(this.#startOffset);
    // What a killed process had written may still be in the page cache only. Who asks for fsync gets it before it is served.
    if (!options.clean && this.config.flushMessages < Number.MAX_SAFE_INTEGER) this.flush();
  }
  get endOffset(): number {
    return this.#nextOffset;
  }
  get startOffset(): number {
    return this.#startOffset;
  }
  get sizeBytes(): number {
    return this.segments.sizeBytes;
  }
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Throws LogError; nothing is written then. */
  append(records: Buffer, origin: Origin, leaderEpoch: number): LogAppend {
    if (this.#closed) throw new LogError("KAFKA_STORAGE_ERROR", `${this.name}: the log is closed`);
    const nowMs = this.clock.now();
    const count = checkBatches(records, origin, this.config, nowMs, this.name);
    if (origin === "client") {
      const earlier = this.#checkProducers(records, count);
      if (earlier !== null) return duplicateOf(earlier, this.config.timestampType === "LogAppendTime");
    }
    const buf = recompress(records, this.config);
    const stamped = this.config.timestampType === "LogAppendTime";
    if (stamped) stampAppendTime(buf, nowMs);
    const baseOffset = this.#nextOffset;
    const endOffset = assignOffsets(buf, baseOffset, leaderEpoch);
    this.#rollIfNeeded(buf, endOffset - 1, nowMs);
    this.epochs.assign(leaderEpoch, baseOffset);
    this.segments.active.append(buf, this.config.indexIntervalBytes);
    this.#nextOffset = endOffset;
    this.#touched = true;
    this.#applyProducers(buf);
    this.#flushIfDue(nowMs);
    return { baseOffset, lastOffset: endOffset - 1, logAppendTimeMs: stamped ? nowMs : -1, duplicate: false };
  }
  #checkProducers(buf: Buffer, count: number): ProducerBatch | null {
    const staged: StagedProducers | null = count > 1 ? new Map() : null;
    for (let pos = 0; pos < buf.length; pos += field.sizeOf(buf, pos)) {
      if (field.producerIdOf(buf, pos) < 0) continue;
      const earlier = this.producers.check(buf, pos, staged);
      if (earlier !== null) return earlier;
    }
    return null;
  }
  #applyProducers(buf: Buffer): void {
    for (let pos = 0; pos < buf.length; pos += field.sizeOf(buf, pos)) {
      if (field.producerIdOf(buf, pos) < 0) continue;
      const done = this.producers.apply(buf, pos);
      if (done?.aborted) this.segments.active.txnIndex.append({ ...done, lastStableOffset: this.producers.stableOffsetAfter(done) });
    }
  }

  #rollIfNeeded(buf: Buffer, lastOffset: number, nowMs: number): void {
    const active = this.segments.active;
    if (active.sizeBytes === 0) return;
    const { segmentBytes, segmentJitterMs, segmentIndexBytes, compact, maxCompactionLagMs } = this.config;
    // A record in the active segment cannot be compacted: the lag bounds the segment's age too.
    const segmentMs = compact ? Math.min(this.config.segmentMs, maxCompactionLagMs) : this.config.segmentMs;
    const first = active.firstTimestampMs ?? -1;
    const reference = field.maxTimestampOf(buf, 0);
    const age = first >= 0 && reference >= 0 ? reference - first : 0;
    const due =
      active.sizeBytes > segmentBytes - buf.length ||
      age > segmentMs - Math.floor(this.#jitter * Math.min(segmentJitterMs, segmentMs)) ||
      active.offsetIndex.isFull(segmentIndexBytes) ||
      active.timeIndex.isFull(segmentIndexBytes) ||
      lastOffset - active.baseOffset > 0x7fffffff;
    if (due) this.roll(nowMs);
  }
  /** Seals the active segment and begins another at the log end. Its fsync happens in the background. */
  roll(_nowMs: number = this.clock.now()): void {
    const sealed = this.segments.active;
    if (sealed.baseOffset === this.#nextOffset) return;
    const next = new Segment(this.disk, this.directory, this.#nextOffset, 0);
    // Creating it first: when the disk is full the old segment stays the active one.
    next.file.truncate(0);
    sealed.seal();
    this.#writeSnapshot();
    this.segments.add(next);
    this.#flushInBackground(sealed);
  }
  #flushInBackground(sealed: Segment): void {
    this.#unsynced.add(sealed);
    const upTo = this.segments.nextBaseOffset(sealed);
    this.#flushing = this.#flushing.then(() => this.#flushSealed(sealed, upTo));
  }
  async #flushSealed(sealed: Segment, upTo: number): Promise<void> {
    if (this.#closed || !this.#unsynced.has(sealed)) return;
    try {
      await sealed.flushAsync();
      this.disk.syncDirectory(this.directory);
      this.#unsynced.delete(sealed);
      sealed.offsetIndex.entries.release();
      sealed.timeIndex.entries.release();
      let safeUpTo = upTo;
      for (const { baseOffset } of this.#unsynced) safeUpTo = Math.min(safeUpTo, baseOffset);
      if (safeUpTo > this.recoveryPoint) this.recoveryPoint = safeUpTo;
    } catch (error) {
      if (!this.#closed) this.logger.error("fsync of a sealed segment failed", { segment: sealed.pathOf(".log"), error });
    }
  }
  /** `flush` off the event loop; before a clean shutdown, so that many logs are synced at once. */
  async flushAsync(): Promise<void> {
    await this.#flushing;
    const upTo = this.#nextOffset;
    if (this.#closed || this.recoveryPoint >= upTo || this.#unsynced.size > 0) return;
    await this.segments.active.file.syncAsync();
    if (this.#unsynced.size === 0 && upTo > this.recoveryPoint) this.recoveryPoint = upTo;
  }
  /** Resolves when the background fsyncs started so far are done. */
  settled(): Promise<void> {
    return this.#flushing;
  }
  #writeSnapshot(): void {
    if (this.#snapshotOffset === this.#nextOffset) return;
    const path = `${this.directory}/${segmentFileName(this.#nextOffset, ".snapshot")}`;
    // Lost or torn, an older one and the log's own batches say the same.
    this.disk.replaceFileLazily(path, encodeSnapshot(this.producers.toSnapshot()));
    this.#snapshotOffset = this.#nextOffset;
  }

  #flushIfDue(nowMs: number): void {
    const { flushMessages, flushMs } = this.config;
    if (this.#nextOffset - this.recoveryPoint >= flushMessages) return this.flush();
    if (flushMs >= 0x7fffffff) return;
    if (nowMs - this.#lastFlushMs >= flushMs) return this.flush();
    this.#flushTimer ??= this.clock.after(flushMs, () => {
      this.#flushTimer = null;
      if (this.#closed) return;
      try {
        this.flush();
      } catch (error) {
        this.logger.error("fsync failed", { partition: this.name, error });
      }
    });
  }
  /** fsync of everything appended so far. KAFKA_STORAGE_ERROR. */
  flush(): void {
    this.#flushTimer?.cancel();
    this.#flushTimer = null;
    this.#lastFlushMs = this.clock.now();
    if (this.recoveryPoint >= this.#nextOffset) return;
    try {
      for (const segment of this.#unsynced) segment.flush();
      if (this.#unsynced.size > 0 || this.recoveryPoint <= this.segments.active.baseOffset) this.disk.syncDirectory(this.directory);
      this.#unsynced.clear();
      this.segments.active.flushData();
      this.recoveryPoint = this.#nextOffset;
    } catch (error) {
      throw new LogError("KAFKA_STORAGE_ERROR", `${this.directory}: fsync failed: ${String(error)}`, { cause: error });
    }
  }

  /** OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR. */
  read(request: LogRead): Buffer {
    this.#checkRange(request.offset);
    if (request.offset >= request.upTo) return NOTHING;
    for (const segment of this.segments.from(request.offset)) {
      if (segment.baseOffset >= request.upTo) break;
      const found = storage(this.name, () => segment.read(request), this.#reportDamage);
      if (found !== null) return found;
    }
    return NOTHING;
  }
  async readAsync(request: LogRead): Promise<Buffer> {
    this.#checkRange(request.offset);
    if (request.offset >= request.upTo) return NOTHING;
    for (const segment of this.segments.from(request.offset)) {
      if (segment.baseOffset >= request.upTo) break;
      const found = await segment.readAsync(request).catch((error: unknown) => storage(this.name, () => raise(error), this.#reportDamage));
      if (found !== null) return found;
    }
    return NOTHING;
  }
  /** Damage is named once per place: a reader that comes back every second must not fill the disk with lines. */
  readonly #reportDamage = (error: LogError): void => {
    if (this.#damageNamed.has(error.message) || this.#damageNamed.size >= DAMAGES_NAMED_MAX) return;
    this.#damageNamed.add(error.message);
    this.logger.error("damaged records are not served", { partition: this.name, error });
  };
  #checkRange(offset: number): void {
    if (offset >= this.#startOffset && offset <= this.#nextOffset) return;
    throw new LogError(
      "OFFSET_OUT_OF_RANGE",
      `Received request for offset ${offset} for partition ${this.name}, but we only have log segments from offset ${this.#startOffset} up to ${this.#nextOffset}.`,
    );
  }
  /** Aborted transactions that overlap [from, to), for read_committed consumers. */
  abortedTransactions(from: number, to: number): AbortedEntry[] {
    const found: AbortedEntry[] = [];
    for (const segment of this.segments.from(from)) if (segment.txnIndex.collect(from, to, found)) break;
    return found;
  }

  /** Everything from `offset` on goes. */
  truncateTo(offset: number): void {
    if (offset >= this.#nextOffset) return;
    if (offset <= this.segments.first.baseOffset) return this.#startAfresh(offset);
    const later = new Set(this.segments.all.filter((segment) => segment.baseOffset >= offset));
    this.segments.remove(later);
    this.#discard(later);
    const active = this.segments.active;
    active.truncateTo(positionOf(active, offset), offset);
    this.#afterTruncation(offset);
  }
  #startAfresh(offset: number): void {
    const all = new Set(this.segments.all);
    this.segments.clear();
    this.#discard(all);
    this.segments.add(new Segment(this.disk, this.directory, offset, 0));
    this.segments.active.file.truncate(0);
    this.#startOffset = offset;
    this.#afterTruncation(offset);
  }
  #afterTruncation(offset: number): void {
    this.#nextOffset = offset;
    this.#touched = true;
    this.recoveryPoint = Math.min(this.recoveryPoint, offset);
    this.#startOffset = Math.min(this.#startOffset, offset);
    this.#snapshotOffset = -1;
    this.epochs.truncateTo(offset);
    // Starting afresh nothing is known of the producers; a snapshot from before would accuse them of gaps.
    const keepUpTo = this.segments.first.baseOffset === offset ? -1 : offset;
    for (const snapshot of snapshotOffsets(this.disk.list(this.directory))) {
      if (snapshot > keepUpTo) this.disk.remove(`${this.directory}/${segmentFileName(snapshot, ".snapshot")}`);
    }
    const source = { disk: this.disk, directory: this.directory, producers: this.producers, logger: this.logger };
    restoreProducers({ ...source, nowMs: this.clock.now(), producerExpirationMs: this.#producerExpirationMs }, offset, this.segments.all);
  }
  /** DeleteRecords and retention: what lies before is not served any more. true: it moved. */
  advanceStart(offset: number): boolean {
    if (offset <= this.#startOffset) return false;
    if (offset > this.#nextOffset)
      throw new LogError("OFFSET_OUT_OF_RANGE", `${this.name}: ${offset} is after the end ${this.#nextOffset}`);
    this.#startOffset = offset;
    this.epochs.startFrom(offset);
    return true;
  }
  /** Takes whole segments out of the log; files go after file.delete.delay.ms. */
  dropSegments(gone: ReadonlySet<Segment>): void {
    if (gone.has(this.segments.active)) this.roll();
    this.segments.remove(gone);
    this.advanceStart(Math.max(this.#startOffset, this.segments.first.baseOffset));
    this.#discard(gone);
  }
  #discard(gone: ReadonlySet<Segment>, keepSnapshot = -1): void {
    const doomed: string[] = [];
    for (const segment of gone) {
      this.#unsynced.delete(segment);
      segment.rename(".deleted");
      for (const kind of [".log", ".index", ".timeindex", ".txnindex"]) {
        doomed.push(`${this.directory}/${segmentFileName(segment.baseOffset, kind)}.deleted`);
      }
      // The snapshot at the start of the log stays useful only while older segments exist.
      if (segment.baseOffset !== keepSnapshot) doomed.push(`${this.directory}/${segmentFileName(segment.baseOffset, ".snapshot")}`);
    }
    this.clock.after(this.config.fileDeleteDelayMs, () => {
      for (const segment of gone) segment.close();
      for (const path of doomed) this.#removeQuietly(path);
    });
  }
  /** Another owner of the directory (deletion of the partition) may have been faster. */
  #removeQuietly(path: string): void {
    try {
      this.disk.remove(path);
    } catch (error) {
      this.logger.warn("could not remove a file of a dropped segment", { path, error });
    }
  }
  /** Compaction: the files of `group` make room, oldest first; the snapshot at `keep` stays. */
  retire(group: readonly Segment[], keep: number): void {
    this.#discard(new Set(group), keep);
  }

  writeIndexesBehind(): void {
    if (!this.#closed && this.#touched) this.segments.active.writeIndexesBehind();
  }
  /** clean: flush and snapshot, so that the next start scans nothing. */
  close(clean: boolean): void {
    if (this.#closed) return;
    if (clean && this.#touched) {
      this.segments.active.sealTimeIndex();
      this.flush();
      this.segments.active.offsetIndex.entries.persist();
      this.segments.active.timeIndex.entries.persist();
      if (this.#nextOffset > this.#startOffset) this.#writeSnapshot();
    }
    this.#closed = true;
    this.#flushTimer?.cancel();
    for (const segment of this.segments.all) segment.close();
  }
}

function positionOf(segment: Segment, offset: number): number {
  let position = segment.searchPosition(offset);
  const header = Buffer.alloc(field.HEADER_BYTES);
  while (position < segment.sizeBytes) {
    segment.file.read(header, position);
    const size = field.plausibleSize(header, 0);
    if (size < 0) throw new LogError("CORRUPT_MESSAGE", `${segment.pathOf(".log")}: damaged at byte ${position}`);
    if (field.lastOffsetOf(header, 0) >= offset) break;
    position += size;
  }
  return position;
}
/** Returns the offset after the last record. */
function assignOffsets(buf: Buffer, baseOffset: number, leaderEpoch: number): number {
  let offset = baseOffset;
  for (let pos = 0; pos < buf.length; pos += field.sizeOf(buf, pos)) {
    setBatchOffset(buf, pos, offset, leaderEpoch);
    offset += field.lastOffsetDeltaOf(buf, pos) + 1;
  }
  return offset;
}
function duplicateOf(earlier: ProducerBatch, stamped: boolean): LogAppend {
  return {
    baseOffset: earlier.lastOffset - earlier.offsetDelta,
    lastOffset: earlier.lastOffset,
    logAppendTimeMs: stamped ? earlier.timestampMs : -1,
    duplicate: true,
  };
}
function raise(error: unknown): never {
  throw error;
}
/** The disk's errors become KAFKA_STORAGE_ERROR; damage is reported besides. */
function storage<T>(name: string, run: () => T, damaged: (error: LogError) => void): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof LogError && error.reason === "CORRUPT_MESSAGE") damaged(error);
    if (error instanceof LogError) throw error;
    throw new LogError("KAFKA_STORAGE_ERROR", `${name}: read failed: ${String(error)}`, { cause: error });
  }
}
