/**
 * Log sequence numbers: ten bytes, written `xxxxxxxx:xxxxxxxx:xxxx` in lower-case hex. All texts have the same length, so they
 * compare as the bytes do.
 */
export type Lsn = string;

/** Stands in offsets for no value; nothing of the server is smaller. */
export const NO_LSN = "NULL";
export const ZERO_LSN: Lsn = "00000000:00000000:0000";
/** After everything: where the capture job has not come to an instance yet. */
export const NOT_BEGUN: Lsn = "ffffffff:ffffffff:ffff";

export function lsnText(b: Uint8Array): Lsn {
  const hex = Buffer.prototype.toString.call(b, "hex", 0, 10);
  return `${hex.slice(0, 8)}:${hex.slice(8, 16)}:${hex.slice(16, 20)}`;
}
export const lsnBytes = (lsn: Lsn): Buffer => Buffer.from(lsn.replaceAll(":", ""), "hex");
export const isLsn = (text: unknown): text is Lsn => typeof text === "string" && /^[0-9a-f]{8}:[0-9a-f]{8}:[0-9a-f]{4}$/.test(text);
/** Null (no value) is before everything. */
export const compareLsn = (a: Lsn | null, b: Lsn | null): number => (a === b ? 0 : a === null ? -1 : b === null ? 1 : a < b ? -1 : 1);
/** The next one (`sys.fn_cdc_increment_lsn`): a number of ten bytes, plus one. */
export function nextLsn(lsn: Lsn): Lsn {
  const hex = (BigInt(`0x${lsn.replaceAll(":", "")}`) + 1n).toString(16).padStart(20, "0");
  return `${hex.slice(0, 8)}:${hex.slice(8, 16)}:${hex.slice(16, 20)}`;
}
