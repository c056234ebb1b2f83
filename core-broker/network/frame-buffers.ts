/**
 * Buffers of large frames, used again: a fresh one costs its page faults and the garbage collector more than the copy into it.
 * Only frames whose handler kept nothing of them come back (Produce: the records are on the disk by then).
 */
const REUSED_BYTES_MIN = 64 << 10;
const REUSED_BYTES_MAX = 2 << 20;

export class FrameBuffers {
  readonly #keptBytesMax: number;
  readonly #free: Buffer[] = [];
  /** What was made here: a frame may also be a view on a socket's chunk, which other frames share. */
  readonly #own = new WeakSet<ArrayBufferLike>();
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
      return free;
    }
    const made = Buffer.allocUnsafeSlow(roundedUp(bytes));
    this.#own.add(made.buffer);
    return made;
  }
  /** Nobody may look at `frame` any more. */
  giveBack(frame: Buffer): void {
    const { byteLength } = frame.buffer;
    if (!this.#own.has(frame.buffer) || this.#keptBytes + byteLength > this.#keptBytesMax) return;
    this.#free.push(Buffer.from(frame.buffer, 0, byteLength));
    this.#keptBytes += byteLength;
  }
}
/** To a multiple of 64 KiB, so that frames of nearly the same size share buffers. */
const roundedUp = (bytes: number): number => Math.min(REUSED_BYTES_MAX, Math.ceil(bytes / REUSED_BYTES_MIN) * REUSED_BYTES_MIN);
