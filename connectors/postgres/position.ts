/**
 * Positions: what is written to the offset store (Debezium's keys, in its order), how reading starts again from it, and
 * what the server may forget.
 *
 * Reading starts again at the end of the last transaction that was complete; the server then sends the transaction that
 * the last record belongs to anew, and its events up to that record are left out. Events are told apart by LSN, and by
 * their number where several have one (COPY writes many rows in one WAL record): `lsn_event` is our own key, there only
 * in that case, and unknown keys do not disturb Debezium.
 */
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import { integerField } from "../cdc/offset-fields.ts";

export interface StreamPosition {
  /** End of the last complete transaction before this event. */
  readonly commitLsn: number | null;
  readonly lsn: number;
  readonly eventAtLsn: number;
  readonly txId: number | null;
}
export interface SnapshotPosition {
  readonly lsn: number;
  readonly completed: boolean;
}
export type StoredPosition =
  | { readonly kind: "stream"; readonly at: StreamPosition }
  | { readonly kind: "snapshot"; readonly at: SnapshotPosition };

/** Null: no offset, or one without an LSN. */
export function readOffset(offset: SourceOffset | null): StoredPosition | null {
  const lsn = integerField(offset?.["lsn"]);
  if (offset === null || lsn === null) return null;
  const commitLsn = integerField(offset["lsn_commit"]);
  if (offset["snapshot"] !== undefined && offset["snapshot"] !== null && offset["lsn_proc"] === undefined) {
    const completed = offset["snapshot_completed"] === true || offset["last_snapshot_record"] === true;
    return { kind: "snapshot", at: { lsn, completed } };
  }
  // Streaming had begun, but nothing had come yet: what heartbeats carry then.
  if (commitLsn === null && offset["lsn_proc"] === undefined && offset["messageType"] === undefined)
    return { kind: "snapshot", at: { lsn, completed: true } };
  return { kind: "stream", at: { commitLsn, lsn, eventAtLsn: integerField(offset["lsn_event"]) ?? 0, txId: integerField(offset["txId"]) } };
}

export const snapshotOffset = (mode: string, lsn: number, txId: number, micros: number, last: boolean): SourceOffset => ({
  last_snapshot_record: last,
  lsn,
  txId,
  ts_usec: micros,
  snapshot: mode,
  snapshot_completed: last,
});

const SNAPSHOT_KEYS = new Set(["last_snapshot_record", "snapshot", "snapshot_completed"]);
/** What records carry from the beginning of streaming until the first change: no trace of the snapshot before it. */
export const streamingOffset = (offset: SourceOffset): SourceOffset =>
  Object.fromEntries(Object.entries(offset).filter(([key]) => !SNAPSHOT_KEYS.has(key)));

/** Reading can start again before this. */
export const reach = (at: { readonly lsn: number; readonly commitLsn?: number | null }): number => Math.max(at.lsn, at.commitLsn ?? 0);

/** The same offset, further on where there was nothing to capture: as the record of a heartbeat would carry it. */
export function progressOffset(offset: SourceOffset, lsn: number): SourceOffset {
  const moved: Record<string, OffsetValue> = {};
  for (const [key, value] of Object.entries(offset)) {
    if (key === "lsn_event") continue;
    moved[key] = key === "lsn" || key === "lsn_proc" || key === "lsn_commit" ? lsn : value;
  }
  return moved;
}

export const FROM_SLOT: StreamPosition = { commitLsn: null, lsn: 0, eventAtLsn: 0, txId: null };
/** Null: nothing is stored, or a snapshot that is not complete. */
export const durablePosition = (stored: StoredPosition | null): StreamPosition | null =>
  stored === null ? null : stored.kind === "stream" ? stored.at : stored.at.completed ? { ...FROM_SLOT, lsn: stored.at.lsn } : null;

/** Transactions that were read but may not be durable yet, in commit order. */
interface Checkpoint {
  readonly lsn: number;
  readonly eventAtLsn: number;
  readonly txId: number | null;
  readonly endLsn: number;
  /** The server may forget everything before this once the event is durable. */
  release: number;
}

/** Offsets are stored once a minute, and a server has time for millions of transactions between two of them. */
const CHECKPOINTS_MAX = 4096;

export class FlushTracker {
  #checkpoints: Checkpoint[] = [];
  #head = 0;
  #flushed: number;
  #lastDurable: { lsn: number; eventAtLsn: number; txId: number | null } | null;
  /** As far as the stored offset reaches; null: none is stored. */
  #stored: number | null;
  readonly #bounded: boolean;

