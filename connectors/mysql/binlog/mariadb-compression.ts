/**
 * MariaDB's own compression: of events (log_bin_compress) and of columns (COLUMN_FORMAT COMPRESSED). Both say the unpacked
 * size first, which bounds what is allocated.
 */
import { inflateRawSync, inflateSync } from "node:zlib";
import { bigEndian } from "./bytes.ts";
import { BinlogError, truncated } from "./failures.ts";

function inflated(unpack: (b: Uint8Array, o: { maxOutputLength: number }) => Buffer, b: Uint8Array, size: number, what: string): Buffer {
  let out: Buffer;
  try {
    out = size === 0 ? Buffer.alloc(0) : unpack(b, { maxOutputLength: size });
  } catch (error) {
    throw new BinlogError("corrupt", `${what} could not be unpacked`, error);
  }
  if (out.length !== size) throw new BinlogError("corrupt", `${what} has ${out.length} bytes unpacked and ${size} were promised`);
  return out;
}

/** Bits 4 to 6 of the first byte: algorithm (0 is zlib); the lower three: bytes of the size, big-endian; then zlib's stream. */
export function inflateEvent(b: Buffer, start: number, end: number, maxBytes: number): Buffer {
  if (start >= end) throw truncated("A compressed event");
  const first = b[start] as number;
  const algorithm = (first & 0x70) >> 4;
  const lengthBytes = first & 0x07;
  if ((first & 0x80) === 0 || algorithm !== 0 || lengthBytes > 4)
    throw new BinlogError("unsupported", "A compressed event has a form that is not known");
  if (end - start < 1 + lengthBytes) throw truncated("A compressed event");
  const size = bigEndian(b, start + 1, lengthBytes);
  if (size > maxBytes) throw new BinlogError("too-large", `A compressed event has ${size} bytes unpacked; ${maxBytes} are allowed`);
  return inflated(inflateSync, b.subarray(start + 1 + lengthBytes, end), size, "A compressed event");
}

/** A cell of a compressed column: its value. The first byte's upper half is the method: 0 as it is, 8 zlib. */
export function inflateColumn(b: Uint8Array, start: number, end: number, maxBytes: number): Uint8Array {
  if (start >= end) return b.subarray(start, start);
  const first = b[start] as number;
  if (first >> 4 === 0) return b.subarray(start + 1, end);
  const lengthBytes = first & 0x07;
  if (first >> 4 !== 8) throw new BinlogError("unsupported", "A compressed column has a method that is not known");
  if (end - start < 1 + lengthBytes) throw truncated("A compressed column");
  const size = bigEndian(b, start + 1, lengthBytes);
  if (size > maxBytes) throw new BinlogError("too-large", `A compressed column has ${size} bytes unpacked; ${maxBytes} are allowed`);
  // Bit 3: without zlib's own header (column_compression_zlib_wrap is off).
  const unpack = (first & 0x08) === 0 ? inflateSync : inflateRawSync;
  return inflated(unpack, b.subarray(start + 1 + lengthBytes, end), size, "A compressed column");
}
