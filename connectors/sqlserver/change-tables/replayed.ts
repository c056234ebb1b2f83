/**
 * What a restart reads again: rows up to the stored position were delivered, the others follow. `event_serial_no` counts the rows
 * of one position (an update has two).
 */
import type { Lsn } from "./lsn.ts";

export interface RowPosition {
  readonly commit: Lsn;
  readonly change: Lsn;
  /** Of its last row, from 1. */
  readonly serial: number;
}

export class Replay {
  readonly #stored: RowPosition | null;
  #commit: Lsn = "";
  #change: Lsn = "";
  #serial = 0;
  #inOrder = true;

  /** Null: nothing was delivered. */
  constructor(stored: RowPosition | null) {
    this.#stored = stored;
  }
  /** Counts `rows` rows of one event; its serial number. */
  count(commit: Lsn, change: Lsn, rows: 1 | 2): number {
    if (commit !== this.#commit) this.#inOrder = true;
    // In the order of commands changes may go back: then the position says nothing until the transaction ends.
    else if (change < this.#change) this.#inOrder = false;
    if (commit !== this.#commit || change !== this.#change) this.#serial = 0;
    this.#commit = commit;
    this.#change = change;
    this.#serial += rows;
    return this.#serial;
  }
  /** The event that was counted last was delivered before. */
  get delivered(): boolean {
    const stored = this.#stored;
    if (stored === null || !this.#inOrder) return false;
    if (this.#commit !== stored.commit) return this.#commit < stored.commit;
    if (this.#change !== stored.change) return this.#change < stored.change;
    return this.#serial <= stored.serial;
  }
}
