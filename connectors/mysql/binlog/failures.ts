/** What the decoder refuses, as typed errors. The connector's folder says what to do about them. */

/**
 * truncated: an event, a cell or a document ends before its content. checksum: the CRC-32 does not match. unsupported: a form that
 * this decoder does not know. corrupt: contradicts itself. too-large: unpacked it would be larger than allowed.
 */
export type BinlogErrorCode = "truncated" | "checksum" | "unsupported" | "corrupt" | "too-large";

export class BinlogError extends Error {
  readonly code: BinlogErrorCode;
  constructor(code: BinlogErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "BinlogError";
    this.code = code;
  }
}
export const truncated = (what: string): BinlogError => new BinlogError("truncated", `${what} ends before its content`);
