/** CRC-32C (Castagnoli), the checksum of record batches; hardware speed from the native module. */
import { crc32c as native } from "@node-rs/crc32";

export const crc32c = (bytes: Uint8Array): number => native(asBuffer(bytes));

/** The native module wants a Buffer; a view costs nothing. */
const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
