/**
 * Positions: what is written to the offset store (Debezium's keys, in its order), how reading starts again from it, and
 * what the server may forget.
 *
 * Reading starts again at the end of the last transaction that was complete; the server then sends the transaction that
 * the last record belongs to anew, and its events up to that record are left out. Events are told apart by LSN, and by
 * their number where several have one (COPY writes many rows in one WAL record): `lsn_event` is our own key, there only
 * in that case, and unknown keys do not disturb Debezium.
 */
import type { SourceOffset } from "#connect/api/record";

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

const int = (value: unknown): number | null => (typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : null);

/** Null: no offset, or one without an LSN. */
export function readOffset(offset: SourceOffset | null): StoredPosition | null {
  const lsn = int(offset?.["lsn"]);
  if (offset === null || lsn === null) return null;
  const commitLsn = int(offset["lsn_commit"]);
  if (offset["snapshot"] !== undefined && offset["snapshot"] !== null && offset["lsn_proc"] === undefined) {
    const completed = offset["snapshot_completed"] === true || offset["last_snapshot_record"] === true;
    return { kind: "snapshot", at: { lsn, completed } };
  }
  return { kind: "stream", at: { commitLsn, lsn, eventAtLsn: int(offset["lsn_event"]) ?? 0, txId: int(offset["txId"]) } };
}

export const snapshotOffset = (mode: string, lsn: number, txId: number, micros: number, last: boolean): SourceOffset => ({
  last_snapshot_record: last,
  lsn,
  txId,
  ts_usec: micros,
  snapshot: mode,
  snapshot_completed: last,
});

/** Transactions that were read but may not be durable yet, in commit order. */
interface Checkpoint {
  readonly lsn: number;
  readonly eventAtLsn: number;
  readonly txId: number | null;
  readonly endLsn: number;
  /** The server may forget everything before this once the event is durable. */
  release: number;
}

export class FlushTracker {
  #checkpoints: Checkpoint[] = [];
  #head = 0;
  #flushed: number;
  #lastDurable: { lsn: number; eventAtLsn: number; txId: number | null } | null = null;

  constructor(startLsn: number) {
    this.#flushed = startLsn;
  }
  /** What may be confirmed to the server. Never goes back. */
  get flushed(): number {
    return this.#flushed;
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
