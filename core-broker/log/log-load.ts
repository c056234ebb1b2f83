/**
 * Opens what is on disk. After a clean shutdown only the tail of the newest segment is looked at; otherwise every segment from the
 * recovery point on is scanned with CRC, the torn tail is cut, indexes and producer state are made again.
 */
import type { Logger } from "../base/logger.ts";
import { baseOffsetOf, lastOffsetOf, leaderEpochOf } from "./batch-fields.ts";
import type { LogConfig } from "./config.ts";
import type { LeaderEpochs } from "./leader-epochs.ts";
import { decodeSnapshot, encodeSnapshot } from "./producer-snapshot.ts";
import type { ProducerState } from "./producer-state.ts";
import { Segment, segmentFileName } from "./segment.ts";
import type { SegmentList } from "./segment-list.ts";
import { scanSegment, type ScannedBatch } from "./segment-scan.ts";
import type { Disk } from "./store/types.ts";

export interface LoadInput {
  readonly disk: Disk;
  readonly directory: string;
  readonly config: LogConfig;
  readonly segments: SegmentList;
  readonly producers: ProducerState;
  readonly epochs: LeaderEpochs;
  readonly clean: boolean;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  readonly producerExpirationMs: number;
  readonly nowMs: number;
  readonly logger: Logger;
}
export interface Loaded {
  readonly nextOffset: number;
  /** Segments that were scanned. */
  readonly scanned: number;
  readonly cutBytes: number;
}
const OFFSET_NAME = /^(\d{20})(\.\w+)$/;

export function loadLog(input: LoadInput): Loaded {
  const names = tidyDirectory(input);
  for (const name of [...names].sort()) if (name.endsWith(".log")) addSegment(input, name);
  if (input.segments.all.length === 0) {
    const segment = new Segment(input.disk, input.directory, input.logStartOffset, 0);
    segment.file.size();
    input.segments.add(segment);
    return { nextOffset: input.logStartOffset, scanned: 0, cutBytes: 0 };
  }
  const result = recover(input, names);
  input.epochs.truncateTo(Math.max(result.nextOffset, 1));
  removeStraySnapshots(input, result.nextOffset, snapshotOffsets(names));
  return result;
}

/** Finishes or undoes what a crash interrupted: deletions and compactions. Returns the names that are left. */
function tidyDirectory({ disk, directory, logger }: LoadInput): Set<string> {
  const names = new Set(disk.list(directory));
  const drop = (name: string): void => {
    disk.remove(`${directory}/${name}`);
    names.delete(name);
  };
  for (const name of Array.from(names)) if (/\.(deleted|cleaned|tmp)$/.test(name)) drop(name);
  // A .log.swap exists only when the whole compacted group is on disk; the segments that it replaces may still be there.
  for (const name of [...names].filter((each) => each.endsWith(".log.swap"))) {
    const base = Number(name.slice(0, 20));
    const end = endOfSwapped(disk, `${directory}/${name}`);
    for (const other of names) {
      const match = OFFSET_NAME.exec(other);
      if (match && match[2] !== ".snapshot" && Number(match[1]) >= base && Number(match[1]) <= end) drop(other);
    }
    for (const swapped of [...names].filter((each) => each.startsWith(name.slice(0, 20)) && each.endsWith(".swap"))) {
      const final = swapped.slice(0, -".swap".length);
      disk.rename(`${directory}/${swapped}`, `${directory}/${final}`);
      names.delete(swapped);
      names.add(final);
    }
    logger.info("finished an interrupted compaction", { directory, baseOffset: base });
  }
  for (const name of Array.from(names)) if (name.endsWith(".swap")) drop(name);
  for (const name of Array.from(names)) {
    if (/\.(index|timeindex|txnindex)$/.test(name) && !names.has(`${name.slice(0, 20)}.log`)) drop(name);
  }
  return names;
}
function endOfSwapped(disk: Disk, path: string): number {
  const file = disk.open(path, "existing");
  let last = -1;
  scanSegment(file, { to: file.size(), checkCrc: false }, (batch) => {
    last = lastOffsetOf(batch.buf, batch.pos);
    return true;
  });
  file.close();
  return last;
}

