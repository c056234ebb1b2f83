/** Compaction's second half: writes what stays of a group of segments to `.cleaned` files and swaps them in. */
import { readBatchHeader, type BatchHeader } from "../protocol/records/batch.ts";
import * as field from "./batch-fields.ts";
import { openBatch, rebuildBatch, type RecordSlice } from "./batch-filter.ts";
import { type AbortedTransactions, isAborted } from "./aborted-transactions.ts";
import type { KeyOffsets } from "./key-offsets.ts";
import type { Log } from "./log.ts";
import { readMarker } from "./producer-state.ts";
import { INDEX_SUFFIXES, Segment, segmentFileName } from "./segment.ts";
import { scanSegmentAsync, type ScannedBatch } from "./segment-scan.ts";

const WRITE_BYTES = 1 << 20;

export interface SegmentCopier {
  readonly keys: KeyOffsets;
  readonly aborted: AbortedTransactions;
  readonly nowMs: number;
  /** Producers whose current transaction still has batches in the log, as the walk goes from transaction to transaction. */
  readonly seenInTransaction: Set<number>;
  readonly isStopped: () => boolean;
}

/** false: given up, because the log changed under it or is closing; nothing is different then. */
export async function copySegments(log: Log, group: readonly Segment[], copier: SegmentCopier): Promise<boolean> {
  const base = group[0]?.baseOffset ?? 0;
  removeFiles(log, base, ".cleaned");
  const target = new Segment(log.disk, log.directory, base, 0, ".cleaned");
  const copy = new Copy(log, target, copier);
  try {
    for (const segment of group) {
      const end = await scanSegmentAsync(segment.file, { to: segment.sizeBytes, checkCrc: true }, (batch) => copy.visit(batch));
      if (end.problem !== null) throw new Error(`${segment.pathOf(".log")}: damaged at byte ${end.position}: ${end.problem}`);
      if (copy.stopped) return abandon(log, target);
    }
    copy.write();
    target.file.size();
    target.seal();
    await target.flushAsync();
  } catch (error) {
    abandon(log, target);
    throw error;
  }
  const here = new Set(log.segments.all);
  if (log.isClosed || copier.isStopped() || group.some((segment) => !here.has(segment))) return abandon(log, target);
  swap(log, group, target);
  return true;
}
function abandon(log: Log, target: Segment): false {
  target.close();
  removeFiles(log, target.baseOffset, ".cleaned");
  return false;
}
function removeFiles(log: Log, base: number, suffix: string): void {
  for (const kind of [...INDEX_SUFFIXES, ".log"]) log.disk.remove(`${log.directory}/${segmentFileName(base, kind)}${suffix}`);
}

/** `.log.swap` appears last and means: complete. From then on a crash is finished by the next start, before it is undone by it. */
function swap(log: Log, group: readonly Segment[], target: Segment): void {
  target.close();
  const path = (kind: string, suffix: string): string => `${log.directory}/${segmentFileName(target.baseOffset, kind)}${suffix}`;
  const kinds = [...INDEX_SUFFIXES, ".log"].filter((kind) => log.disk.exists(path(kind, ".cleaned")));
  for (const kind of kinds) log.disk.rename(path(kind, ".cleaned"), path(kind, ".swap"));
  log.disk.syncDirectory(log.directory);
  log.retire(group, target.baseOffset);
  for (const kind of kinds) log.disk.rename(path(kind, ".swap"), path(kind, ""));
  log.disk.syncDirectory(log.directory);
  const cleaned = new Segment(log.disk, log.directory, target.baseOffset, target.sizeBytes);
  cleaned.trustedFrom = Number.MAX_SAFE_INTEGER;
  log.segments.replace(new Set(group), [cleaned]);
}

