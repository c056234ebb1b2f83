/** `.index`: for some batches, (last offset of the batch − base offset as int32, position of the batch as int32), ascending. */
import { IndexEntries } from "./index-entries.ts";
import type { Disk } from "./store/types.ts";

const ENTRY_BYTES = 8;

export class OffsetIndex {
  readonly #entries: IndexEntries;
  readonly #baseOffset: number;
  constructor(disk: Disk, path: string, baseOffset: number) {
    this.#entries = new IndexEntries(disk, path, ENTRY_BYTES);
    this.#baseOffset = baseOffset;
  }
  get entries(): IndexEntries {
    return this.#entries;
  }
  append(offset: number, position: number): void {
    const at = this.#entries.grow();
    this.#entries.bytes.writeInt32BE(offset - this.#baseOffset, at);
    this.#entries.bytes.writeInt32BE(position, at + 4);
    this.#entries.writeBehind();
  }
  isFull(maxBytes: number): boolean {
    return this.#entries.count >= Math.floor(maxBytes / ENTRY_BYTES);
  }
  /** Position of the last indexed batch whose last offset is ≤ offset, 0 if there is none: where a search may begin. */
  positionBefore(offset: number): number {
    const bytes = this.#entries.bytes;
    const slot = this.#slotBefore(offset - this.#baseOffset);
    return slot < 0 ? 0 : bytes.readInt32BE(slot * ENTRY_BYTES + 4);
  }
  /** The last offset of the batch that `positionBefore` points at; −1 where that is the segment's start. */
  promisedAt(offset: number): number {
    const slot = this.#slotBefore(offset - this.#baseOffset);
    return slot < 0 ? -1 : this.#baseOffset + this.#entries.bytes.readInt32BE(slot * ENTRY_BYTES);
  }
  get lastPosition(): number {
    const count = this.#entries.count;
    return count === 0 ? 0 : this.#entries.bytes.readInt32BE((count - 1) * ENTRY_BYTES + 4);
  }
  truncateTo(offset: number): void {
    this.#entries.truncate(this.#slotBefore(offset - this.#baseOffset - 1) + 1);
  }
  /** Last slot whose offset is ≤ relative, −1 if none. */
  #slotBefore(relative: number): number {
    const bytes = this.#entries.bytes;
    let low = -1;
    let high = this.#entries.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (bytes.readInt32BE(middle * ENTRY_BYTES) <= relative) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
