/** A key's values as one text, to tell rows apart; the same for a row of a query and of the log. */
import { Struct } from "#connect/api/struct";
import { type ConnectValue, Decimal } from "#connect/api/value";

function text(value: ConnectValue): string {
  if (value === null) return "\\N";
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
  if (value instanceof Decimal) return value.toPlainString();
  if (value instanceof Date) return String(value.getTime());
  if (value instanceof Struct) return value.slots.map(text).join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
export const keyText = (key: Struct | null): string => (key === null ? "" : key.slots.map(text).join("\t"));
