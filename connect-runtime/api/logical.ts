/** Conversions of the logical types Decimal, Date, Time and Timestamp to and from what their schemas store. */
import { DataError } from "./errors.ts";
import type { Schema } from "./schema.ts";
import { Decimal } from "./value.ts";

export const DAY_MS = 86_400_000;

/** Two's complement, big-endian, shortest: BigInteger.toByteArray. */
export function bigintToBytes(value: bigint): Uint8Array {
  if (value >= -0x8000000000000000n && value < 0x8000000000000000n) return smallToBytes(value);
  const negative = value < 0n;
  let hex = (negative ? -value - 1n : value).toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (Number.parseInt(hex.slice(0, 2), 16) >= 128) hex = `00${hex}`;
  const bytes = Buffer.from(hex, "hex");
  if (negative) for (let i = 0; i < bytes.length; i++) bytes[i] = ~(bytes[i] ?? 0) & 0xff;
  return bytes;
}
const scratch = Buffer.alloc(8);
function smallToBytes(value: bigint): Uint8Array {
  scratch.writeBigInt64BE(value);
  let start = 0;
  while (start < 7) {
    const b = scratch[start] ?? 0,
      next = scratch[start + 1] ?? 0;
    if (!((b === 0 && next < 128) || (b === 255 && next >= 128))) break;
    start++;
  }
  return Uint8Array.prototype.slice.call(scratch, start);
}
/** BigInteger(byte[]). Throws DataError for no bytes at all. */
export function bytesToBigint(bytes: Uint8Array): bigint {
  if (bytes.length === 0) throw new DataError("Zero length BigInteger");
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}
/** The schema's `scale` parameter. */
export function decimalScale(schema: Schema): number {
  const text = schema.parameters?.["scale"];
  if (text === undefined) throw new DataError("Invalid Decimal schema: scale parameter not found.");
  if (!/^[+-]?\d{1,9}$/.test(text)) throw new DataError("Invalid scale parameter found in Decimal schema: ");
  return Number(text);
}
export function decimalToBytes(schema: Schema, value: Decimal): Uint8Array {
  const scale = decimalScale(schema);
  if (value.scale !== scale)
    throw new DataError(
      `Decimal value has mismatching scale for given Decimal schema. Schema has scale ${scale}, value has scale ${value.scale}.`,
    );
  return bigintToBytes(value.unscaled);
}
export const bytesToDecimal = (schema: Schema, bytes: Uint8Array): Decimal => new Decimal(bytesToBigint(bytes), decimalScale(schema));

/** Days since the epoch. */
export function dateToDays(value: Date): number {
  const ms = value.getTime();
  if (ms % DAY_MS !== 0) throw new DataError("Kafka Connect Date type should not have any time fields set to non-zero values.");
  return ms / DAY_MS;
}
/** Milliseconds since midnight. */
export function timeToMs(value: Date): number {
  const ms = value.getTime();
  if (ms < 0 || ms > DAY_MS) throw new DataError("Kafka Connect Time type should not have any date fields set to non-zero values.");
  return ms;
}
export const daysToDate = (days: number): Date => new Date(days * DAY_MS);
