/** Offsets by timestamp (ListOffsets). */
import { readBatchHeader } from "../protocol/records/batch.ts";
import { readRecords } from "../protocol/records/records.ts";
import { isControl, lastOffsetOf, maxTimestampOf, attributesOf } from "./batch-fields.ts";
import type { Log } from "./log.ts";
import type { Segment } from "./segment.ts";
import { scanSegment, type ScannedBatch } from "./segment-scan.ts";

export interface FoundOffset {
  readonly offset: number;
  readonly timestampMs: number;
}

/** First record at or after the timestamp, from the log start on. */
export function offsetByTimestamp(log: Log, timestampMs: number): FoundOffset | null {
  for (const segment of log.segments.from(log.startOffset)) {
    if (segment.maxTimestampMs < timestampMs) continue;
    const found = search(segment, segment.timeIndex.offsetBefore(timestampMs), (batch) => {
      if (maxTimestampOf(batch.buf, batch.pos) < timestampMs) return null;
      return recordIn(batch, (record) => record.timestamp >= timestampMs && record.offset >= log.startOffset);
    });
    if (found !== null) return found;
  }
  return null;
}

/** KIP-734: the record with the largest timestamp, the first of them. */
export function offsetOfMaxTimestamp(log: Log): FoundOffset | null {
  let best: Segment | null = null;
  for (const segment of log.segments.from(log.startOffset)) {
    if (segment.sizeBytes > 0 && segment.maxTimestampMs > (best?.maxTimestampMs ?? -1)) best = segment;
  }
  if (best === null) return null;
  const largest = best.maxTimestampMs;
  return search(best, best.offsetOfMaxTimestamp, (batch) => {
    if (maxTimestampOf(batch.buf, batch.pos) !== largest) return null;
    return recordIn(batch, (record) => record.timestamp >= largest && record.offset >= log.startOffset);
  });
}

function search(segment: Segment, fromOffset: number, look: (batch: ScannedBatch) => FoundOffset | null): FoundOffset | null {
  let found: FoundOffset | null = null;
  scanSegment(segment.file, { from: segment.searchPosition(fromOffset), to: segment.sizeBytes, checkCrc: true }, (batch) => {
    if (lastOffsetOf(batch.buf, batch.pos) >= fromOffset) found = look(batch);
    return found === null;
  });
  return found;
}

function recordIn(batch: ScannedBatch, wanted: (record: { offset: number; timestamp: number }) => boolean): FoundOffset | null {
  const header = readBatchHeader(batch.buf, batch.pos);
  if (header === null || isControl(attributesOf(batch.buf, batch.pos))) return null;
  for (const record of readRecords(batch.buf, batch.pos, header)) {
    if (wanted(record)) return { offset: record.offset, timestampMs: record.timestamp };
  }
  return null;
}