  /** `bounded`: there is a store, and the slot must not pass what it holds. `stored`: that, null for nothing. */
  constructor(startLsn: number, bounded = false, stored: StreamPosition | null = null) {
    this.#flushed = startLsn;
    this.#bounded = bounded;
    this.#lastDurable = stored;
    this.#stored = stored === null ? null : reach(stored);
  }
  /** Nothing before this is needed any more. Never goes back. */
  get flushed(): number {
    return this.#flushed;
  }
  /**
   * What is confirmed to the server: as `flushed`, but never beyond the stored offset. A slot that is ahead of the offset was
   * moved, or made anew, by somebody else.
   */
  get confirmed(): number {
    return this.#bounded && this.#stored !== null ? Math.min(this.#flushed, this.#stored) : this.#flushed;
  }
  /** Streaming begins. Where no record was sent, there is no offset to wait for. */
  streams(): void {
    if (this.#lastDurable !== null || !this.idle) return;
    this.#lastDurable = { lsn: this.#flushed, eventAtLsn: 0, txId: null };
    this.#stored = this.#flushed;
  }
  /** `at` is of the last record there is: an offset at the answer may be stored in its place. Null: not now, or nothing gained. */
  progressFrom(at: StreamPosition): number | null {
    const durable = this.#lastDurable;
    if (this.#stored === null || durable === null || !this.idle || this.#flushed <= this.#stored) return null;
    const streamed = at.lsn !== 0;
    const last = streamed
      ? durable.lsn === at.lsn && durable.eventAtLsn === at.eventAtLsn && durable.txId === at.txId
      : durable.txId === null && durable.eventAtLsn === 0;
    return last ? this.#flushed : null;
  }
  /** The offset that `progressFrom` allowed is stored. */
  progressed(at: StreamPosition): void {
    this.#lastDurable = at;
    this.#stored = reach(at);
  }
  get idle(): boolean {
    return this.#head === this.#checkpoints.length;
  }
  /** A transaction ended at `endLsn`; the position is that of its last record. */
  committed(lsn: number, eventAtLsn: number, txId: number | null, endLsn: number): void {
    const durable = this.#lastDurable;
    if (durable !== null && durable.lsn === lsn && durable.txId === txId && durable.eventAtLsn >= eventAtLsn && this.idle) {
      this.#release(endLsn);
      return;
    }
    this.#checkpoints.push({ lsn, eventAtLsn, txId, endLsn, release: endLsn });
    if (this.#checkpoints.length - this.#head > CHECKPOINTS_MAX) this.#thin();
  }
  /** Of what is left every second one is enough, the last among them: the others only say the same a little earlier. */
  #thin(): void {
    const kept = this.#checkpoints.slice(this.#head);
    this.#checkpoints = kept.filter((_, i) => (kept.length - 1 - i) % 2 === 0);
    this.#head = 0;
  }
  /** Nothing of ours lies between what was read and `lsn` (a keep-alive, or a transaction without captured changes). */
  skipped(lsn: number): void {
    const last = this.#checkpoints[this.#checkpoints.length - 1];
    if (this.idle || last === undefined) this.#release(lsn);
    else if (lsn > last.release) last.release = lsn;
  }
  /** Everything up to this record is durable, offsets included. */
  durable(at: StreamPosition): void {
    this.#lastDurable = at;
    this.#stored = Math.max(this.#stored ?? 0, reach(at));
    // Transactions that ended before the one of this record began are complete.
    if (at.commitLsn !== null) this.#release(at.commitLsn);
    const reached = this.#checkpoints.findIndex(
      (c, i) => i >= this.#head && c.lsn === at.lsn && c.txId === at.txId && c.eventAtLsn <= at.eventAtLsn,
    );
    let keep = reached + 1;
    if (reached < 0)
      for (keep = this.#head; keep < this.#checkpoints.length && at.commitLsn !== null; keep++)
        if ((this.#checkpoints[keep]?.endLsn ?? 0) > at.commitLsn) break;
    for (; this.#head < keep; this.#head++) this.#release(this.#checkpoints[this.#head]?.release ?? 0);
    if (this.#head > 1024 && this.#head * 2 > this.#checkpoints.length) {
      this.#checkpoints = this.#checkpoints.slice(this.#head);
      this.#head = 0;
    }
  }
  #release(lsn: number): void {
    if (lsn > this.#flushed) this.#flushed = lsn;
  }
}
