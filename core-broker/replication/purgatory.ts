/**
 * Fetches that wait (long poll): a fetch is answered when minBytes have come together, when a partition fails, or after maxWait.
 * While it waits it costs one subscription per partition and one timer; nothing is read until it may be answered.
 */
import type { Clock } from "../base/clock.ts";
import { KafkaError } from "../protocol/errors.ts";
import type { Partition, ReadOptions, ReadResult } from "./types.ts";

export interface FetchTarget {
  readonly partition: Partition;
  readonly offset: number;
  readonly maxBytes: number;
  /** Absent or −1: not checked. */
  readonly leaderEpoch?: number;
}
export interface FetchTerms {
  readonly minBytes: number;
  /** Over all partitions; the first batch is sent even if it is larger. */
  readonly maxBytes: number;
  readonly maxWaitMs: number;
  readonly isolation: ReadOptions["isolation"];
  /** The connection is gone: answered at once with what is there. */
  readonly signal?: AbortSignal;
}
/** In the order of the targets. */
export type FetchOutcome = ReadResult | KafkaError;

/** Answers without a promise when nothing has to be waited for. */
export function fetchWhenReady(clock: Clock, targets: readonly FetchTarget[], terms: FetchTerms): FetchOutcome[] | Promise<FetchOutcome[]> {
  // Taken before the read, so that nothing appended meanwhile is overlooked.
  const marks = targets.map(({ partition }) => partition.appendedBytes);
  const first = readAll(targets, terms);
  if (first instanceof Promise) return first;
  const bytes = bytesOf(first);
  if (bytes >= terms.minBytes || terms.maxWaitMs <= 0 || targets.length === 0 || terms.signal?.aborted || first.some(isFailure))
    return first;
  return new Promise((resolve) => {
    wait(clock, { targets, terms, marks, bytes }, () => resolve(readAll(targets, terms)));
  });
}

interface Waiting {
  readonly targets: readonly FetchTarget[];
  readonly terms: FetchTerms;
  readonly marks: readonly number[];
  readonly bytes: number;
}
function wait(clock: Clock, waiting: Waiting, answer: () => void): void {
  const { targets, terms } = waiting;
  let done = false;
  let scheduled = false;
  const finish = (): void => {
    if (done) return;
    done = true;
    timer.cancel();
    terms.signal?.removeEventListener("abort", finish);
    for (const unsubscribe of unsubscribes) unsubscribe();
    answer();
  };
  // After the append's own caller went on, and once for many appends.
  const look = (): void => {
    if (scheduled || done) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      if (!done && isReady(waiting)) finish();
    });
  };
  const unsubscribes = targets.map(({ partition }) => partition.subscribe(look));
  const timer = clock.after(terms.maxWaitMs, finish);
  terms.signal?.addEventListener("abort", finish);
}

function isReady({ targets, terms, marks, bytes }: Waiting): boolean {
  let available = bytes;
  for (const [index, { partition, offset, maxBytes }] of targets.entries()) {
    if (offset < partition.logStartOffset || offset > partition.logEndOffset) return true;
    const limit = terms.isolation === "read_committed" ? partition.lastStableOffset : partition.highWatermark;
    if (limit > offset) available += Math.min(partition.appendedBytes - (marks[index] ?? 0), maxBytes);
  }
  return available >= terms.minBytes;
}

const isFailure = (outcome: FetchOutcome): outcome is KafkaError => outcome instanceof KafkaError;
function bytesOf(outcomes: readonly FetchOutcome[]): number {
  let sum = 0;
  for (const outcome of outcomes) if (!isFailure(outcome)) sum += outcome.records.length;
  return sum;
}

/** KIP-74: batches until maxBytes is used up; the very first one whatever its size. */
function readAll(targets: readonly FetchTarget[], terms: FetchTerms): FetchOutcome[] | Promise<FetchOutcome[]> {
  if (targets.some(({ partition, offset, maxBytes }) => partition.isCold(offset, Math.min(maxBytes, terms.maxBytes)))) {
    return readAllAsync(targets, terms);
  }
  let left = terms.maxBytes;
  let empty = true;
  return targets.map((target) => {
    try {
      const result = target.partition.read(readOptions(target, terms, left, empty));
      left -= result.records.length;
      if (result.records.length > 0) empty = false;
      return result;
    } catch (error) {
      return failure(error);
    }
  });
}
async function readAllAsync(targets: readonly FetchTarget[], terms: FetchTerms): Promise<FetchOutcome[]> {
  let left = terms.maxBytes;
  let empty = true;
  const outcomes: FetchOutcome[] = [];
  for (const target of targets) {
    const { partition, offset, maxBytes } = target;
    const options = readOptions(target, terms, left, empty);
    try {
      const result = partition.isCold(offset, Math.min(maxBytes, left)) ? await partition.readAsync(options) : partition.read(options);
      left -= result.records.length;
      if (result.records.length > 0) empty = false;
      outcomes.push(result);
    } catch (error) {
      outcomes.push(failure(error));
    }
  }
  return outcomes;
}
function readOptions(target: FetchTarget, terms: FetchTerms, left: number, empty: boolean): ReadOptions {
  return {
    offset: target.offset,
    maxBytes: Math.max(0, Math.min(target.maxBytes, left)),
    minOneMessage: empty,
    isolation: terms.isolation,
    leaderEpoch: target.leaderEpoch ?? -1,
  };
}
function failure(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  throw error;
}
