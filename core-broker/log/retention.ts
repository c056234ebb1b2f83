/** retention.ms, retention.bytes and the log start offset: which segments go. Only whole ones, only from the beginning. */
import type { Log } from "./log.ts";
import type { Segment } from "./segment.ts";

export interface RetentionResult {
  readonly segments: number;
  readonly bytes: number;
}

/** `upTo`: the high watermark, beyond which nothing is deleted. */
export function applyRetention(log: Log, nowMs: number, upTo: number): RetentionResult {
  const { config } = log;
  let result = drop(log, upTo, belowStart(log));
  if (!config.delete) return result;
  if (config.retentionMs >= 0) result = sum(result, drop(log, upTo, olderThan(log, nowMs)));
  if (config.retentionBytes >= 0) result = sum(result, drop(log, upTo, overSize(log)));
  return result;
}

type Doomed = (segment: Segment, nextBaseOffset: number) => boolean;
const belowStart =
  (log: Log): Doomed =>
  (_segment, next) =>
    next <= log.startOffset;
function olderThan(log: Log, nowMs: number): Doomed {
  return (segment) => {
    const newest = segment.maxTimestampMs >= 0 ? segment.maxTimestampMs : log.disk.modifiedMs(segment.pathOf(".log"));
    return nowMs - newest > log.config.retentionMs;
  };
}
function overSize(log: Log): Doomed {
  let excess = log.sizeBytes - log.config.retentionBytes;
  return (segment) => {
    if (excess < segment.sizeBytes) return false;
    excess -= segment.sizeBytes;
    return true;
  };
}

function drop(log: Log, upTo: number, doomed: Doomed): RetentionResult {
  const gone = new Set<Segment>();
  let bytes = 0;
  for (const segment of log.segments.all) {
    const next = Math.min(log.segments.nextBaseOffset(segment), log.endOffset);
    if (next > upTo || segment.sizeBytes === 0 || !doomed(segment, next)) break;
    gone.add(segment);
    bytes += segment.sizeBytes;
  }
  if (gone.size > 0) {
    log.dropSegments(gone);
    log.logger.info("segments deleted", { partition: log.name, segments: gone.size, bytes, logStartOffset: log.startOffset });
  }
  return { segments: gone.size, bytes };
}
const sum = (a: RetentionResult, b: RetentionResult): RetentionResult => ({ segments: a.segments + b.segments, bytes: a.bytes + b.bytes });
