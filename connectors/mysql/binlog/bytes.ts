/** Little-endian integers of the binary log, and a cursor that never reads past its end. */
import { truncated } from "./failures.ts";

export const uint16 = (b: Uint8Array, p: number): number => (b[p] as number) | ((b[p + 1] as number) << 8);
export const uint24 = (b: Uint8Array, p: number): number => (b[p] as number) | ((b[p + 1] as number) << 8) | ((b[p + 2] as number) << 16);
export const int32 = (b: Uint8Array, p: number): number => uint24(b, p) | ((b[p + 3] as number) << 24);
export const uint32 = (b: Uint8Array, p: number): number => int32(b, p) >>> 0;
export const uint48 = (b: Uint8Array, p: number): number => uint32(b, p) + uint16(b, p + 4) * 4294967296;
export const uint64 = (b: Uint8Array, p: number): bigint => (BigInt(uint32(b, p + 4)) << 32n) | BigInt(uint32(b, p));
/** Big-endian, up to 6 bytes. */
export function bigEndian(b: Uint8Array, p: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (b[p + i] as number);
  return value;
}

/** `what` names the part in errors. */
export class ByteCursor {
  readonly b: Buffer;
  readonly end: number;
  p: number;
  readonly #what: string;
  constructor(b: Buffer, p: number, end: number, what: string) {
    this.b = b;
    this.p = p;
    this.end = end;
    this.#what = what;
    if (p > end || end > b.length) throw truncated(what);
  }
  get left(): number {
    return this.end - this.p;
  }
  /** Moves over `size` bytes and returns where they start. */
  skip(size: number): number {
    const at = this.p;
    if (size < 0 || size > this.end - at) throw truncated(this.#what);
    this.p = at + size;
    return at;
  }
  u8(): number {
    return this.b[this.skip(1)] as number;
  }
  u16(): number {
    return uint16(this.b, this.skip(2));
  }
  u24(): number {
    return uint24(this.b, this.skip(3));
  }
  u32(): number {
    return uint32(this.b, this.skip(4));
  }
  u48(): number {
    return uint48(this.b, this.skip(6));
  }
  /** Microseconds in 7 bytes: exact up to the year 2255. */
  u56(): number {
    const at = this.skip(7);
    return uint32(this.b, at) + uint24(this.b, at + 4) * 4294967296;
  }
  u64(): bigint {
    return uint64(this.b, this.skip(8));
  }
  i64(): bigint {
    return BigInt.asIntN(64, this.u64());
  }
  /** Length-encoded integer of the protocol; lengths, so a double is exact. */
  packed(): number {
    const first = this.u8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.u16();
    if (first === 0xfd) return this.u24();
    if (first === 0xfe) return Number(this.u64());
    throw truncated(this.#what);
  }
  bytes(size: number): Buffer {
    const at = this.skip(size);
    return this.b.subarray(at, at + size);
  }
  text(size: number): string {
    const at = this.skip(size);
    return this.b.toString("utf8", at, at + size);
  }
  /** Up to a zero byte, which is skipped. */
  zeroText(): string {
    const stop = this.b.indexOf(0, this.p);
    if (stop < 0 || stop >= this.end) throw truncated(this.#what);
    const value = this.b.toString("utf8", this.p, stop);
    this.p = stop + 1;
    return value;
  }
}
