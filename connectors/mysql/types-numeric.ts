/** Integers, floats, DECIMAL, YEAR and BIT. */
import type { RawColumn } from "#connect/api/raw-row";
import { primitive } from "#connect/api/schema";
import { type ConnectValue, Decimal } from "#connect/api/value";
import { ascii, javaDouble, writeAscii, writeInteger } from "../cdc/cell-bytes.ts";
import { cutToScale, decimalText, DOUBLE_TEXT, shortestFloat, STRING_TEXT, writeSmallDecimal } from "../cdc/decimal-text.ts";
import * as semantic from "../cdc/semantic-types.ts";
import { DECIMAL_TEXT_MAX, EXACT_DIGITS_MAX, unscaledDecimal, writeDecimal } from "./binlog/cells-decimal.ts";
import type { TableColumn } from "./binlog/types.ts";
import { type ColumnType, decoded, type TypeModes } from "./column-type.ts";

const numberOf = (b: Uint8Array, start: number, end: number): number => Number(ascii(b, start, end));
const NUMBER: RawColumn = { form: "verbatim", decode: numberOf };
/** ZEROFILL pads the text with zeros, which JSON does not allow. */
const PADDED: RawColumn = {
  form: "writer",
  decode: numberOf,
  write(b, start, end, out) {
    writeInteger(out, Number(ascii(b, start, end)));
    return true;
  },
};

/** A little-endian integer of at most 48 bits. */
export function littleEndian(b: Uint8Array, start: number, end: number): number {
  let value = 0,
    scale = 1;
  for (let i = start; i < end; i++) {
    value += (b[i] as number) * scale;
    scale *= 256;
  }
  return value;
}
function integerCell(unsigned: boolean): (b: Uint8Array, start: number, end: number) => number {
  if (unsigned) return littleEndian;
  return (b, start, end) => {
    const value = littleEndian(b, start, end);
    return (b[end - 1] as number) < 128 ? value : value - 2 ** ((end - start) * 8);
  };
}
const low = (b: Uint8Array, at: number): number =>
  (b[at] as number) + (b[at + 1] as number) * 0x100 + (b[at + 2] as number) * 0x10000 + (b[at + 3] as number) * 0x1000000;

function long64(b: Uint8Array, start: number, unsigned: boolean): bigint {
  const value = (BigInt(low(b, start + 4)) << 32n) | BigInt(low(b, start));
  return unsigned ? value : BigInt.asIntN(64, value);
}
/** BIGINT; `unsigned` false also where `bigint.unsigned.handling.mode` is long: the bits are taken as signed, as in Java. */
const LONG64: RawColumn = {
  form: "writer",
  decode: (b, start) => long64(b, start, false),
  write(b, start, _end, out) {
    const high = low(b, start + 4) | 0;
    if (high >= -0x200000 && high < 0x200000) writeInteger(out, high * 0x100000000 + low(b, start));
    else writeAscii(out, long64(b, start, false).toString());
    return true;
  },
};
const asNumber = (width: "INT16" | "INT32" | "INT64", cell: (b: Uint8Array, start: number, end: number) => number): RawColumn => ({
  form: "writer",
  decode: (b, start, end) => (width === "INT64" ? BigInt(cell(b, start, end)) : cell(b, start, end)),
  write(b, start, end, out) {
    writeInteger(out, cell(b, start, end));
    return true;
  },
});
/** Integers of a default, whatever was written: `5`, `5.0`, `true`. */
function integerDefault(text: string, wide: boolean): ConnectValue | undefined {
  if (/^(true|false)$/i.test(text)) return wide ? BigInt(/^t/i.test(text)) : Number(/^t/i.test(text));
  if (/^[+-]?\d+$/.test(text)) {
    const value = BigInt(text);
    if (!wide) return Number(value);
    const max = 2n ** 63n - 1n;
    return value > max ? max : value < -max - 1n ? -max - 1n : value;
  }
  const value = Math.round(Number(text));
  return Number.isNaN(value) || text.trim() === "" ? undefined : wide ? BigInt(value) : value;
}
export function integerType(width: "INT16" | "INT32" | "INT64", unsigned: boolean, zerofill = false): ColumnType {
  const wide = width === "INT64";
  const text: RawColumn = zerofill
    ? { ...PADDED, decode: (b, s, e) => (wide ? BigInt(ascii(b, s, e)) : Number(ascii(b, s, e))) }
    : wide
      ? { form: "verbatim", decode: (b, s, e) => BigInt(ascii(b, s, e)) }
      : NUMBER;
  const cell = asNumber(width, integerCell(unsigned));
  return {
    shape: (options) => primitive(width, options),
    neutral: wide ? 0n : 0,
    text,
    binlog: () => cell,
    defaultOf: (t) => integerDefault(t, wide),
  };
}

