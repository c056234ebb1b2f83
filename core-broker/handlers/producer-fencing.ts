import { ErrorCode } from "../protocol/errors.ts";

/** PRODUCER_FENCED came late: clients of older versions know INVALID_PRODUCER_EPOCH for it. */
export const fencingCode = (code: number, version: number, since: number): number =>
  code === ErrorCode.PRODUCER_FENCED && version < since ? ErrorCode.INVALID_PRODUCER_EPOCH : code;
