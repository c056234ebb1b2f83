/** Binary columns in every `binary.handling.mode`. */
import type { RawColumn } from "#connect/api/raw-row";
import { writeAscii } from "./cell-bytes.ts";

export type BinaryMode = "bytes" | "base64" | "base64-url-safe" | "hex";

/** The text of bytes in the modes that show them as text; base64 in `bytes`, as in JSON. */
export function binaryText(bytes: Buffer, mode: BinaryMode): string {
  if (mode === "hex") return bytes.toString("hex");
  const base64 = bytes.toString("base64");
  return mode === "base64-url-safe" ? base64.replaceAll("+", "-").replaceAll("/", "_") : base64;
}
/** `bytesOf` reads a cell. */
export function binaryColumn(mode: BinaryMode, bytesOf: (b: Uint8Array, start: number, end: number) => Buffer): RawColumn {
  const asText = mode !== "bytes";
  return {
    form: "writer",
    decode: (b, start, end) => (asText ? binaryText(bytesOf(b, start, end), mode) : bytesOf(b, start, end)),
    write(b, start, end, out) {
      writeAscii(out, `"${binaryText(bytesOf(b, start, end), mode)}"`);
      return true;
    },
  };
}
