/** bool, bytea, bit and bit varying. */
import { primitive } from "#connect/api/schema";
import { binaryColumn } from "../cdc/binary-text.ts";
import * as semantic from "../cdc/semantic-types.ts";
import { ascii, utf8 } from "../cdc/cell-bytes.ts";
import type { ColumnType, TypeModes } from "./column-type.ts";

export const boolType: ColumnType = {
  shape: (options) => primitive("BOOLEAN", options),
  raw: { form: "bool", decode: (b, start, end) => b[start] === 0x74 && (end - start === 1 || b[start + 1] === 0x72) },
  neutral: false,
  unavailable: null,
  generatedDefault: "false",
};

/** bytea text: `\x` and hex digits, or the old escape format. */
export function byteaBytes(b: Uint8Array, start: number, end: number): Buffer {
  if (b[start] === 0x5c && b[start + 1] === 0x78) return Buffer.from(ascii(b, start + 2, end), "hex");
  const text = ascii(b, start, end);
  return Buffer.from(
    text.replace(/\\(\\|[0-7]{3})/g, (_, e: string) => (e === "\\" ? "\\" : String.fromCharCode(Number.parseInt(e, 8)))),
    "latin1",
  );
}

/** `bytesOf` reads a cell. */
export function binaryType(modes: TypeModes, bytesOf: (b: Uint8Array, start: number, end: number) => Buffer): ColumnType {
  const text = modes.binary !== "bytes";
  return {
    shape: (options) => primitive(text ? "STRING" : "BYTES", options),
    raw: binaryColumn(modes.binary, bytesOf),
    neutral: text ? "" : Buffer.alloc(0),
    // In the text modes the placeholder is shown as it is.
    unavailable: text ? modes.placeholder.toString("utf8") : modes.placeholder,
  };
}

/** Bits from text `1011`, the last digit being bit 0, as little-endian bytes without zero bytes at the top. */
export function bitBytes(text: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(text.length / 8));
  let used = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(text.length - 1 - i) !== 0x31) continue;
    const at = i >> 3;
    bytes[at] = (bytes[at] ?? 0) | (1 << (i & 7));
    used = at + 1;
  }
  return bytes.subarray(0, used);
}
/** `length` null: bit varying without a limit. At most one bit is a boolean. */
export function bitType(length: number | null): ColumnType {
  if (length === 1)
    return {
      shape: (options) => primitive("BOOLEAN", options),
      raw: { form: "decode", decode: (b, start) => b[start] === 0x31 },
      neutral: false,
      unavailable: null,
      generatedDefault: "0",
    };
  return bitsType(length ?? 2_147_483_647);
}
export function bitsType(length: number): ColumnType {
  return {
    shape: semantic.bits(length),
    raw: { form: "decode", decode: (b, start, end) => bitBytes(ascii(b, start, end)) },
    neutral: Buffer.alloc(0),
    unavailable: null,
    generatedDefault: "0",
  };
}
export const stringCell = (b: Uint8Array, start: number, end: number): string => utf8(b, start, end);
