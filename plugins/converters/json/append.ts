/** Appending JSON tokens to a ByteSink. All of them reserve what they need and advance `out.length`. */
import type { ByteSink } from "#connect/api/byte-sink";

declare global {
  // Node has these without an encoding argument; its type package leaves them out. Half the cost of toString on short texts.
  interface Buffer {
    latin1Slice(start: number, end: number): string;
    utf8Slice(start: number, end: number): string;
    latin1Write(text: string, at: number): number;
  }
}

/** 1: stands for itself inside a JSON string. 2: a two-character escape. 0: other escapes. */
export const PLAIN = new Uint8Array(256).fill(1);
export const SHORT_ESCAPE = new Uint8Array(256);
for (let i = 0; i < 32; i++) PLAIN[i] = 0;
// First bytes of characters beyond 16 bits, in UTF-8.
for (let i = 0xf0; i < 256; i++) PLAIN[i] = 0;
for (const [c, e] of [
  ["\b", "b"],
  ["\t", "t"],
  ["\n", "n"],
  ["\f", "f"],
  ["\r", "r"],
  ['"', '"'],
  ["\\", "\\"],
] as const) {
  PLAIN[c.charCodeAt(0)] = 2;
  SHORT_ESCAPE[c.charCodeAt(0)] = e.charCodeAt(0);
}
const HEX = Buffer.from("0123456789ABCDEF");

export function appendAscii(out: ByteSink, text: string): void {
  out.reserve(text.length);
  const b = out.bytes;
  let p = out.length;
  for (let i = 0; i < text.length; i++) b[p++] = text.charCodeAt(i);
  out.length = p;
}
export function appendBytes(out: ByteSink, bytes: Uint8Array): void {
  out.reserve(bytes.length);
  out.bytes.set(bytes, out.length);
  out.length += bytes.length;
}
function escapeByte(b: Buffer, at: number, c: number): number {
  b[at] = 92;
  if (PLAIN[c] === 2) {
    b[at + 1] = SHORT_ESCAPE[c] ?? 0;
    return at + 2;
  }
  b[at + 1] = 117;
  b[at + 2] = 48;
  b[at + 3] = 48;
  b[at + 4] = HEX[c >> 4] ?? 0;
  b[at + 5] = HEX[c & 15] ?? 0;
  return at + 6;
}
/** Jackson 2.19 writes what lies beyond 16 bits as two escapes, and a half that stands alone as one. */
function escapeSurrogate(b: Buffer, at: number, c: number): number {
  b[at] = 92;
  b[at + 1] = 117;
  for (let i = 0; i < 4; i++) b[at + 2 + i] = HEX[(c >> (12 - 4 * i)) & 15] ?? 0;
  return at + 6;
}
/** The rest of a string from `from`, without quotes. */
export function appendEscaped(out: ByteSink, text: string, from: number): void {
  out.reserve((text.length - from) * 6);
  const b = out.bytes;
  let p = out.length;
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 128) {
      if (PLAIN[c] === 1) b[p++] = c;
      else p = escapeByte(b, p, c);
    } else if (c < 0x800) {
      b[p++] = 0xc0 | (c >> 6);
      b[p++] = 0x80 | (c & 63);
    } else if (c < 0xd800 || c > 0xdfff) {
      b[p++] = 0xe0 | (c >> 12);
      b[p++] = 0x80 | ((c >> 6) & 63);
      b[p++] = 0x80 | (c & 63);
    } else p = escapeSurrogate(b, p, c);
  }
  out.length = p;
}
export function appendString(out: ByteSink, text: string): void {
  out.reserve(text.length + 2);
  out.bytes[out.length++] = 34;
  appendEscaped(out, text, 0);
  out.reserve(1);
  out.bytes[out.length++] = 34;
}
/** Digits of an integer below 10^9 that is not negative; returns the position after them. Room is the caller's business. */
export function digits9(b: Uint8Array, at: number, value: number): number {
  let v = value | 0;
  const n = v < 10 ? 1 : v < 100 ? 2 : v < 1000 ? 3 : v < 10000 ? 4 : v < 100000 ? 5 : v < 1e6 ? 6 : v < 1e7 ? 7 : v < 1e8 ? 8 : 9;
  let i = at + n;
  do {
    const q = (v / 10) | 0;
    b[--i] = 48 + v - q * 10;
    v = q;
  } while (i > at);
  return at + n;
}
function nineDigits(b: Uint8Array, at: number, value: number): number {
  let v = value | 0;
  for (let i = at + 8; i >= at; i--) {
    const q = (v / 10) | 0;
    b[i] = 48 + v - q * 10;
    v = q;
  }
  return at + 9;
}
/** An integer that a double holds exactly (|v| < 2^53). */
export function integer53(b: Uint8Array, at: number, value: number): number {
  let p = at,
    v = value;
  if (v < 0) {
    b[p++] = 45;
    v = -v;
  }
  if (v < 1e9) return digits9(b, p, v);
  const high = Math.floor(v / 1e9);
  return nineDigits(b, digits9(b, p, high), v - high * 1e9);
}
const long = new BigInt64Array(1);
const halves = new Int32Array(long.buffer);
/** Any 64-bit integer, at most 20 bytes. */
export function integer64(b: Uint8Array, at: number, value: bigint): number {
  long[0] = value;
  const low = (halves[0] ?? 0) >>> 0,
    high = halves[1] ?? 0;
  const approximate = high * 4294967296 + low;
  if (approximate < 9e15 && approximate > -9e15) return integer53(b, at, approximate);
  // Beyond 2^53: split off nine digits with 32-bit arithmetic, which stays exact modulo 2^32.
  let p = at,
    lo = low | 0,
    size = approximate;
  if (high < 0) {
    b[p++] = 45;
    lo = -lo | 0;
    size = -size;
  }
  let upper = Math.floor(size / 1e9);
  let lower = (lo - Math.imul((upper % 4294967296) | 0, 1_000_000_000)) | 0;
  if (lower < 0) {
    upper--;
    lower += 1_000_000_000;
  } else if (lower >= 1_000_000_000) {
    upper++;
    lower -= 1_000_000_000;
  }
  return nineDigits(b, integer53(b, p, upper), lower);
}

const BASE64 = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
/** Standard base64 with padding, quoted. */
export function appendBase64(out: ByteSink, bytes: Uint8Array): void {
  const n = bytes.length;
  out.reserve(Math.ceil(n / 3) * 4 + 2);
  const b = out.bytes;
  let p = out.length;
  b[p++] = 34;
  if (n > 64) {
    p += b.latin1Write(Buffer.from(bytes.buffer, bytes.byteOffset, n).toString("base64"), p);
  } else {
    for (let i = 0; i < n; i += 3) {
      const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
      b[p] = BASE64[word >> 18] ?? 0;
      b[p + 1] = BASE64[(word >> 12) & 63] ?? 0;
      b[p + 2] = i + 1 < n ? (BASE64[(word >> 6) & 63] ?? 0) : 61;
      b[p + 3] = i + 2 < n ? (BASE64[word & 63] ?? 0) : 61;
      p += 4;
    }
  }
  b[p++] = 34;
  out.length = p;
}