/** Text of a BIGINT UNSIGNED; above 2^63 as the signed number with the same bits. */
const UNSIGNED_TEXT: RawColumn = {
  form: "writer",
  decode: (b, start, end) => BigInt.asIntN(64, BigInt(ascii(b, start, end))),
  write(b, start, end, out) {
    const text = ascii(b, start, end);
    writeAscii(out, end - start < 19 && b[start] !== 0x30 ? text : BigInt.asIntN(64, BigInt(text)).toString());
    return true;
  },
};
export function bigintType(unsigned: boolean, modes: TypeModes): ColumnType {
  if (!unsigned || modes.bigintUnsigned === "long")
    return {
      shape: (options) => primitive("INT64", options),
      neutral: 0n,
      text: unsigned ? UNSIGNED_TEXT : { form: "verbatim", decode: (b, s, e) => BigInt(ascii(b, s, e)) },
      binlog: () => LONG64,
      defaultOf: (t) => integerDefault(t, true),
    };
  return {
    shape: semantic.decimal(0, 20),
    neutral: new Decimal(0n, 0),
    text: decoded((b, s, e) => new Decimal(BigInt(ascii(b, s, e)), 0)),
    binlog: () => decoded((b, s) => new Decimal(long64(b, s, true), 0)),
    defaultOf: (t) => Decimal.parse(t) ?? undefined,
  };
}

const view = new DataView(new ArrayBuffer(8));
function ieee(b: Uint8Array, start: number, bytes: 4 | 8): number {
  for (let i = 0; i < bytes; i++) view.setUint8(i, b[start + i] as number);
  return bytes === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
}
const numberDefault = (text: string): number | undefined => {
  const value = Number(text);
  return text.trim() === "" || Number.isNaN(value) ? undefined : value;
};
/** `single`: a FLOAT that is shown as one; FLOAT(M,D) is shown as a double with the float's bits. */
export function floatType(single: boolean, storedSingle: boolean): ColumnType {
  const shown = (value: number): number => (single ? shortestFloat(value) : storedSingle ? Math.fround(value) : value);
  const four = decoded((b, s) => shown(ieee(b, s, 4))),
    eight = decoded((b, s) => ieee(b, s, 8));
  const writer = (column: RawColumn): RawColumn => ({
    form: "writer",
    decode: (b, start, end) => column.decode(b, start, end),
    write(b, start, end, out) {
      writeAscii(out, javaDouble(column.decode(b, start, end) as number));
      return true;
    },
  });
  return {
    shape: (options) => primitive(single ? "FLOAT32" : "FLOAT64", options),
    neutral: 0,
    text: writer(decoded((b, s, e) => (single ? Number(ascii(b, s, e)) : shown(Number(ascii(b, s, e)))))),
    binlog: (wire) => writer(wire.length === 4 ? four : eight),
    defaultOf: numberDefault,
  };
}