class Copy {
  stopped = false;
  readonly #log: Log;
  readonly #target: Segment;
  readonly #copier: SegmentCopier;
  readonly #lastOffsets: ReadonlySet<number>;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(log: Log, target: Segment, copier: SegmentCopier) {
    this.#log = log;
    this.#target = target;
    this.#copier = copier;
    this.#lastOffsets = new Set(Array.from(log.producers.entries.values(), (entry) => entry.batches.at(-1)?.lastOffset ?? -1));
  }
  visit({ buf, pos, sizeBytes }: ScannedBatch): boolean {
    if (this.#copier.isStopped() || this.#log.isClosed) {
      this.stopped = true;
      return false;
    }
    const header = readBatchHeader(buf, pos);
    if (header === null) return true;
    const whole = buf.subarray(pos, pos + sizeBytes);
    if (field.isControl(header.attributes)) this.#visitMarker(whole, header);
    else this.#visitData(whole, header);
    return true;
  }
  #visitMarker(whole: Buffer, header: BatchHeader): void {
    const { seenInTransaction, nowMs } = this.#copier;
    const hasData = seenInTransaction.delete(header.producerId);
    if (hasData || header.recordCount === 0) return this.#keepMarker(whole, header);
    if (!field.hasDeleteHorizon(header.attributes)) {
      const batch = openBatch(whole, 0, header);
      return this.#keepMarker(rebuildBatch(batch, batch.records, nowMs + this.#log.config.deleteRetentionMs), header);
    }
    if (nowMs < header.baseTimestamp) this.#keepMarker(whole, header);
    else this.#keepSequence(whole, header);
  }
  #keepMarker(batch: Buffer, header: BatchHeader): void {
    this.#keep(batch);
    if (readMarker(batch, 0)?.committed !== false) return;
    const entry = (this.#copier.aborted.get(header.producerId) ?? []).find(({ lastOffset }) => lastOffset === header.baseOffset);
    if (entry !== undefined) this.#target.txnIndex.append(entry);
  }
  #visitData(whole: Buffer, header: BatchHeader): void {
    const { keys, aborted, seenInTransaction } = this.#copier;
    const lastOffset = header.baseOffset + header.lastOffsetDelta;
    const transactional = field.isTransactional(header.attributes);
    if (header.baseOffset > keys.lastOffset) {
      if (transactional) seenInTransaction.add(header.producerId);
      return this.#keep(whole);
    }
    if (isAborted(aborted, whole, 0) && lastOffset <= keys.lastOffset) return this.#keepSequence(whole, header);
    if (header.recordCount === 0) return this.#keepSequence(whole, header);
    const batch = openBatch(whole, 0, header);
    const kept = batch.records.filter((record) => this.#stays(record, header));
    if (kept.length === 0) return this.#keepSequence(whole, header);
    if (transactional) seenInTransaction.add(header.producerId);
    const marked = field.hasDeleteHorizon(header.attributes);
    const horizon = !marked && kept.some(({ isTombstone }) => isTombstone) ? this.#copier.nowMs + this.#log.config.deleteRetentionMs : null;
    if (horizon === null && kept.length === batch.records.length) this.#keep(whole);
    else this.#keep(rebuildBatch(batch, kept, horizon));
  }
  #stays(record: RecordSlice, header: BatchHeader): boolean {
    const { keys, nowMs } = this.#copier;
    if (record.offset > keys.lastOffset) return true;
    if (record.key === null || record.offset < keys.get(record.key)) return false;
    if (!record.isTombstone) return true;
    return !field.hasDeleteHorizon(header.attributes) || nowMs < header.baseTimestamp;
  }
  /** No record stays. The producer's last batch does, as a header, so that its sequence is remembered after a rebuild. */
  #keepSequence(whole: Buffer, header: BatchHeader): void {
    if (header.producerId < 0 || !this.#lastOffsets.has(header.baseOffset + header.lastOffsetDelta)) return;
    if (field.isTransactional(header.attributes) && !field.isControl(header.attributes))
      this.#copier.seenInTransaction.add(header.producerId);
    this.#keep(header.recordCount === 0 ? whole : rebuildBatch({ header, bytes: whole, records: [] }, [], null));
  }
  #keep(batch: Buffer): void {
    this.#pending.push(batch);
    this.#pendingBytes += batch.length;
    if (this.#pendingBytes >= WRITE_BYTES) this.write();
  }
  write(): void {
    if (this.#pendingBytes === 0) return;
    this.#target.append(Buffer.concat(this.#pending), this.#log.config.indexIntervalBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
