/** Object.hashCode of Java's value classes, and the 32 upper bits of Infinispan's x64 MurmurHash3, which Debezium carries. */
import { Struct } from "#connect/api/struct";
import { Boxed, Decimal, type ConnectValue } from "#connect/api/value";
import type { Schema } from "#connect/api/schema";
import { isList, isMap } from "#connect/api/java-text";

const view = new DataView(new ArrayBuffer(8));
function longHash(v: bigint): number {
  const u = BigInt.asUintN(64, v);
  return Number(BigInt.asIntN(32, u ^ (u >> 32n)));
}
function doubleHash(v: number): number {
  view.setFloat64(0, v);
  return view.getInt32(0) ^ view.getInt32(4);
}
function floatHash(v: number): number {
  view.setFloat32(0, v);
  return view.getInt32(0);
}
/** BigInteger.hashCode: over the magnitude's 32-bit words, times the sign. */
function bigintHash(v: bigint): number {
  let hash = 0;
  const hex = (v < 0n ? -v : v).toString(16);
  const padded = hex.padStart(Math.ceil(hex.length / 8) * 8, "0");
  for (let i = 0; i < padded.length; i += 8) hash = (Math.imul(31, hash) + Number.parseInt(padded.slice(i, i + 8), 16)) | 0;
  return v < 0n ? -hash | 0 : hash;
}
/** The schema tells which number class a number is. Structs and bytes have no stable hash in Java: 0. */
export function javaHash(value: ConnectValue, schema: Schema | null = null): number {
  if (value === null) return 0;
  switch (typeof value) {
    case "string": {
      let hash = 0;
      for (let i = 0; i < value.length; i++) hash = (Math.imul(31, hash) + value.charCodeAt(i)) | 0;
      return hash;
    }
    case "boolean":
      return value ? 1231 : 1237;
    case "bigint":
      return longHash(value);
    case "number":
      if (schema !== null && schema.type.startsWith("INT")) return schema.type === "INT64" ? longHash(BigInt(value)) : value | 0;
      return schema?.type === "FLOAT32" ? floatHash(value) : doubleHash(value);
    default:
  }
  if (value instanceof Boxed) {
    if (value.type === "bigint") return bigintHash(BigInt(value.value));
    return value.type === "float32" ? floatHash(Number(value.value)) : Number(value.value) | 0;
  }
  if (value instanceof Date) return longHash(BigInt(value.getTime()));
  if (value instanceof Decimal) return (Math.imul(31, bigintHash(value.unscaled)) + value.scale) | 0;
  if (value instanceof Struct || value instanceof Uint8Array) return 0;
  if (isMap(value)) {
    let sum = 0;
    for (const [k, v] of value) sum = (sum + (javaHash(k, schema?.keySchema) ^ javaHash(v, schema?.valueSchema))) | 0;
    return sum;
  }
  return isList(value) ? value.reduce<number>((h, v) => (Math.imul(31, h) + javaHash(v, schema?.valueSchema)) | 0, 1) : 0;
}

const u64 = (v: bigint): bigint => BigInt.asUintN(64, v);
const rotated = (v: bigint, by: bigint): bigint => u64((v << by) | (v >> (64n - by)));
class State {
  h1: bigint;
  h2: bigint;
  #c1 = 0x87c37b91114253d5n;
  #c2 = 0x4cf5ad432745937fn;
  constructor(h1: bigint, h2: bigint) {
    this.h1 = u64(h1);
    this.h2 = u64(h2);
  }
  block(k1: bigint, k2: bigint): void {
    this.h1 = u64((this.h1 ^ u64(rotated(u64(k1 * this.#c1), 23n) * this.#c2)) + this.h2);
    this.h2 = rotated(this.h2, 41n);
    this.h2 = u64((this.h2 ^ u64(rotated(u64(k2 * this.#c2), 23n) * this.#c1)) + this.h1);
    this.h1 = u64(this.h1 * 3n + 0x52dce729n);
    this.h2 = u64(this.h2 * 3n + 0x38495ab5n);
    this.#c1 = u64(this.#c1 * 5n + 0x7b7d159cn);
    this.#c2 = u64(this.#c2 * 5n + 0x6bce6396n);
  }
  finish(length: number): number {
    this.h2 ^= BigInt(length);
    this.h1 = u64(this.h1 + this.h2);
    this.h2 = u64(this.h2 + this.h1);
    this.h1 = u64(mixed(this.h1) + mixed(this.h2));
    return Number(BigInt.asIntN(32, this.h1 >> 32n));
  }
}
function mixed(k: bigint): bigint {
  let v = k ^ (k >> 33n);
  v = u64(v * 0xff51afd7ed558ccdn);
  v ^= v >> 33n;
  v = u64(v * 0xc4ceb9fe1a85ec53n);
  return v ^ (v >> 33n);
}
/** Signed bytes, as the tail of Java's version adds them. */
function tail(bytes: Buffer, from: number, to: number): bigint {
  let k = 0n;
  for (let i = from; i < Math.min(to, bytes.length); i++) k ^= BigInt(bytes.readInt8(i)) << BigInt((i - from) * 8);
  return u64(k);
}
const SEED = 9001n;
const H1 = 0x9368e53c2f6af274n,
  H2 = 0x586dcd208f7cd3fdn;
function murmurBytes(bytes: Buffer): number {
  const s = new State(H1 ^ SEED, H2 ^ SEED);
  const whole = bytes.length - (bytes.length % 16);
  for (let i = 0; i < whole; i += 16) s.block(bytes.readBigUInt64LE(i), bytes.readBigUInt64LE(i + 8));
  if (whole < bytes.length) s.block(tail(bytes, whole, whole + 8), tail(bytes, whole + 8, whole + 16));
  return s.finish(bytes.length);
}
/** Texts and bytes by their bytes, all others by their hashCode. */
export function murmurHash(value: ConnectValue, schema: Schema | null = null): number {
  if (typeof value === "string") return murmurBytes(Buffer.from(value.toWellFormed().replaceAll("\ufffd", "?")));
  if (value instanceof Uint8Array) return murmurBytes(Buffer.from(value));
  const code = Buffer.alloc(4);
  code.writeInt32LE(javaHash(value, schema));
  const s = new State(H1 ^ SEED, H2 ^ SEED);
  s.block(tail(code, 0, 4), 0n);
  return s.finish(4);
}
