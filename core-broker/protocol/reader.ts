/** A bounds-checked cursor over a frame. Never allocates by a length it has not checked against what is left. */
import { ProtocolError } from "./errors.ts";
import { ZERO_UUID } from "./schema.ts";

const MAX_SAFE_HIGH = 0x1fffff;

export class Reader {
  readonly buffer: Buffer;
  position: number;
  readonly end: number;
  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }
  get remaining(): number {
    return this.end - this.position;
  }
  /** Moves over `count` bytes and returns where they begin. */
  take(count: number): number {
    const at = this.position;
    const next = at + count;
    if (count < 0 || next > this.end) throw new ProtocolError(`${count} bytes wanted at ${at}, ${this.end - at} left`);
    this.position = next;
    return at;
  }
  bool(): boolean {
    return this.buffer[this.take(1)] !== 0;
  }
  int8(): number {
    return this.buffer.readInt8(this.take(1));
  }
  int16(): number {
    return this.buffer.readInt16BE(this.take(2));
  }
  uint16(): number {
    return this.buffer.readUInt16BE(this.take(2));
  }
  int32(): number {
    return this.buffer.readInt32BE(this.take(4));
  }
  uint32(): number {
    return this.buffer.readUInt32BE(this.take(4));
  }
  /** Saturates at ±(2^53-1), see schema.ts. */
  int64(): number {
    const at = this.take(8);
    const high = this.buffer.readInt32BE(at);
    const low = this.buffer.readUInt32BE(at + 4);
    if (high > MAX_SAFE_HIGH) return Number.MAX_SAFE_INTEGER;
    if (high < -MAX_SAFE_HIGH - 1 || (high === -MAX_SAFE_HIGH - 1 && low === 0)) return Number.MIN_SAFE_INTEGER;
    return high * 0x1_0000_0000 + low;
  }
  float64(): number {
    return this.buffer.readDoubleBE(this.take(8));
  }
  uvarint(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)] ?? 0;
      // Multiplication, not <<: the fifth byte would turn the sign.
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (result > 0xffffffff) break;
        return result;
      }
    }
    throw new ProtocolError("varint longer than 32 bits");
  }
  uuid(): string {
    const at = this.take(16);
    const text = this.buffer.toString("base64url", at, at + 16);
    return text === ZERO_UUID ? ZERO_UUID : text;
  }
  text(length: number): string {
    const at = this.take(length);
    return this.buffer.toString("utf8", at, at + length);
  }
  /** A view, not a copy. */
  view(length: number): Buffer {
    const at = this.take(length);
    return this.buffer.subarray(at, at + length);
  }
  /** Length of a string: -1 for null. */
  stringLength(compact: boolean): number {
    return compact ? this.uvarint() - 1 : this.int16();
  }
  /** Length of bytes or an array: -1 for null. */
  length(compact: boolean): number {
    return compact ? this.uvarint() - 1 : this.int32();
  }
  /** Element count of an array: every element takes a byte at least, so more than is left is a lie. */
  count(compact: boolean): number {
    const n = this.length(compact);
    if (n > this.end - this.position) throw new ProtocolError(`array of ${n} elements in ${this.end - this.position} bytes`);
    if (n < -1) throw new ProtocolError(`array of ${n} elements`);
    return n;
  }
  /** Tagged fields that nobody asks for. */
  skipTags(): void {
    for (let n = this.uvarint(); n > 0; n--) {
      this.uvarint();
      this.take(this.uvarint());
    }
  }
  fail(field: string): never {
    throw new ProtocolError(`${field} must not be null`);
  }
}