function addSegment({ disk, directory, segments }: LoadInput, name: string): void {
  segments.add(new Segment(disk, directory, Number(name.slice(0, 20)), disk.sizeOf(`${directory}/${name}`)));
}
/** Indexes that are gone from segments which will not be scanned anyway. */
function restoreIndexes({ segments, config, logger }: LoadInput, names: ReadonlySet<string>, count: number): void {
  for (const segment of segments.all.slice(0, count)) {
    const stem = segmentFileName(segment.baseOffset, "");
    if (segment.sizeBytes === 0 || (names.has(`${stem}.index`) && names.has(`${stem}.timeindex`))) continue;
    logger.warn("index missing, made again from the log", { segment: segment.pathOf(".log") });
    segment.rebuildIndexes(config.indexIntervalBytes);
    segment.offsetIndex.entries.persist();
    segment.timeIndex.entries.persist();
  }
}

function recover(input: LoadInput, names: ReadonlySet<string>): Loaded {
  const { segments, clean } = input;
  const unsafe = clean ? segments.all.length - 1 : segments.floor(input.recoveryPoint);
  restoreIndexes(input, names, clean ? segments.all.length : unsafe);
  if (clean) {
    const nextOffset = trustTail(segments.active);
    if (nextOffset !== null) {
      restoreProducers(input, nextOffset, segments.all, snapshotOffsets(names));
      return { nextOffset, scanned: 0, cutBytes: 0 };
    }
  }
  const before = segments.all.slice(0, unsafe);
  const suspects = segments.all.slice(unsafe);
  restoreProducers(input, suspects[0]?.baseOffset ?? 0, before, snapshotOffsets(names));
  return scanSuspects(input, suspects);
}

/**
 * Next offset after the last batch, found from the last index entry on; null when the tail is not as a clean shutdown leaves it.
 * These few batches are checked: a bit that rotted in the last one's header would move the end of the log.
 */
function trustTail(segment: Segment): number | null {
  let next = segment.baseOffset;
  const end = scanSegment(segment.file, { from: segment.offsetIndex.lastPosition, to: segment.sizeBytes, checkCrc: true }, (batch) => {
    next = lastOffsetOf(batch.buf, batch.pos) + 1;
    return true;
  });
  return end.problem === null && end.position === segment.sizeBytes ? next : null;
}

function scanSuspects(input: LoadInput, suspects: readonly Segment[]): Loaded {
  const { segments, config, producers, epochs, logger } = input;
  let nextOffset = suspects[0]?.baseOffset ?? 0;
  for (const [index, segment] of suspects.entries()) {
    // Power loss can take the last writes of a segment and leave the next one; compaction leaves such gaps too. What is there is kept.
    if (segment.baseOffset > nextOffset && !config.compact) {
      logger.warn("offsets are missing before a segment", {
        segment: segment.pathOf(".log"),
        from: nextOffset,
        to: segment.baseOffset - 1,
      });
    }
    if (index > 0) ensureSnapshot(input, segment.baseOffset, segment.baseOffset > nextOffset);
    if (segment.txnIndex.count > 0) segment.txnIndex.entries.reset();
    nextOffset = Math.max(nextOffset, segment.baseOffset);
    const end = segment.rebuildIndexes(config.indexIntervalBytes, ({ buf, pos }) => {
      nextOffset = lastOffsetOf(buf, pos) + 1;
      epochs.assign(leaderEpochOf(buf, pos), baseOffsetOf(buf, pos));
      replayBatch(producers, segment, buf, pos);
    });
    if (end.problem === null) continue;
    const cutBytes = segment.sizeBytes - end.position + dropLater(segments, suspects.slice(index + 1));
    segment.truncateTo(end.position, nextOffset);
    report(input, { segment, position: end.position, problem: end.problem, cutBytes });
    return { nextOffset, scanned: index + 1, cutBytes };
  }
  return { nextOffset, scanned: suspects.length, cutBytes: 0 };
}
interface Damage {
  readonly segment: Segment;
  readonly position: number;
  readonly problem: string;
  readonly cutBytes: number;
}
function report({ logger }: LoadInput, { segment, ...damage }: Damage): void {
  logger.error("the log is damaged and was cut", { segment: segment.pathOf(".log"), ...damage });
}
/**
 * The crash may have come between the roll and its snapshot, which is needed once the older segments are gone. `anew`: writes before
 * it were lost, so that the snapshot that is there says more than the log.
 */
