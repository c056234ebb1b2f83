/**
 * Cuts a byte stream into PostgreSQL protocol messages (type byte, int32 length, body) without copying: a message is a
 * range of the chunk that it came in. Only a message cut by a chunk's end is copied, once. The consumer pulls, so it can
 * stop in mid-chunk when it is full.
 */
const NOTHING = Buffer.alloc(0);
/** PostgreSQL itself never sends more than 1 GB in one message. */
const MAX_MESSAGE_BYTES = 0x40000000;

export class FrameReader {
  buffer: Buffer = NOTHING;
  #pos = 0;
  #parts: Buffer[] = [];
  #have = 0;
  #need = 0;
  /** Of the message that `next` found: type byte, and where its body starts and ends in `buffer`. */
  type = 0;
  start = 0;
  end = 0;

  /** Only when `next` has returned false. */
  feed(chunk: Buffer): void {
    if (this.#need > 0) {
      this.#parts.push(chunk);
      this.#have += chunk.length;
      if (this.#have < this.#need) return;
      this.buffer = Buffer.concat(this.#parts, this.#have);
      this.#parts = [];
      this.#need = 0;
    } else if (this.#pos === this.buffer.length) this.buffer = chunk;
    else this.buffer = Buffer.concat([this.buffer.subarray(this.#pos), chunk]);
    this.#pos = 0;
  }
  /** False: more bytes are needed. Throws RangeError for a length that no server sends. */
  next(): boolean {
    if (this.#need > 0) return false;
    const buffer = this.buffer,
      pos = this.#pos;
    const left = buffer.length - pos;
    if (left < 5) return false;
    const size = buffer.readInt32BE(pos + 1) + 1;
    if (size < 5 || size > MAX_MESSAGE_BYTES) throw new RangeError(`protocol message of ${size} bytes`);
    if (left < size) {
      // Large values: collect the pieces and join them once, instead of joining anew for each chunk.
      if (size > 65536) {
        this.#parts = [buffer.subarray(pos)];
        this.#have = left;
        this.#need = size;
      }
      return false;
    }
    this.type = buffer[pos] ?? 0;
    this.start = pos + 5;
    this.end = pos + size;
    this.#pos = this.end;
    return true;
  }
}
