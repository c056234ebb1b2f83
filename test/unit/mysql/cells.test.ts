/** The direct ways from cells of the binary log to JSON, against the ways by text. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { byteSink, type ByteSink } from "#connect/api/byte-sink";
import { writeInstant, writeInteger } from "#connectors/cdc/cell-bytes";
import { decimalBytes, decimalText, EXACT_DIGITS_MAX, unscaledDecimal } from "#connectors/mysql/binlog/cells-decimal";

const written = (write: (out: ByteSink) => unknown): string => {
  const out = byteSink(8);
  write(out);
  return out.bytes.toString("latin1", 0, out.length);
};

test("integers", () => {
  for (let digits = 0, n = 1; digits <= 15; digits++, n *= 10)
    for (const value of [n, -n, n - 1, n + 1, n * 9 - 1]) expect(written((out) => writeInteger(out, value))).toBe(String(value));
  fc.assert(
    fc.property(fc.maxSafeInteger(), (n) => {
      expect(written((out) => writeInteger(out, n))).toBe(String(n));
    }),
  );
});

test("instants as Date prints them", () => {
  const year10000 = 253_402_300_800;
  for (const [seconds, text] of [
    [-62_167_219_200, "0000-01-01T00:00:00.000000Z"],
    [year10000 - 1, "9999-12-31T23:59:59.000000Z"],
    [0, "1970-01-01T00:00:00.000000Z"],
  ] as const)
    expect(written((out) => expect(writeInstant(out, seconds, 0, 6)).toBe(true))).toBe(`"${text}"`);
  for (const beyond of [year10000, -62_167_219_201]) expect(written((out) => expect(writeInstant(out, beyond, 0, 0)).toBe(false))).toBe("");
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200, max: year10000 - 1 }), fc.nat(999_999), fc.nat(6), (seconds, micros, digits) => {
      const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
      const fraction = digits === 0 ? "" : `.${String(micros).padStart(6, "0").slice(0, digits)}`;
      expect(written((out) => writeInstant(out, seconds, micros, digits))).toBe(`"${whole}${fraction}Z"`);
    }),
  );
});

test("decimals without their text", () => {
  const cell = fc
    .integer({ min: 1, max: EXACT_DIGITS_MAX })
    .chain((precision) =>
      fc.tuple(
        fc.constant(precision),
        fc.nat(precision),
        fc.array(fc.nat(9), { minLength: precision, maxLength: precision }),
        fc.boolean(),
      ),
    );
  fc.assert(
    fc.property(cell, ([precision, scale, digits, negative]) => {
      const b = packed(digits, precision - scale, negative);
      expect(b.length).toBe(decimalBytes(precision, scale));
      const unscaled = Number(`${negative ? "-" : ""}${digits.join("")}`);
      expect(unscaledDecimal(b, 0, precision, scale)).toBe(unscaled);
      expect(Number(decimalText(b, 0, b.length, precision, scale).replace(".", ""))).toBe(unscaled);
    }),
  );
});
/** decimal2bin of MySQL's strings/decimal.cc: `whole` digits stand before the point. */
function packed(digits: readonly number[], whole: number, negative: boolean): Buffer {
  const size = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
  const bytes: number[] = [];
  const group = (part: readonly number[]): void => {
    const n = Number(part.join(""));
    for (let i = (size[part.length] ?? 0) - 1; i >= 0; i--) bytes.push(Math.floor(n / 256 ** i) % 256);
  };
  const first = whole % 9;
  if (first > 0) group(digits.slice(0, first));
  for (let i = first; i < whole; i += 9) group(digits.slice(i, i + 9));
  for (let i = whole; i < digits.length; i += 9) group(digits.slice(i, i + 9));
  const b = Buffer.from(negative ? bytes.map((x) => x ^ 0xff) : bytes);
  b[0] = (b[0] ?? 0) ^ 0x80;
  return b;
}
