/** Big-endian integers of the wire. An LSN or a time fits a double's 53 bits until the year 2255 and 8 PB of WAL. */
export const uint32 = (b: Uint8Array, p: number): number =>
  (((b[p] as number) << 24) | ((b[p + 1] as number) << 16) | ((b[p + 2] as number) << 8) | (b[p + 3] as number)) >>> 0;
export const int64 = (b: Uint8Array, p: number): number =>
  (((b[p] as number) << 24) | ((b[p + 1] as number) << 16) | ((b[p + 2] as number) << 8) | (b[p + 3] as number)) * 4294967296 +
  uint32(b, p + 4);

/** Microseconds between 1970 and PostgreSQL's epoch, 2000-01-01. */
export const POSTGRES_EPOCH_MICROS = 946_684_800_000_000;

/** `16/B374D848` as a number, and back. */
export function lsnOf(text: string): number {
  const [high = "0", low = "0"] = text.split("/");
  return Number.parseInt(high, 16) * 4294967296 + Number.parseInt(low, 16);
}
export const lsnText = (lsn: number): string =>
  `${Math.floor(lsn / 4294967296)
    .toString(16)
    .toUpperCase()}/${(lsn % 4294967296).toString(16).toUpperCase()}`;

export function writeInt64(b: Buffer, p: number, value: number): void {
  b.writeInt32BE(Math.floor(value / 4294967296), p);
  b.writeUInt32BE(((value % 4294967296) + 4294967296) % 4294967296, p + 4);
}
