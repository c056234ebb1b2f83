/**
 * Bytes of a socket on their way to what cuts them into messages. A message is a range of the memory that the socket read it
 * into; only what a full chunk cuts off is copied, to the front of the next one. Chunks come back through `reuse` once nobody
 * looks at their messages.
 */
const CHUNK_BYTES = 256 * 1024;
/** A read gets at least this much room, or a new chunk. */
const ROOM_BYTES_MIN = 64 * 1024;
const FREE_CHUNKS_MAX = 32;

export interface MessageLayout {
  /** Bytes of the message that begins at `position`, of which `rest` are there; 0: too few to tell. Bounded, whatever the server sends. */
  messageBytes(b: Buffer, position: number, rest: number): number;
  /** A chunk is full, what follows is read into the next one. The chunks that its messages no longer need. */
  left(chunk: Buffer): readonly Buffer[];
}

export class InputBuffer {
  readonly #layout: MessageLayout;
  readonly #free: Buffer[] = [];
  #left: Buffer[] = [];
  bytes: Buffer = Buffer.alloc(0);
  /** Up to where messages were cut. */
  position = 0;
  /** Where what was read ends. */
  end = 0;

  constructor(layout: MessageLayout) {
    this.#layout = layout;
  }
  /** Memory to read into next; `filled` says how much of it. */
  room(): Buffer {
    if (this.bytes.length - this.end < ROOM_BYTES_MIN) this.#nextChunk(ROOM_BYTES_MIN);
    return this.bytes.subarray(this.end);
  }
  filled(bytes: number): void {
    this.end += bytes;
  }
  /** Bytes that were read into other memory. */
  feed(chunk: Buffer): void {
    if (this.bytes.length - this.end < chunk.length) this.#nextChunk(chunk.length);
    chunk.copy(this.bytes, this.end);
    this.end += chunk.length;
  }
  /** Chunks that were read to their end. Whoever takes them gives them to `reuse` when nobody looks at them, or to nobody. */
  takeLeft(): readonly Buffer[] | null {
    if (this.#left.length === 0) return null;
    const left = this.#left;
    this.#left = [];
    return left;
  }
  reuse(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) if (chunk.length === CHUNK_BYTES && this.#free.length < FREE_CHUNKS_MAX) this.#free.push(chunk);
  }
  #nextChunk(more: number): void {
    const old = this.bytes,
      rest = this.end - this.position;
    // A large message is given all its room at once, so that its parts are copied no more than one time.
    const need = Math.max(rest + more, this.#layout.messageBytes(old, this.position, rest));
    const chunk =
      need > CHUNK_BYTES ? Buffer.allocUnsafeSlow(need + ROOM_BYTES_MIN) : (this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES));
    old.copy(chunk, 0, this.position, this.end);
    this.#left.push(...this.#layout.left(old));
    this.bytes = chunk;
    this.position = 0;
    this.end = rest;
  }
}