function ensureSnapshot({ disk, directory, producers }: LoadInput, offset: number, anew: boolean): void {
  const path = `${directory}/${segmentFileName(offset, ".snapshot")}`;
  if (anew || !disk.exists(path)) disk.replaceFileLazily(path, encodeSnapshot(producers.toSnapshot()));
}
/** Files keep their bytes as `.deleted` until the next start. */
function dropLater(segments: SegmentList, later: readonly Segment[]): number {
  let bytes = 0;
  for (const dropped of later) {
    bytes += dropped.sizeBytes;
    dropped.close();
    dropped.rename(".deleted");
  }
  segments.remove(new Set(later));
  return bytes;
}

function replayBatch(producers: ProducerState, segment: Segment, buf: Buffer, pos: number): void {
  const done = producers.apply(buf, pos);
  if (done?.aborted) segment.txnIndex.append({ ...done, lastStableOffset: producers.stableOffsetAfter(done) });
}

/** Newest good snapshot at or before `upTo`, then the batches between it and `upTo`. */
export function restoreProducers(
  input: Pick<LoadInput, "disk" | "directory" | "producers" | "nowMs" | "producerExpirationMs" | "logger">,
  upTo: number,
  segments: readonly Segment[],
  snapshots: readonly number[] = snapshotOffsets(input.disk.list(input.directory)),
): void {
  const { disk, directory, producers } = input;
  let from = 0;
  producers.clear();
  // A snapshot from before the oldest segment lacks what happened in between.
  const oldest = segments[0]?.baseOffset ?? upTo;
  for (const offset of snapshots.toReversed()) {
    if (offset > upTo || offset < oldest) continue;
    const path = `${directory}/${segmentFileName(offset, ".snapshot")}`;
    const snapshot = decodeSnapshot(disk.readFile(path));
    if (snapshot !== null) {
      producers.load(snapshot, input.nowMs, input.producerExpirationMs);
      from = offset;
      break;
    }
    input.logger.warn("producer snapshot is damaged, an older one is used", { path });
    disk.remove(path);
  }
  const replay = ({ buf, pos }: ScannedBatch): boolean => {
    if (baseOffsetOf(buf, pos) >= upTo) return false;
    // The aborted transactions of these segments are in their index already.
    if (lastOffsetOf(buf, pos) >= from) producers.apply(buf, pos);
    return true;
  };
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]?.baseOffset ?? Number.POSITIVE_INFINITY;
    if (next <= from || segment.baseOffset >= upTo || from >= upTo) continue;
    scanSegment(segment.file, { from: segment.searchPosition(from), to: segment.sizeBytes, checkCrc: true }, replay);
  }
}

/** Ascending. */
export function snapshotOffsets(names: Iterable<string>): number[] {
  const offsets: number[] = [];
  for (const name of names) if (/^\d{20}\.snapshot$/.test(name)) offsets.push(Number(name.slice(0, 20)));
  return offsets.sort((a, b) => a - b);
}
/** Snapshots at a segment's start and the newest one are of use; those after the log end are wrong. */
function removeStraySnapshots({ disk, directory, segments }: LoadInput, nextOffset: number, offsets: readonly number[]): void {
  const bases = new Set(segments.all.map(({ baseOffset }) => baseOffset));
  const newest = offsets.findLast((offset) => offset <= nextOffset);
  for (const offset of offsets) {
    if (offset <= nextOffset && (bases.has(offset) || offset === newest)) continue;
    disk.remove(`${directory}/${segmentFileName(offset, ".snapshot")}`);
  }
}
