/**
 * LZ4 frames (lz4_Frame_format.md). Compression is the native module's; decompression is ours, because it has to be bounded
 * while it runs and has to take linked blocks as well as independent ones. Checksums inside the frame are not verified: the
 * batch's CRC-32C covers the bytes.
 */
import { createRequire } from "node:module";
import { ProtocolError } from "../../errors.ts";

/** Loaded with the first batch that needs it: most processes never see one. */
const require = createRequire(import.meta.url);
let native: typeof import("lz4-napi") | null = null;
const loadNative = (): typeof import("lz4-napi") => require("lz4-napi");

const MAGIC = 0x184d2204;
const UNCOMPRESSED = 0x8000_0000;

export const lz4Compress = (bytes: Buffer): Buffer => (native ??= loadNative()).compressFrameSync(bytes);

/** A growing output that blocks append to; matches of linked blocks reach back into it. */
class Output {
  buffer: Buffer;
  length = 0;
  readonly bytesMax: number;
  constructor(guess: number, bytesMax: number) {
    this.bytesMax = bytesMax;
    this.buffer = Buffer.allocUnsafe(Math.min(Math.max(guess, 1024), bytesMax));
  }
  reserve(more: number): void {
    const need = this.length + more;
    if (need > this.bytesMax) throw new ProtocolError(`lz4: more than ${this.bytesMax} bytes`);
    if (need <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.min(Math.max(need, this.buffer.length * 2), this.bytesMax));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

export function lz4Decompress(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw new ProtocolError("lz4: no frame");
  const flags = bytes[4] ?? 0;
  let at = 6;
  if ((flags & 0x08) !== 0) at += 8; // content size
  if ((flags & 0x01) !== 0) at += 4; // dictionary id
  at += 1; // header checksum
  const out = new Output(bytes.length * 4, bytesMax);
  for (;;) {
    if (at + 4 > bytes.length) throw new ProtocolError("lz4: torn frame");
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const size = word & 0x7fff_ffff;
    if (at + size > bytes.length) throw new ProtocolError("lz4: torn block");
    if (word >= UNCOMPRESSED) {
      out.reserve(size);
      bytes.copy(out.buffer, out.length, at, at + size);
      out.length += size;
    } else decodeBlock(bytes, at, at + size, out);
    at += size;
    if ((flags & 0x10) !== 0) at += 4; // block checksum
  }
  return out.buffer.subarray(0, out.length);
}

function decodeBlock(bytes: Buffer, start: number, end: number, out: Output): void {
  let at = start;
  const longLength = (base: number): number => {
    let length = base;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      length += byte;
      if (at > end) throw new ProtocolError("lz4: torn length");
      if (byte !== 255) return length;
    }
  };
  while (at < end) {
    const token = bytes[at++] ?? 0;
    const literals = token >>> 4 === 15 ? longLength(15) : token >>> 4;
    if (at + literals > end) throw new ProtocolError("lz4: torn literals");
    out.reserve(literals);
    bytes.copy(out.buffer, out.length, at, at + literals);
    out.length += literals;
    at += literals;
    if (at >= end) return;
    if (at + 2 > end) throw new ProtocolError("lz4: torn match");
    const distance = bytes.readUInt16LE(at);
    at += 2;
    const length = ((token & 15) === 15 ? longLength(15) : token & 15) + 4;
    if (distance === 0 || distance > out.length) throw new ProtocolError("lz4: match before the start");
    out.reserve(length);
    copyMatch(out, distance, length);
  }
}

/** Overlapping matches repeat what they just wrote. */
function copyMatch(out: Output, distance: number, length: number): void {
  const { buffer } = out;
  let to = out.length;
  let from = to - distance;
  if (distance >= length) buffer.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i++) buffer[to++] = buffer[from++] ?? 0;
  out.length += length;
}
