/** Integers, bit, floats, decimals and money. */
import { primitive } from "#connect/api/schema";
import { Decimal } from "#connect/api/value";
import { ascii } from "../cdc/cell-bytes.ts";
import { decimalText, DOUBLE_TEXT, shortestFloat, STRING_TEXT } from "../cdc/decimal-text.ts";
import * as semantic from "../cdc/semantic-types.ts";
import type { HandlingModes } from "../cdc/handling-modes.ts";
import type { ColumnType } from "./column-type.ts";

/** Between the last `(` and the first `)` after it, as the reference cuts it: `((1)+(2))` is 1… only by that rule, so anything else is none. */
export function innerText(text: string): string | null {
  const open = text.lastIndexOf("("),
    close = text.indexOf(")");
  if (open < 0 || close < open) return null;
  const inner = text.slice(open + 1, close);
  return inner.toUpperCase() === "NULL" ? null : inner;
}
const numberOf = (text: string): number | undefined => {
  const inner = innerText(text);
  return inner === null || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(inner.trim()) ? undefined : Number(inner);
};
const integerOf = (text: string): bigint | undefined => {
  const inner = innerText(text)?.replace(/\.$/, "");
  return inner === undefined || !/^[+-]?\d+$/.test(inner) ? undefined : BigInt(inner);
};

export function integerType(width: "INT16" | "INT32" | "INT64"): ColumnType {
  const wide = width === "INT64";
  return {
    shape: (options) => primitive(width, options),
    neutral: wide ? 0n : 0,
    encode: (value, out) => out.ascii(String(value)),
    raw: {
      form: "verbatim",
      decode: wide ? (b, s, e) => BigInt(ascii(b, s, e)) : (b, s, e) => Number(ascii(b, s, e)),
    },
    defaultOf(text) {
      const value = integerOf(text);
      return value === undefined ? undefined : wide ? value : Number(value);
    },
  };
}
export const bitType: ColumnType = {
  shape: (options) => primitive("BOOLEAN", options),
  neutral: false,
  encode: (value, out) => out.ascii(value === true || value === 1 ? "t" : "f"),
  raw: { form: "bool", decode: (b, start) => b[start] === 0x74 },
  defaultOf: (text) => text === "((1))",
};

export const floatType = (single: boolean): ColumnType => ({
  shape: (options) => primitive(single ? "FLOAT32" : "FLOAT64", options),
  neutral: 0,
  encode: (value, out) => out.ascii(String(single ? shortestFloat(Number(value)) : value)),
  raw: DOUBLE_TEXT,
  defaultOf: numberOf,
});

/** At a fixed scale; digits that it has no room for are rounded, halves to the even one. */
function rounded(text: string, scale: number): Decimal | null {
  const value = Decimal.parse(text.trim());
  if (value === null) return null;
  const shift = scale - value.scale;
  if (shift >= 0) return new Decimal(value.unscaled * 10n ** BigInt(shift), scale);
  return new Decimal(halfEven(value.unscaled, 10n ** BigInt(-shift)), scale);
}
function halfEven(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor,
    rest = value % divisor;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const up = twice > divisor || (twice === divisor && quotient % 2n !== 0n);
  return up ? quotient + (value < 0n ? -1n : 1n) : quotient;
}
/** Digits that a double holds exactly. */
const EXACT_DIGITS = 15;

/** `money`: how text is made of it, since the driver gives numbers. */
export function decimalType(precision: number, scale: number, modes: HandlingModes, money = false): ColumnType {
  const asText = precision > EXACT_DIGITS;
  const base = {
    encode: (value: unknown, out: { ascii(text: string): void }): void =>
      out.ascii(typeof value === "number" ? value.toFixed(scale) : String(value)),
    ...(asText && {
      select: (name: string): string => (money ? `CONVERT(varchar(30), ${name}, 2)` : `CONVERT(varchar(41), ${name})`),
    }),
  };
  // Two characters are cut at each end.
  const inner = (text: string): Decimal | undefined => rounded(text.slice(2, -2), scale) ?? undefined;
  if (modes.decimal === "double")
    return {
      ...base,
      shape: (options) => primitive("FLOAT64", options),
      neutral: 0,
      raw: DOUBLE_TEXT,
      defaultOf(text) {
        const value = inner(text);
        return value === undefined ? undefined : Number(value.toPlainString());
      },
    };
  if (modes.decimal === "string")
    return {
      ...base,
      shape: (options) => primitive("STRING", options),
      neutral: new Decimal(0n, scale).toPlainString(),
      raw: STRING_TEXT,
      // As it was written, unlike the column's values.
      defaultOf: (text) => Decimal.parse(text.slice(2, -2).trim())?.toPlainString(),
    };
  return {
    ...base,
    shape: semantic.decimal(scale, precision),
    neutral: new Decimal(0n, scale),
    raw: decimalText(scale, rounded),
    defaultOf: inner,
  };
}
