/** What a thrown error becomes in an answer that has a place for a code. */
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import type { Logger } from "../base/logger.ts";

export interface Failure {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}
/** A KafkaError is an answer; anything else is our fault: logged here, and told as UNKNOWN_SERVER_ERROR. */
export function failureOf(error: unknown, logger: Logger): Failure {
  if (error instanceof KafkaError) return { errorCode: error.code, errorMessage: error.message === error.name ? null : error.message };
  logger.error("request failed", { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null };
}
