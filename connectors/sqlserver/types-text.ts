/** Character types, xml, uniqueidentifier; binary types. */
import type { RawColumn } from "#connect/api/raw-row";
import { primitive } from "#connect/api/schema";
import { binaryColumn, binaryText } from "../cdc/binary-text.ts";
import { utf8 } from "../cdc/cell-bytes.ts";
import type { HandlingModes } from "../cdc/handling-modes.ts";
import type { ColumnType } from "./column-type.ts";
import { innerText } from "./types-numeric.ts";

const TEXT: RawColumn = { form: "text", decode: utf8 };

/** Between the first and the last quote; a function call is what stands between its parentheses. */
function textDefault(text: string): string | undefined {
  const first = text.indexOf("'"),
    last = text.lastIndexOf("'");
  if (first >= 0 && last > first) return text.slice(first + 1, last);
  return innerText(text) ?? undefined;
}
export const characterType: ColumnType = {
  shape: (options) => primitive("STRING", options),
  neutral: "",
  textual: true,
  encode: (value, out) => out.utf8(String(value)),
  raw: TEXT,
  defaultOf: textDefault,
};
/** No default is shown, it can only be a function's. */
export const opaqueTextType: ColumnType = { ...characterType, defaultOf: () => undefined };

export function binaryType(modes: HandlingModes): ColumnType {
  const asText = modes.binary !== "bytes";
  const cell = (b: Uint8Array, start: number, end: number): Buffer => Buffer.from(b.subarray(start, end));
  const shown = (bytes: Buffer): string | Buffer => (asText ? binaryText(bytes, modes.binary) : bytes);
  return {
    shape: (options) => primitive(asText ? "STRING" : "BYTES", options),
    neutral: asText ? "" : Buffer.alloc(0),
    encode: (value, out) => out.raw(value as Uint8Array),
    raw: binaryColumn(modes.binary, cell),
    defaultOf(text) {
      const hex = /^\(0x([0-9a-fA-F]*)\)$/.exec(text)?.[1];
      return hex === undefined ? undefined : shown(Buffer.from(hex, "hex"));
    },
  };
}
