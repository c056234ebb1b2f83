/**
 * Compaction: of each key only the last record stays. Rules: cleanup.policy=compact; tombstones and markers live until their delete
 * horizon (KIP-534); records of aborted transactions go; the last batch of a producer stays, if need be empty, so that its sequence
 * numbers are not forgotten.
 */
import { readBatchHeader } from "../protocol/records/batch.ts";
import * as field from "./batch-fields.ts";
import { type AbortedTransactions, abortedByProducer, isAborted } from "./aborted-transactions.ts";
import { openBatch } from "./batch-filter.ts";
import { KeyOffsets } from "./key-offsets.ts";
import type { Log } from "./log.ts";
import type { Segment } from "./segment.ts";
import { type SegmentCopier, copySegments } from "./segment-copy.ts";
import { scanSegmentAsync, type ScannedBatch } from "./segment-scan.ts";

export interface CleanerOptions {
  readonly dedupeBufferBytes: () => number;
  readonly isStopped: () => boolean;
}
interface CleanRange {
  readonly firstDirty: number;
  /** Exclusive. */
  readonly end: number;
}

export class Cleaner {
  readonly #options: CleanerOptions;
  constructor(options: CleanerOptions) {
    this.#options = options;
  }
  /** Share of the cleanable bytes that is dirty, when that is enough (or old enough) to clean now; else null. */
  dirtyRatio(log: Log, nowMs: number, upTo: number): number | null {
    const range = cleanRange(log, nowMs, upTo);
    if (range === null) return null;
    let clean = 0;
    let dirty = 0;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const segment of log.segments.all) {
      if (segment.baseOffset >= range.end) break;
      if (log.segments.nextBaseOffset(segment) <= range.firstDirty) clean += segment.sizeBytes;
      else {
        dirty += segment.sizeBytes;
        oldestMs = Math.min(oldestMs, segment.firstTimestampMs ?? Number.POSITIVE_INFINITY);
      }
    }
    if (dirty === 0) return null;
    const ratio = dirty / (clean + dirty);
    const overdue = nowMs - oldestMs > log.config.maxCompactionLagMs;
    return ratio > log.config.minCleanableDirtyRatio || overdue ? ratio : null;
  }

  /** One pass. Reads are asynchronous; the log goes on being written and read meanwhile. */
  async clean(log: Log, nowMs: number, upTo: number): Promise<void> {
    const range = cleanRange(log, nowMs, upTo);
    if (range === null) return;
    const aborted = abortedByProducer(log.abortedTransactions(log.segments.first.baseOffset, range.end));
    const keys = await this.#readKeys(log, range, aborted);
    const endOffset = keys.lastOffset + 1;
    if (endOffset <= range.firstDirty) return;
    const copier: SegmentCopier = { keys, aborted, nowMs, seenInTransaction: new Set(), isStopped: this.#options.isStopped };
    for (const group of groups(log, endOffset)) {
      if (this.#stopped(log)) return;
      if (!(await copySegments(log, group, copier))) return;
    }
    log.cleanedUpTo = endOffset;
    log.logger.debug("compacted", { partition: log.name, upTo: endOffset, keys: keys.size, sizeBytes: log.sizeBytes });
  }
  #stopped(log: Log): boolean {
    return log.isClosed || this.#options.isStopped();
  }

  async #readKeys(log: Log, range: CleanRange, aborted: AbortedTransactions): Promise<KeyOffsets> {
    const keys = new KeyOffsets(this.#options.dedupeBufferBytes());
    keys.lastOffset = range.firstDirty - 1;
    const visit = (batch: ScannedBatch): boolean => {
      if (field.baseOffsetOf(batch.buf, batch.pos) >= range.end || this.#stopped(log) || keys.isFull) return false;
      if (field.lastOffsetOf(batch.buf, batch.pos) >= range.firstDirty) addKeys(keys, batch, aborted);
      return true;
    };
    for (const segment of Array.from(log.segments.from(range.firstDirty))) {
      if (segment.baseOffset >= range.end || keys.isFull) break;
      const end = await scanSegmentAsync(segment.file, { to: segment.sizeBytes, checkCrc: true }, visit);
      if (end.problem !== null) throw new Error(`${segment.pathOf(".log")}: damaged at byte ${end.position}: ${end.problem}`);
    }
    return keys;
  }
}

function addKeys(keys: KeyOffsets, { buf, pos }: ScannedBatch, aborted: AbortedTransactions): void {
  const header = readBatchHeader(buf, pos);
  if (header === null) return;
  if (!field.isControl(header.attributes) && header.recordCount > 0 && !isAborted(aborted, buf, pos)) {
    for (const { key, offset } of openBatch(buf, pos, header).records) if (key !== null) keys.put(key, offset);
  }
  keys.lastOffset = header.baseOffset + header.lastOffsetDelta;
}

/** Sealed segments, older than min.compaction.lag.ms, without open transactions; null: nothing to do. */
function cleanRange(log: Log, nowMs: number, upTo: number): CleanRange | null {
  const firstDirty = Math.max(log.cleanedUpTo, log.startOffset);
  let end = Math.min(upTo, log.segments.active.baseOffset);
  for (const segment of log.segments.from(firstDirty)) {
    if (segment.baseOffset >= end) break;
    if (log.config.minCompactionLagMs > 0 && segment.maxTimestampMs > nowMs - log.config.minCompactionLagMs) end = segment.baseOffset;
  }
  return end > firstDirty ? { firstDirty, end } : null;
}

/** Neighbours that together fit into one segment become one. */
function groups(log: Log, endOffset: number): Segment[][] {
  const result: Segment[][] = [];
  let current: Segment[] = [];
  let bytes = 0;
  let indexBytes = 0;
  for (const segment of log.segments.all) {
    if (segment.baseOffset >= endOffset || segment === log.segments.active) break;
    const first = current[0];
    const fits =
      first !== undefined &&
      bytes + segment.sizeBytes <= log.config.segmentBytes &&
      indexBytes + segment.offsetIndex.entries.sizeBytes <= log.config.segmentIndexBytes &&
      log.segments.nextBaseOffset(segment) - 1 - first.baseOffset <= 0x7fffffff;
    if (!fits) {
      current = [];
      bytes = 0;
      indexBytes = 0;
      result.push(current);
    }
    current.push(segment);
    bytes += segment.sizeBytes;
    indexBytes += segment.offsetIndex.entries.sizeBytes;
  }
  return result;
}