const digitsText = Buffer.alloc(DECIMAL_TEXT_MAX);
/** A packed decimal by way of its text, which the snapshot's column reads. */
function unpacked(wire: TableColumn, column: RawColumn): RawColumn {
  const text = (b: Uint8Array, start: number): number => writeDecimal(b, start, wire.length, wire.scale, digitsText, 0);
  return {
    form: "writer",
    decode: (b, start) => column.decode(digitsText, 0, text(b, start)),
    write: (b, start, _end, out) => column.write?.(digitsText, 0, text(b, start), out) ?? false,
  };
}
/** At most 15 digits: straight from the groups to the bytes of the integer. */
function preciseCell(wire: TableColumn, scale: number): RawColumn {
  const slow = unpacked(wire, decimalText(scale, cutToScale));
  if (wire.scale !== scale || wire.length > EXACT_DIGITS_MAX) return slow;
  return {
    ...slow,
    write(b, start, _end, out) {
      writeSmallDecimal(out, unscaledDecimal(b, start, wire.length, scale));
      return true;
    },
  };
}
export function decimalType(precision: number, scale: number, modes: TypeModes): ColumnType {
  if (modes.decimal === "double")
    return {
      shape: (options) => primitive("FLOAT64", options),
      neutral: 0,
      text: DOUBLE_TEXT,
      binlog: (wire) => unpacked(wire, DOUBLE_TEXT),
      defaultOf: numberDefault,
    };
  if (modes.decimal === "string")
    return {
      shape: (options) => primitive("STRING", options),
      neutral: new Decimal(0n, scale).toPlainString(),
      text: STRING_TEXT,
      binlog: (wire) => unpacked(wire, STRING_TEXT),
      defaultOf: (t) => cutToScale(t, scale)?.toPlainString(),
    };
  return {
    shape: semantic.decimal(scale, precision),
    neutral: new Decimal(0n, scale),
    text: decimalText(scale, cutToScale),
    binlog: (wire) => preciseCell(wire, scale),
    defaultOf: (t) => cutToScale(t, scale) ?? undefined,
  };
}

/** Two digits stand for 1970 to 2069, as in the server's own reading of them. */
export const adjustedYear = (year: number, modes: TypeModes): number =>
  !modes.adjustYears || year < 0 || year > 99 ? year : year + (year < 70 ? 2000 : 1900);

export function yearType(modes: TypeModes): ColumnType {
  return {
    shape: semantic.year,
    neutral: 0,
    text: decoded((b, s, e) => adjustedYear(Number(ascii(b, s, e)), modes)),
    // The reference's reader of the log takes 0 for 1900.
    binlog: () => decoded((b, s) => 1900 + (b[s] as number)),
    defaultOf: (t) => {
      const year = numberDefault(t);
      return year === undefined ? undefined : adjustedYear(year, modes);
    },
  };
}

/** Big-endian in both protocols, little-endian in events. */
function reversed(b: Uint8Array, start: number, end: number): Buffer {
  const out = Buffer.allocUnsafe(end - start);
  for (let i = start; i < end; i++) out[end - 1 - i] = b[i] as number;
  return out;
}
/** A single bit is a boolean. The default's text is its binary digits. */
export function bitType(length: number): ColumnType {
  if (length === 1) {
    const column = decoded((b, start, end) => (b[end - 1] as number) !== 0 && end > start);
    return {
      shape: (options) => primitive("BOOLEAN", options),
      neutral: false,
      text: column,
      binlog: () => column,
      defaultOf: (t) => /1/.test(t) || /^true$/i.test(t),
    };
  }
  const column = decoded(reversed);
  const bytes = Math.ceil(length / 8);
  return {
    shape: semantic.bits(length),
    neutral: Buffer.alloc(bytes),
    text: column,
    binlog: () => column,
    defaultOf(t) {
      if (!/^[01]+$/.test(t)) return undefined;
      const hex = BigInt(`0b${t}`)
        .toString(16)
        .padStart(bytes * 2, "0");
      return reversed(Buffer.from(hex, "hex"), 0, hex.length / 2);
    },
  };
}
