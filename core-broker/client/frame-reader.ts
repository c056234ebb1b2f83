/** Cuts a byte stream into frames with a 4-byte size prefix. A frame that spans chunks is assembled in one exact buffer. */
import { ProtocolError } from "../protocol/errors.ts";

const EMPTY = Buffer.alloc(0);

export class FrameReader {
  readonly #bytesMax: number;
  readonly #onFrame: (frame: Buffer) => void;
  /** A size prefix that is not complete yet. */
  #head: Buffer = EMPTY;
  #frame: Buffer | null = null;
  #filled = 0;
  constructor(bytesMax: number, onFrame: (frame: Buffer) => void) {
    this.#bytesMax = bytesMax;
    this.#onFrame = onFrame;
  }
  /** Throws ProtocolError for a size that cannot be; the connection must be closed then. */
  push(chunk: Buffer): void {
    let position = this.#frame === null ? 0 : this.#fill(chunk, 0);
    let data = chunk;
    if (this.#head.length > 0) {
      data = Buffer.concat([this.#head, chunk]);
      this.#head = EMPTY;
    }
    while (this.#frame === null && data.length - position >= 4) {
      const size = data.readInt32BE(position);
      if (size < 4 || size > this.#bytesMax) throw new ProtocolError(`response of ${size} bytes (limit ${this.#bytesMax})`);
      position += 4;
      if (data.length - position >= size) {
        const frame = data.subarray(position, position + size);
        position += size;
        this.#onFrame(frame);
      } else {
        this.#frame = Buffer.allocUnsafeSlow(size);
        this.#filled = 0;
        position = this.#fill(data, position);
      }
    }
    if (this.#frame === null && position < data.length) this.#head = Buffer.from(data.subarray(position));
  }
  #fill(data: Buffer, from: number): number {
    const frame = this.#frame;
    if (frame === null) return from;
    const count = Math.min(frame.length - this.#filled, data.length - from);
    data.copy(frame, this.#filled, from, from + count);
    this.#filled += count;
    if (this.#filled === frame.length) {
      this.#frame = null;
      this.#onFrame(frame);
    }
    return from + count;
  }
}
