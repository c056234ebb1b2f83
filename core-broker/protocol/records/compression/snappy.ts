/**
 * Snappy as Kafka uses it: Java clients frame raw blocks in xerial's stream (8-byte magic, two version ints, then
 * length-prefixed blocks); librdkafka and others may send one raw block. Both are read, the stream is written.
 */
import { createRequire } from "node:module";
import { ProtocolError } from "../../errors.ts";

/** Loaded with the first batch that needs it: most processes never see one. */
const require = createRequire(import.meta.url);
let loaded: typeof import("snappy") | null = null;
const loadNative = (): typeof import("snappy") => require("snappy");
const native = (): typeof import("snappy") => (loaded ??= loadNative());

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;
const BLOCK_BYTES = 32 * 1024;

export function snappyCompress(bytes: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(1, 12);
  const parts: Buffer[] = [header];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = native().compressSync(bytes.subarray(at, at + BLOCK_BYTES));
    const size = Buffer.allocUnsafe(4);
    size.writeInt32BE(block.length, 0);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}

export function snappyDecompress(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return block(bytes, bytesMax);
  const parts: Buffer[] = [];
  let total = 0;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new ProtocolError("snappy: torn block size");
    const size = bytes.readInt32BE(at);
    at += 4;
    if (size < 0 || at + size > bytes.length) throw new ProtocolError("snappy: torn block");
    const part = block(bytes.subarray(at, at + size), bytesMax - total);
    total += part.length;
    parts.push(part);
    at += size;
  }
  return Buffer.concat(parts, total);
}

/** A raw block opens with its uncompressed length, so the bound is checked before anything is allocated. */
function block(bytes: Buffer, bytesMax: number): Buffer {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  if (length > bytesMax) throw new ProtocolError(`snappy: ${length} bytes exceed the limit of ${bytesMax}`);
  const out = native().uncompressSync(bytes, { asBuffer: true });
  return Buffer.isBuffer(out) ? out : Buffer.from(out);
}
