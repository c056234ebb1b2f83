/** `.timeindex`: (largest timestamp so far as int64, offset of its batch − base offset as int32), ascending. */
import { readInt64, writeInt64 } from "./batch-fields.ts";
import { IndexEntries } from "./index-entries.ts";
import type { Disk } from "./store/types.ts";

const ENTRY_BYTES = 12;

export class TimeIndex {
  readonly #entries: IndexEntries;
  readonly #baseOffset: number;
  constructor(disk: Disk, path: string, baseOffset: number) {
    this.#entries = new IndexEntries(disk, path, ENTRY_BYTES);
    this.#baseOffset = baseOffset;
  }
  get entries(): IndexEntries {
    return this.#entries;
  }
  /** Ignored unless both the timestamp and the offset are larger than those of the last entry. */
  append(timestampMs: number, offset: number): void {
    if (this.#entries.count > 0 && (timestampMs <= this.lastTimestampMs || offset <= this.lastOffset)) return;
    const at = this.#entries.grow();
    writeInt64(this.#entries.bytes, timestampMs, at);
    this.#entries.bytes.writeInt32BE(offset - this.#baseOffset, at + 8);
    this.#entries.writeBehind();
  }
  isFull(maxBytes: number): boolean {
    // One slot stays free for the last entry, which is written when the segment is sealed.
    return this.#entries.count >= Math.floor(maxBytes / ENTRY_BYTES) - 1;
  }
  /** −1 without entries. */
  get lastTimestampMs(): number {
    const count = this.#entries.count;
    return count === 0 ? -1 : readInt64(this.#entries.bytes, (count - 1) * ENTRY_BYTES);
  }
  get lastOffset(): number {
    const count = this.#entries.count;
    return count === 0 ? this.#baseOffset : this.#baseOffset + this.#entries.bytes.readInt32BE((count - 1) * ENTRY_BYTES + 8);
  }
  /** No batch before the offset returned has a timestamp ≥ timestampMs. */
  offsetBefore(timestampMs: number): number {
    const bytes = this.#entries.bytes;
    let low = -1;
    let high = this.#entries.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (readInt64(bytes, middle * ENTRY_BYTES) < timestampMs) low = middle;
      else high = middle - 1;
    }
    return low < 0 ? this.#baseOffset : this.#baseOffset + bytes.readInt32BE(low * ENTRY_BYTES + 8);
  }
  truncateTo(offset: number): void {
    let count = this.#entries.count;
    while (count > 0 && this.#entries.bytes.readInt32BE((count - 1) * ENTRY_BYTES + 8) >= offset - this.#baseOffset) count--;
    this.#entries.truncate(count);
  }
}
