/** Integers, floats, numeric and money. */
import type { ByteSink } from "#connect/api/byte-sink";
import type { RawColumn } from "#connect/api/raw-row";
import { primitive, type Schema } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { type ConnectValue, Decimal } from "#connect/api/value";
import * as semantic from "../cdc/semantic-types.ts";
import { ascii, asciiColumn, bigintBytes, javaDouble, writeAscii, writeInteger } from "../cdc/cell-bytes.ts";
import { cutToScale, writeDecimal, writeSmallDecimal } from "../cdc/decimal-text.ts";
import type { ColumnType, TypeModes } from "./column-type.ts";

const NUMBER: RawColumn = { form: "verbatim", decode: (b, start, end) => Number(ascii(b, start, end)) };
const BIG: RawColumn = { form: "verbatim", decode: (b, start, end) => BigInt(ascii(b, start, end)) };

export const integerType = (width: "INT16" | "INT32" | "INT64"): ColumnType => ({
  shape: (options) => primitive(width, options),
  raw: width === "INT64" ? BIG : NUMBER,
  neutral: width === "INT64" ? 0n : 0,
  unavailable: null,
  generatedDefault: "0",
});
export const oidType: ColumnType = { shape: (options) => primitive("INT64", options), raw: BIG, neutral: 0n, unavailable: null };

/** Java shows at least two digits; those of the least values are known to one only. */
const SMALLEST = /^-?\de-(4[45]|32[34])$/;
/** A float as Java prints it; NaN and infinities as strings. Most need no more than a look at their digits. */
function writeFloat(b: Uint8Array, start: number, end: number, out: ByteSink): true {
  const first = b[start];
  if (first === 0x4e || first === 0x49 || b[start + 1] === 0x49) {
    writeAscii(out, `"${ascii(b, start, end)}"`);
    return true;
  }
  const kept = plainEnd(b, start, end);
  if (kept === 0) {
    writeAscii(out, javaText(ascii(b, start, end)));
    return true;
  }
  out.reserve(kept - start + 2);
  const o = out.bytes;
  let p = out.length,
    fractional = false;
  for (let i = start; i < kept; i++) {
    const c = b[i] as number;
    if (c === 0x2e) fractional = true;
    o[p++] = c;
  }
  if (!fractional) {
    o[p++] = 0x2e;
    o[p++] = 0x30;
  }
  out.length = p;
  return true;
}
/**
 * Where the text ends without the zeros that say nothing, if Java prints the number without an exponent, as it does from 0.001 to
 * 10,000,000 and for zero; else 0.
 */
function plainEnd(b: Uint8Array, start: number, end: number): number {
  let point = -1,
    leading = -1;
  for (let i = b[start] === 0x2d ? start + 1 : start; i < end; i++) {
    const c = b[i] as number;
    if (c === 0x2e) point = i;
    else if (c > 0x39 || c < 0x30) return 0;
    else if (leading < 0 && c !== 0x30) leading = i;
  }
  const whole = point < 0 ? end : point;
  if (leading >= 0 && (leading < whole ? whole - leading > 7 : leading - whole > 3)) return 0;
  if (point < 0) return end;
  let kept = end;
  while (kept > point + 2 && b[kept - 1] === 0x30) kept--;
  return kept;
}
function javaText(text: string): string {
  const value = Number(text);
  if (!SMALLEST.test(text)) return javaDouble(value);
  return (Math.abs(value) < 1e-300 ? value : Math.fround(value)).toPrecision(2).replace("e", "E");
}
const FLOAT: RawColumn = { form: "writer", decode: (b, start, end) => Number(ascii(b, start, end)), write: writeFloat };
export const floatType = (width: "FLOAT32" | "FLOAT64"): ColumnType => ({
  shape: (options) => primitive(width, options),
  raw: FLOAT,
  neutral: 0,
  unavailable: null,
  generatedDefault: "0.0",
});

/** A numeric as a double: up to 15 digits its digits say the same. */
const AS_DOUBLE: RawColumn = {
  form: "writer",
  decode: (b, start, end) => Number(ascii(b, start, end)),
  write(b, start, end, out) {
    if (end - start <= 16) return writeFloat(b, start, end, out);
    const text = javaDouble(Number(ascii(b, start, end)));
    writeAscii(out, text.endsWith("y") ? `"${text}"` : text);
    return true;
  },
};

/** The digits of a numeric without its point, read as an integer of the given scale. `exact` false: more than 15 digits. */
const read = { value: 0, scale: 0, exact: true };
function readDecimal(b: Uint8Array, start: number, end: number): void {
  let p = start,
    value = 0,
    scale = 0,
    digits = 0,
    point = false;
  const negative = b[p] === 0x2d;
  if (negative) p++;
  for (; p < end; p++) {
    const c = b[p] as number;
    if (c === 0x2e) point = true;
    else {
      value = value * 10 + (c - 48);
      if (point) scale++;
      if (digits > 0 || c !== 48) digits++;
    }
  }
  read.value = negative ? -value : value;
  read.scale = scale;
  read.exact = digits <= 15;
}
/** NaN, Infinity, -Infinity. */
const special = (b: Uint8Array, start: number): boolean => (b[start] as number) > 57 || b[start + 1] === 0x49;

/** A default at its column's scale; null where that would cut digits, and for what is no number. */
function atScale(literal: string, scale: number): Decimal | null {
  const value = /^-?[0-9.]+(e[+-]?\d+)?$/i.test(literal) ? Decimal.parse(literal) : null;
  return value === null || value.scale > scale ? null : cutToScale(literal, scale);
}

