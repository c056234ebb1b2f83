/**
 * Large buffers, used again: a fresh one costs its page faults and the garbage collector more than the copy into it. Whoever is
 * the last to look at one may give it back; one that is not given back is collected as any other.
 */
const REUSED_BYTES_MIN = 64 << 10;
const REUSED_BYTES_MAX = 2 << 20;

export class BufferPool {
  readonly #keptBytesMax: number;
  readonly #free: Buffer[] = [];
  /** What is out: a buffer that comes may also be a view on something else, or come twice. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #keptBytes = 0;
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }
  /** At least `bytes` long. */
  take(bytes: number): Buffer {
    if (bytes < REUSED_BYTES_MIN || bytes > REUSED_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    for (let at = this.#free.length - 1; at >= 0; at--) {
      const free = this.#free[at];
      if (free === undefined || free.length < bytes || free.length > bytes * 4) continue;
      this.#free.splice(at, 1);
      this.#keptBytes -= free.length;
      this.#lent.add(free.buffer);
      return free;
    }
    const made = Buffer.allocUnsafeSlow(roundedUp(bytes));
    this.#lent.add(made.buffer);
    return made;
  }
  /** A buffer that was taken here, or a view on it, at which nobody may look any more; any other is left alone. */
  giveBack(view: Buffer): void {
    const { byteLength } = view.buffer;
    if (!this.#lent.delete(view.buffer) || this.#keptBytes + byteLength > this.#keptBytesMax) return;
    this.#free.push(Buffer.from(view.buffer, 0, byteLength));
    this.#keptBytes += byteLength;
  }
}
/** To a multiple of 64 KiB, so that frames of nearly the same size share buffers. */
const roundedUp = (bytes: number): number => Math.min(REUSED_BYTES_MAX, Math.ceil(bytes / REUSED_BYTES_MIN) * REUSED_BYTES_MIN);
