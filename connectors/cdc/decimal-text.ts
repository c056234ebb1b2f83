/** Cells that hold a number as decimal text: as DECIMAL at a fixed scale, as a double, as a string. */
import type { ByteSink } from "#connect/api/byte-sink";
import type { RawColumn } from "#connect/api/raw-row";
import { Decimal } from "#connect/api/value";
import { ascii, bigintBytes, asciiColumn, javaDouble, twosComplement, writeAscii, writeQuotedBase64 } from "./cell-bytes.ts";

/** The shortest decimal that is read back as the same 32-bit float, as Java prints a float. */
export function shortestFloat(value: number): number {
  const float = Math.fround(value);
  if (!Number.isFinite(float)) return float;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}

/** At a fixed scale; digits that it has no room for are cut. null: not a number. */
export function cutToScale(text: string, scale: number): Decimal | null {
  const value = Decimal.parse(text);
  if (value === null) return null;
  const shift = scale - value.scale;
  return new Decimal(shift >= 0 ? value.unscaled * 10n ** BigInt(shift) : value.unscaled / 10n ** BigInt(-shift), scale);
}

const scratch = new Uint8Array(16);
/** The bytes of a DECIMAL whose digits without the point are this integer, which a double holds exactly. */
export function writeSmallDecimal(out: ByteSink, unscaled: number): void {
  writeQuotedBase64(out, scratch, twosComplement(unscaled, scratch));
}
/** The bytes of any DECIMAL; false, and nothing written, for none. */
export function writeDecimal(out: ByteSink, value: Decimal | null): boolean {
  if (value === null) return false;
  const bytes = bigintBytes(value.unscaled);
  writeQuotedBase64(out, bytes, bytes.length);
  return true;
}

/** The text's digits without the point as a number; null: too long to be exact, or of another scale. */
function unscaledText(b: Uint8Array, start: number, end: number, scale: number): number | null {
  if (end - start > 16) return null;
  let value = 0,
    fraction = -1;
  const negative = b[start] === 0x2d;
  for (let i = negative ? start + 1 : start; i < end; i++) {
    const c = b[i] as number;
    if (c === 0x2e) fraction = 0;
    else {
      value = value * 10 + (c - 48);
      if (fraction >= 0) fraction++;
    }
  }
  if (Math.max(fraction, 0) !== scale) return null;
  return negative ? -value : value;
}
/** As DECIMAL. `toScale` is asked for texts of another scale, and for those of more than 16 characters. */
export const decimalText = (scale: number, toScale: (text: string, scale: number) => Decimal | null): RawColumn => ({
  form: "writer",
  decode: (b, start, end) => toScale(ascii(b, start, end), scale),
  write(b, start, end, out) {
    const small = unscaledText(b, start, end, scale);
    if (small === null) return writeDecimal(out, toScale(ascii(b, start, end), scale));
    writeSmallDecimal(out, small);
    return true;
  },
});
/** As FLOAT64. */
export const DOUBLE_TEXT: RawColumn = {
  form: "writer",
  decode: (b, start, end) => Number(ascii(b, start, end)),
  write(b, start, end, out) {
    writeAscii(out, javaDouble(Number(ascii(b, start, end))));
    return true;
  },
};
/** As STRING, as it stands. */
export const STRING_TEXT: RawColumn = asciiColumn(ascii);
