/**
 * Cuts a byte stream into packets of MySQL's protocol (3 bytes length, sequence number, payload). A packet is a range of the
 * memory that the socket read it into; what a full chunk cuts off is copied to the front of the next one. Payloads of 16 MB and
 * more come in several packets and are put together. The consumer pulls, so it can stop in mid-chunk when it is full.
 */
import { uint24, uint32 } from "./bytes.ts";
import { BinlogError } from "./failures.ts";

const CHUNK_BYTES = 256 * 1024;
/** A read gets at least this much room, or a new chunk. */
const ROOM_BYTES_MIN = 64 * 1024;
const FREE_CHUNKS_MAX = 32;
const HEADER_BYTES = 4;
/** A packet of this size is continued by the next one. */
const PACKET_BYTES_MAX = 0xffffff;
/** max_allowed_packet's own limit, and the header that the log adds. */
const PAYLOAD_BYTES_MAX = 0x40000000 + 1024 * 1024;

export class PacketReader {
  buffer: Buffer = Buffer.alloc(0);
  /** Where the payload that `next` found is in `bytes`. */
  bytes: Buffer = this.buffer;
  start = 0;
  end = 0;
  #pos = 0;
  /** Where what was read ends. */
  #end = 0;
  #large: Buffer | null = null;
  #largeBytes = 0;
  readonly #free: Buffer[] = [];
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
  /** False: more bytes are needed. Throws BinlogError for a payload that no server sends. */
  next(): boolean {
    for (;;) {
      const pos = this.#pos;
      const left = this.#end - pos;
      if (left < HEADER_BYTES) return false;
      const size = uint24(this.buffer, pos);
      if (left < HEADER_BYTES + size) return false;
      const from = pos + HEADER_BYTES;
      this.#pos = from + size;
      if (size < PACKET_BYTES_MAX && this.#large === null) {
        this.bytes = this.buffer;
        this.start = from;
        this.end = this.#pos;
        return true;
      }
      this.#collect(from, size);
      if (size === PACKET_BYTES_MAX) continue;
      this.bytes = this.#large ?? this.buffer;
      this.start = 0;
      this.end = this.#largeBytes;
      this.#large = null;
      this.#largeBytes = 0;
      return true;
    }
  }
  #collect(from: number, size: number): void {
    const need = this.#largeBytes + size;
    if (need > PAYLOAD_BYTES_MAX) throw new BinlogError("too-large", `A packet has more than ${PAYLOAD_BYTES_MAX} bytes`);
    if (this.#large === null || this.#large.length < need) {
      // An event says its length in its header, after the packet's status byte: with luck all the room is made at once.
      const told = this.#largeBytes === 0 && size > 20 ? uint32(this.buffer, from + 10) + 1 : 0;
      const room = told >= need && told <= PAYLOAD_BYTES_MAX ? told : Math.min(need * 2, PAYLOAD_BYTES_MAX);
      const grown = Buffer.allocUnsafeSlow(room);
      this.#large?.copy(grown, 0, 0, this.#largeBytes);
      this.#large = grown;
    }
    this.buffer.copy(this.#large, this.#largeBytes, from, from + size);
    this.#largeBytes = need;
  }
  /** Chunks that are full and read to their end. Whoever takes them gives them to `reuse` when nobody looks at them, or to nobody. */
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
    // A large packet is given all its room at once, so that its parts are copied no more than one time.
    if (rest >= HEADER_BYTES) need = Math.max(need, uint24(old, this.#pos) + HEADER_BYTES);
    const chunk =
      need > CHUNK_BYTES ? Buffer.allocUnsafeSlow(need + ROOM_BYTES_MIN) : (this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES));
    old.copy(chunk, 0, this.#pos, this.#end);
    if (old.length > 0) this.#left.push(old);
    this.buffer = chunk;
    this.#pos = 0;
    this.#end = rest;
  }
}