function fixedScale(scale: number, precision: number): ColumnType {
  const raw: RawColumn = {
    form: "writer",
    decode: (b, start, end) => (special(b, start) ? null : cutToScale(ascii(b, start, end), scale)),
    write(b, start, end, out) {
      if (special(b, start)) return false;
      readDecimal(b, start, end);
      if (!read.exact || read.scale !== scale) return writeDecimal(out, cutToScale(ascii(b, start, end), scale));
      writeSmallDecimal(out, read.value);
      return true;
    },
  };
  return {
    shape: semantic.decimal(scale, precision),
    raw,
    neutral: new Decimal(0n, scale),
    unavailable: null,
    generatedDefault: "0.0",
    defaultFrom: (literal) => atScale(literal, scale),
  };
}

/** Without trailing zeros in the fraction. */
function stripped(text: string): Decimal | null {
  return Decimal.parse(text.includes(".") ? text.replace(/\.?0+$/, "") : text);
}

function variableScaleColumn(schema: Schema): { readonly raw: RawColumn; readonly neutral: ConnectValue } {
  const struct = (value: Decimal): Struct => new Struct(schema, [value.scale, bigintBytes(value.unscaled)]);
  const raw: RawColumn = {
    form: "writer",
    decode(b, start, end): ConnectValue {
      const value = special(b, start) ? null : stripped(ascii(b, start, end));
      return value === null ? null : struct(value);
    },
    write(b, start, end, out) {
      if (special(b, start)) return false;
      readDecimal(b, start, end);
      if (!read.exact) return false;
      while (read.scale > 0 && read.value % 10 === 0) {
        read.value /= 10;
        read.scale--;
      }
      writeAscii(out, '{"scale":');
      writeInteger(out, read.scale);
      writeAscii(out, ',"value":');
      writeSmallDecimal(out, read.value);
      writeAscii(out, "}");
      return true;
    },
  };
  return { raw, neutral: struct(new Decimal(0n, 0)) };
}
const VARIABLE_SCALE: ColumnType = {
  shape: semantic.variableScaleDecimal,
  ...variableScaleColumn(semantic.variableScaleDecimal({})),
  bind: variableScaleColumn,
  unavailable: null,
  generatedDefault: "0.0",
};

/** How the reference names them in text. */
const SPECIAL_NAMES: Readonly<Record<string, string>> = { NaN: "NAN", Infinity: "POSITIVE_INFINITY", "-Infinity": "NEGATIVE_INFINITY" };
/** `typmod` as in the catalogue; -1: no precision was declared. */
export function numericType(modes: TypeModes, typmod: number): ColumnType {
  if (modes.decimal === "double")
    return { shape: (options) => primitive("FLOAT64", options), raw: AS_DOUBLE, neutral: 0, unavailable: null, generatedDefault: "0.0" };
  const precision = ((typmod - 4) >> 16) & 0xffff;
  // A negative scale comes out as 2^11 minus it, as in the reference.
  const scale = (typmod - 4) & 0xffff;
  if (modes.decimal === "string") {
    const pad = typmod !== -1 && scale > 1000;
    const text = (b: Uint8Array, start: number, end: number): string => {
      const plain = ascii(b, start, end);
      if (special(b, start)) return SPECIAL_NAMES[plain] ?? plain;
      return pad ? (cutToScale(plain, scale)?.toPlainString() ?? plain) : plain;
    };
    return {
      shape: (options) => primitive("STRING", options),
      raw: asciiColumn(text),
      neutral: "0",
      unavailable: modes.placeholder.toString("utf8"),
      generatedDefault: "0.0",
      defaultFrom: (literal) => (typmod === -1 && !/^[NI-]/.test(literal) ? undefined : (atScale(literal, scale)?.toPlainString() ?? null)),
    };
  }
  return typmod === -1 ? VARIABLE_SCALE : fixedScale(scale, precision);
}

/** `$1,234.56`, `-$0.01` or `($0.01)`: digits, point and sign. */
const moneyText = (text: string): string => `${/^[-(]/.test(text) ? "-" : ""}${text.replace(/[^0-9.]/g, "")}`;

export function moneyType(modes: TypeModes): ColumnType {
  const digits = modes.moneyFractionDigits;
  // The snapshot of the reference reads money as a double.
  const plain = (b: Uint8Array, start: number, end: number): string => moneyText(ascii(b, start, end));
  if (modes.decimal === "double")
    return {
      shape: (options) => primitive("FLOAT64", options),
      raw: { form: "decode", decode: (b, start, end) => Number(plain(b, start, end)) },
      neutral: 0,
      unavailable: null,
    };
  if (modes.decimal === "string")
    return {
      shape: (options) => primitive("STRING", options),
      raw: {
        form: "decode",
        decode: (b, start, end) => (modes.snapshot ? javaDouble(Number(plain(b, start, end))) : plain(b, start, end)),
      },
      neutral: "0.0",
      unavailable: null,
    };
  return {
    shape: semantic.decimal(digits, null),
    raw: {
      form: "decode",
      decode(b, start, end) {
        const text = plain(b, start, end);
        return cutToScale(modes.snapshot ? String(Number(text)) : text, digits);
      },
    },
    neutral: new Decimal(0n, digits),
    unavailable: null,
  };
}
