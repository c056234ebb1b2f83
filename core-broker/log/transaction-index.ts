/**
 * `.txnindex`: the aborted transactions whose marker lies in the segment, in marker order. Entry: version int16 (0), producer id,
 * first offset, last offset (the marker's), last stable offset after the marker, all int64. The file exists only if needed.
 */
import { readInt64, writeInt64 } from "./batch-fields.ts";
import { IndexEntries } from "./index-entries.ts";
import type { Disk } from "./store/types.ts";

const ENTRY_BYTES = 34;

export interface AbortedEntry {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly lastStableOffset: number;
}

export class TransactionIndex {
  readonly #entries: IndexEntries;
  constructor(disk: Disk, path: string) {
    this.#entries = new IndexEntries(disk, path, ENTRY_BYTES);
  }
  get entries(): IndexEntries {
    return this.#entries;
  }
  append(entry: AbortedEntry): void {
    const at = this.#entries.grow();
    const bytes = this.#entries.bytes;
    bytes.writeInt16BE(0, at);
    writeInt64(bytes, entry.producerId, at + 2);
    writeInt64(bytes, entry.firstOffset, at + 10);
    writeInt64(bytes, entry.lastOffset, at + 18);
    writeInt64(bytes, entry.lastStableOffset, at + 26);
    // Rare and small: written at once.
    this.#entries.persist();
  }
  at(slot: number): AbortedEntry {
    const bytes = this.#entries.bytes;
    const at = slot * ENTRY_BYTES;
    return {
      producerId: readInt64(bytes, at + 2),
      firstOffset: readInt64(bytes, at + 10),
      lastOffset: readInt64(bytes, at + 18),
      lastStableOffset: readInt64(bytes, at + 26),
    };
  }
  get count(): number {
    return this.#entries.count;
  }
  /**
   * Adds the aborted transactions that overlap [from, to). true: nothing after this segment can overlap, the search may stop.
   */
  collect(from: number, to: number, into: AbortedEntry[]): boolean {
    for (let slot = 0; slot < this.count; slot++) {
      const entry = this.at(slot);
      if (entry.lastOffset >= from && entry.firstOffset < to) into.push(entry);
      if (entry.lastStableOffset >= to) return true;
    }
    return false;
  }
  truncateTo(offset: number): void {
    let count = this.count;
    while (count > 0 && this.at(count - 1).lastOffset >= offset) count--;
    if (count < this.count) this.#entries.truncate(count);
  }
}
