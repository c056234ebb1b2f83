/**
 * Cuts a connection's byte stream into requests. A frame inside one socket chunk is a view on it; a larger one is copied once
 * into a buffer of its own. The size is checked before anything is allocated, and beyond ALLOCATION_BYTES_MAX the buffer
 * grows with the bytes that have really come: a hostile size costs the sender what it costs us.
 */
import { ProtocolError } from "../protocol/errors.ts";
import type { BufferPool } from "../base/buffer-pool.ts";

const ALLOCATION_BYTES_MAX = 2 << 20;
/** API key, version, correlation id: no request is shorter. */
const FRAME_BYTES_MIN = 8;

export class FrameAssembler {
  /** May be raised once the peer is known. */
  bytesMax: number;
  readonly #onFrame: (frame: Buffer) => void;
  /** Up to three bytes of a size prefix that is not complete yet. */
  readonly #head = Buffer.alloc(4);
  #headBytes = 0;
  #frame: Buffer | null = null;
  #size = 0;
  #filled = 0;
  #shared = false;
  readonly #buffers: BufferPool;
  constructor(bytesMax: number, buffers: BufferPool, onFrame: (frame: Buffer) => void) {
    this.bytesMax = bytesMax;
    this.#buffers = buffers;
    this.#onFrame = onFrame;
  }
  /** Bytes held for a frame that is not complete. */
  get pendingBytes(): number {
    return this.#frame?.length ?? 0;
  }
  /** Of the chunk pushed last: a frame that was handed on is a view on it. Else all of it was copied. */
  get shared(): boolean {
    return this.#shared;
  }
  /** Throws ProtocolError for a size that cannot be; nothing must be pushed afterwards. */
  push(chunk: Buffer): void {
    let position = 0;
    this.#shared = false;
    while (position < chunk.length) {
      if (this.#frame !== null) {
        position = this.#fill(chunk, position);
      } else if (this.#headBytes === 0 && chunk.length - position >= 4) {
        position = this.#begin(chunk, position + 4, chunk.readInt32BE(position));
      } else {
        const count = Math.min(4 - this.#headBytes, chunk.length - position);
        chunk.copy(this.#head, this.#headBytes, position, position + count);
        this.#headBytes += count;
        position += count;
        if (this.#headBytes < 4) return;
        this.#headBytes = 0;
        position = this.#begin(chunk, position, this.#head.readInt32BE(0));
      }
    }
  }
  #begin(chunk: Buffer, position: number, size: number): number {
    if (size < FRAME_BYTES_MIN || size > this.bytesMax) {
      throw new ProtocolError(`a request of ${size} bytes (allowed: ${FRAME_BYTES_MIN} to ${this.bytesMax})`);
    }
    if (chunk.length - position >= size) {
      this.#shared = true;
      this.#onFrame(chunk.subarray(position, position + size));
      return position + size;
    }
    this.#size = size;
    this.#filled = 0;
    this.#frame = this.#buffers.take(Math.min(size, ALLOCATION_BYTES_MAX));
    return position;
  }
  #fill(chunk: Buffer, from: number): number {
    let frame = this.#frame;
    if (frame === null) return from;
    const count = Math.min(this.#size - this.#filled, chunk.length - from);
    if (this.#filled + count > frame.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(frame.length * 2, this.#filled + count)));
      frame.copy(grown, 0, 0, this.#filled);
      frame = this.#frame = grown;
    }
    chunk.copy(frame, this.#filled, from, from + count);
    this.#filled += count;
    if (this.#filled === this.#size) {
      this.#frame = null;
      this.#onFrame(frame.length === this.#size ? frame : frame.subarray(0, this.#size));
    }
    return from + count;
  }
}
