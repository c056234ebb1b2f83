/**
 * The five codecs of record batches, by their id in the batch's attributes. Decompression is bounded: no more than
 * `bytesMax` come out, whatever the input claims (a bomb ends in ProtocolError, not in memory).
 */
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { ProtocolError } from "../../errors.ts";
import { lz4Compress, lz4Decompress } from "./lz4.ts";
import { snappyCompress, snappyDecompress } from "./snappy.ts";

export type Codec = "none" | "gzip" | "snappy" | "lz4" | "zstd";
export const CODECS: readonly Codec[] = ["none", "gzip", "snappy", "lz4", "zstd"];

/** `level` is the codec's own scale, as Kafka's compression.*.level have it; only gzip and zstd look at it. Undefined: their default. */
export function compress(codec: Codec, bytes: Buffer, level?: number): Buffer {
  switch (codec) {
    case "none":
      return bytes;
    case "gzip":
      return gzipSync(bytes, level === undefined ? {} : { level });
    case "snappy":
      return snappyCompress(bytes);
    case "lz4":
      return lz4Compress(bytes);
    case "zstd":
      return zstdCompressSync(bytes, level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } });
  }
}

/** Throws ProtocolError when the bytes are no such stream or give more than `bytesMax`. */
export function decompress(codec: Codec, bytes: Buffer, bytesMax: number): Buffer {
  try {
    switch (codec) {
      case "none":
        return bytes;
      case "gzip":
        return gunzipSync(bytes, { maxOutputLength: bytesMax });
      case "snappy":
        return snappyDecompress(bytes, bytesMax);
      case "lz4":
        return lz4Decompress(bytes, bytesMax);
      case "zstd":
        return zstdDecompressSync(bytes, { maxOutputLength: bytesMax });
    }
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError(`${codec}: ${error instanceof Error ? error.message : "cannot be decompressed"}`);
  }
}
