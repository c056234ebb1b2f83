/**
 * Cuts a byte stream into PostgreSQL protocol messages (type byte, int32 length, body). A message is a range of the memory
 * that the socket read it into; only what a full chunk cuts off is copied, to the front of the next one. The consumer pulls,
 * so it can stop in mid-chunk when it is full. Chunks come back through `reuse` once nobody looks at their messages.
 */
const CHUNK_BYTES = 256 * 1024;
/** A read gets at least this much room, or a new chunk. */
const ROOM_BYTES_MIN = 64 * 1024;
const FREE_CHUNKS_MAX = 32;
/** PostgreSQL itself never sends more than 1 GB in one message. */
const MESSAGE_BYTES_MAX = 0x40000000;
const COPY_DATA = 0x64;

export class FrameReader {
  buffer: Buffer = Buffer.alloc(0);
  #pos = 0;
  /** Where what was read ends. */
  #end = 0;
  /** Of the message that `next` found: type byte, and where its body starts and ends in `buffer`. */
  type = 0;
  start = 0;
  end = 0;
  #hasData = false;
  readonly #free: Buffer[] = [];
  /** Chunks that were left since data was last seen. */
  #resting: Buffer[] = [];
  #left: Buffer[] = [];

  /** Memory to read into next; `filled` says how much of it. */
  room(): Buffer {
    if (this.buffer.length - this.#end < ROOM_BYTES_MIN) this.#nextChunk(ROOM_BYTES_MIN);
    return this.buffer.subarray(this.#end);
  }
  filled(bytes: number): void {
    this.#end += bytes;
  }
  /** Bytes that were read into other memory. */
  feed(chunk: Buffer): void {
    if (this.buffer.length - this.#end < chunk.length) this.#nextChunk(chunk.length);
    chunk.copy(this.buffer, this.#end);
    this.#end += chunk.length;
  }
  /** False: more bytes are needed. Throws RangeError for a length that no server sends. */
  next(): boolean {
    const pos = this.#pos;
    const left = this.#end - pos;
    if (left < 5) return false;
    const buffer = this.buffer;
    const size = buffer.readInt32BE(pos + 1) + 1;
    if (size < 5 || size > MESSAGE_BYTES_MAX) throw new RangeError(`protocol message of ${size} bytes`);
    if (left < size) return false;
    this.type = buffer[pos] ?? 0;
    if (this.type === COPY_DATA) this.#hasData = true;
    this.start = pos + 5;
    this.end = pos + size;
    this.#pos = this.end;
    return true;
  }
  /**
   * Chunks whose data messages are older than the newest one seen: who keeps one row back while the next comes has let go of
   * them. Whoever takes them gives them to `reuse`, or to nobody.
   */
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
    const old = this.buffer,
      rest = this.#end - this.#pos;
    let need = rest + more;
    // A large message is given all its room at once, so that its parts are copied no more than one time.
    if (rest >= 5) need = Math.max(need, Math.min(old.readInt32BE(this.#pos + 1) + 1, MESSAGE_BYTES_MAX));
    const chunk =
      need > CHUNK_BYTES ? Buffer.allocUnsafeSlow(need + ROOM_BYTES_MIN) : (this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES));
    old.copy(chunk, 0, this.#pos, this.#end);
    if (this.#hasData) {
      this.#left.push(...this.#resting);
      this.#resting = [];
    }
    this.#resting.push(old);
    this.#hasData = false;
    this.buffer = chunk;
    this.#pos = 0;
    this.#end = rest;
  }
}
