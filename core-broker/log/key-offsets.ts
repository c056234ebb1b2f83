/** Compaction's map: key → offset of its last record, bounded in bytes. */
import { createHash } from "node:crypto";

/** What an entry costs beside its key, roughly. */
const ENTRY_BYTES = 64;
/** Longer keys stand as a digest; first character above 0xff, so that none equals a short key. */
const KEY_BYTES_MAX = 32;

export class KeyOffsets {
  readonly #offsets = new Map<string, number>();
  readonly #bytesMax: number;
  #bytes = 0;
  /** Everything up to here, inclusive, is in the map. */
  lastOffset = -1;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }
  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax;
  }
  get size(): number {
    return this.#offsets.size;
  }
  put(key: Buffer, offset: number): void {
    const text = textOf(key);
    const before = this.#offsets.size;
    this.#offsets.set(text, offset);
    if (this.#offsets.size > before) this.#bytes += ENTRY_BYTES + text.length;
  }
  /** −1: unknown. */
  get(key: Buffer): number {
    return this.#offsets.get(textOf(key)) ?? -1;
  }
}
function textOf(key: Buffer): string {
  return key.length <= KEY_BYTES_MAX ? key.toString("latin1") : `\u0100${createHash("sha256").update(key).digest("latin1")}`;
}
