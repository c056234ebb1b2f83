/**
 * A growing output. Large byte fields (record batches) are not copied: they become chunks of their own, and the frame is
 * handed to the socket as a list.
 */
import { ZERO_UUID } from "./schema.ts";

/** Below this a copy is cheaper than one more chunk in a writev. */
const CHUNK_BYTES_MIN = 4096;

export class Writer {
  #buffer: Buffer;
  #start = 0;
  #position = 0;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  constructor(initialBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }
  get length(): number {
    return this.#chunkBytes + this.#position - this.#start;
  }
  #room(count: number): number {
    const at = this.#position;
    if (at + count > this.#buffer.length) this.#grow(count);
    const from = this.#position;
    this.#position = from + count;
    return from;
  }
  #grow(count: number): void {
    const used = this.#position - this.#start;
    const grown = Buffer.allocUnsafe(Math.max(used + count, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, this.#start, this.#position);
    this.#buffer = grown;
    this.#start = 0;
    this.#position = used;
  }
  bool(value: boolean): void {
    const at = this.#room(1);
    this.#buffer[at] = value ? 1 : 0;
  }
  int8(value: number): void {
    const at = this.#room(1);
    this.#buffer[at] = value & 0xff;
  }
  int16(value: number): void {
    const at = this.#room(2);
    this.#buffer.writeInt16BE(value, at);
  }
  uint16(value: number): void {
    const at = this.#room(2);
    this.#buffer.writeUInt16BE(value, at);
  }
  int32(value: number): void {
    const at = this.#room(4);
    this.#buffer.writeInt32BE(value, at);
  }
  uint32(value: number): void {
    const at = this.#room(4);
    this.#buffer.writeUInt32BE(value, at);
  }
  int64(value: number): void {
    const at = this.#room(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#buffer.writeInt32BE(high, at);
    this.#buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
  }
  float64(value: number): void {
    const at = this.#room(8);
    this.#buffer.writeDoubleBE(value, at);
  }
  uvarint(value: number): void {
    const at = this.#room(5);
    let position = at;
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[position++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[position++] = rest;
    this.#position = position;
  }
  uuid(value: string): void {
    const at = this.#room(16);
    if (value === ZERO_UUID) this.#buffer.fill(0, at, at + 16);
    else if (this.#buffer.write(value, at, 16, "base64url") !== 16) throw new TypeError(`not a topic id: ${value}`);
  }
  string(value: string | null, compact: boolean): void {
    if (value === null) {
      if (compact) this.uvarint(0);
      else this.int16(-1);
      return;
    }
    const size = Buffer.byteLength(value);
    if (compact) this.uvarint(size + 1);
    else this.int16(size);
    const at = this.#room(size);
    this.#buffer.write(value, at, size, "utf8");
  }
  bytes(value: Uint8Array | null, compact: boolean): void {
    const size = value === null ? -1 : value.length;
    if (compact) this.uvarint(size + 1);
    else this.int32(size);
    if (value !== null) this.raw(value);
  }
  raw(value: Uint8Array): void {
    if (value.length < CHUNK_BYTES_MIN) {
      const at = this.#room(value.length);
      this.#buffer.set(value, at);
      return;
    }
    this.#cut();
    this.#chunks.push(Buffer.from(value.buffer, value.byteOffset, value.length));
    this.#chunkBytes += value.length;
  }
  #cut(): void {
    const used = this.#position - this.#start;
    if (used === 0) return;
    this.#chunks.push(this.#buffer.subarray(this.#start, this.#position));
    this.#chunkBytes += used;
    this.#start = this.#position;
  }
  /** Everything written, in order. The writer must not be used afterwards. */
  parts(): Buffer[] {
    this.#cut();
    return this.#chunks;
  }
  concat(): Buffer {
    const parts = this.parts();
    const only = parts[0];
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, this.#chunkBytes);
  }
}
