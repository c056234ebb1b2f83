/** Where the stream stands in the log, which of its events an earlier run handed on, and the offset that says so. */
import type { OffsetValue, SourceOffset } from "#connect/api/record";
import { inHashMapOrder } from "../cdc/java-hash.ts";
import type { StreamPosition } from "./position.ts";

/** Keys of an offset beside the position's own. */
type MoreKeys = Readonly<Record<string, OffsetValue>> | null;

export class LogTracker {
  /** WAL position of the last message of any kind. */
  wal = 0;
  /** WAL position of the event that is being read. */
  lsn = 0;
  /** Its number among those of one position. */
  eventAtLsn = 0;
  /** End of the last transaction. */
  lastCommit: number | null;
  /** Inside the transaction of the last record of the run before. */
  skipping = false;
  #processed = 0;
  #skipTo: StreamPosition | null;
  /** Of the last record that was written; an object of its own for each event would be one too many. */
  positionLsn: number;
  positionEvent: number;
  positionTxId: number | null;
  #positionCommit: number | null;

  constructor(from: StreamPosition) {
    this.lastCommit = from.commitLsn;
    this.#skipTo = from.lsn === 0 ? null : from;
    this.#positionCommit = from.commitLsn;
    this.positionLsn = from.lsn;
    this.positionEvent = from.eventAtLsn;
    this.positionTxId = from.txId;
  }
  /** Of the last record that was written. */
  get position(): StreamPosition {
    return { commitLsn: this.#positionCommit, lsn: this.positionLsn, eventAtLsn: this.positionEvent, txId: this.positionTxId };
  }
  /** A transaction begins. */
  began(xid: number): void {
    this.lsn = 0;
    this.eventAtLsn = 0;
    this.skipping = this.#skipTo !== null && this.#skipTo.txId === xid;
    // Transactions come in the order of their commits, so it is the first one or none.
    if (!this.skipping && this.lastCommit !== null) this.#skipTo = null;
  }
  committed(endLsn: number): void {
    if (this.skipping) this.#skipTo = null;
    this.skipping = false;
    this.lastCommit = endLsn;
    this.#processed = endLsn;
  }
  /** The message that was read holds an event. */
  counted(): void {
    if (this.wal === this.lsn) this.eventAtLsn++;
    else {
      this.lsn = this.wal;
      this.eventAtLsn = 0;
    }
  }
  /** Whether an earlier run handed on the event that is being read. */
  get delivered(): boolean {
    const to = this.#skipTo;
    if (!this.skipping || to === null) return false;
    if (this.lsn < to.lsn || (this.lsn === to.lsn && this.eventAtLsn <= to.eventAtLsn)) return true;
    this.skipping = false;
    this.#skipTo = null;
    return false;
  }
  /** The same of a message that belongs to no transaction. */
  get deliveredOutside(): boolean {
    return this.#skipTo !== null && this.wal <= this.#skipTo.lsn;
  }
  /** The event that is being read gets a record. */
  handedOn(txId: number | null): void {
    this.#processed = this.lsn;
    this.movedTo(this.lsn, this.eventAtLsn, txId);
  }
  movedTo(lsn: number, eventAtLsn: number, txId: number | null): void {
    this.#positionCommit = this.lastCommit;
    this.positionLsn = lsn;
    this.positionEvent = eventAtLsn;
    this.positionTxId = txId;
  }
  /** The stored offset was moved on while there was nothing to capture: what comes now goes on from there. */
  progressed(lsn: number): void {
    this.lastCommit = lsn;
    this.#positionCommit = lsn;
    this.positionLsn = lsn;
    this.positionEvent = 0;
  }
  /** Of the position that was moved to. `micros`: of the commit. */
  offset(operation: string, micros: number, transaction: MoreKeys, incremental: MoreKeys): SourceOffset {
    const commit = this.lastCommit,
      lsn_proc = this.#processed,
      lsn = this.positionLsn,
      lsn_event = this.positionEvent,
      txId = this.positionTxId;
    // The order that sorting below would give, for what nearly every event has.
    if (incremental === null && commit !== null && transaction === null && txId !== null)
      return lsn_event === 0
        ? { lsn_proc, messageType: operation, lsn_commit: commit, lsn, txId, ts_usec: micros }
        : { lsn_proc, messageType: operation, lsn_event, lsn_commit: commit, lsn, txId, ts_usec: micros };
    const entries: [string, OffsetValue][] = [
      ["lsn_proc", lsn_proc],
      ["messageType", operation],
      ["lsn", lsn],
      ["ts_usec", micros],
    ];
    if (commit !== null) entries.push(["lsn_commit", commit]);
    if (lsn_event !== 0) entries.push(["lsn_event", lsn_event]);
    if (txId !== null) entries.push(["txId", txId]);
    if (transaction !== null) entries.push(...Object.entries(transaction));
    if (incremental !== null) entries.push(...Object.entries(incremental));
    return Object.fromEntries(inHashMapOrder(entries));
  }
}
