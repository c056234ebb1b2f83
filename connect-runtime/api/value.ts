/**
 * Values of records. With a schema: INT8/16/32 and FLOAT32/64 are numbers, INT64 is a bigint, BYTES is a Uint8Array,
 * ARRAY an array, MAP a Map, STRUCT a Struct; the logical types Date, Time and Timestamp are a Date (UTC milliseconds),
 * Decimal is a Decimal.
 *
 * Without a schema the runtime type has to speak for itself: a bigint is Java's Long, a number its Double; the narrow
 * ones (Byte, Short, Integer, Float, BigInteger) come wrapped in a Boxed.
 */
import type { Struct } from "./struct.ts";

export type ConnectValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | Decimal
  | Boxed
  | Struct
  | ConnectArray
  | ConnectMap;
export interface ConnectArray extends ReadonlyArray<ConnectValue> {}
export interface ConnectMap extends ReadonlyMap<ConnectValue, ConnectValue> {}

/** java.math.BigDecimal: unscaled × 10^-scale. The scale is significant: 1.50 is not 1.5. */
export class Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }
  /** From plain or scientific notation; null when the text is no number. The digits after the point give the scale. */
  static parse(text: string): Decimal | null {
    const m = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/.exec(text);
    if (m === null) return null;
    const whole = m[2] ?? "",
      fraction = m[3] ?? "";
    if (whole === "" && fraction === "") return null;
    const digits = BigInt(whole + fraction);
    return new Decimal(m[1] === "-" ? -digits : digits, fraction.length - Number(m[4] ?? 0));
  }
  /** BigDecimal.toPlainString(). */
  toPlainString(): string {
    const negative = this.unscaled < 0n;
    let digits = (negative ? -this.unscaled : this.unscaled).toString();
    if (this.scale < 0) digits = this.unscaled === 0n ? "0" : digits + "0".repeat(-this.scale);
    else if (this.scale > 0) {
      digits = digits.padStart(this.scale + 1, "0");
      digits = `${digits.slice(0, -this.scale)}.${digits.slice(-this.scale)}`;
    }
    return negative ? `-${digits}` : digits;
  }
  /** BigDecimal.toString(): scientific for negative scales and tiny numbers. */
  toString(): string {
    const digits = (this.unscaled < 0n ? -this.unscaled : this.unscaled).toString();
    const exponent = digits.length - 1 - this.scale;
    if (this.scale >= 0 && exponent >= -6) return this.toPlainString();
    const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
    return `${this.unscaled < 0n ? "-" : ""}${mantissa}${exponent === 0 ? "" : `E${exponent > 0 ? "+" : ""}${exponent}`}`;
  }
}

export type BoxedType = "int8" | "int16" | "int32" | "float32" | "bigint";
/** A schemaless value whose Java class JavaScript's own types cannot tell. */
export class Boxed {
  readonly type: BoxedType;
  readonly value: number | bigint;
  constructor(type: BoxedType, value: number | bigint) {
    this.type = type;
    this.value = value;
  }
}
