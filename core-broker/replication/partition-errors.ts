/** The log's refusals as the protocol's error codes. */
import { LogError } from "../log/errors.ts";
import { ErrorCode, KafkaError, ProtocolError } from "../protocol/errors.ts";
import type { RecordError } from "./types.ts";

/** INVALID_RECORD or INVALID_TIMESTAMP with what the Produce response says about single records. */
export class InvalidRecordsError extends KafkaError {
  readonly recordErrors: readonly RecordError[];
  constructor(code: number, message: string, recordErrors: readonly RecordError[], cause?: unknown) {
    super(code, message, cause);
    this.recordErrors = recordErrors;
  }
}
export function toKafkaError(error: unknown): unknown {
  // Records that cannot be decompressed or parsed: the producer's fault, not the connection's.
  if (error instanceof ProtocolError) return new KafkaError(ErrorCode.INVALID_RECORD, error.message, error);
  if (isDiskError(error)) return new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, error.message, error);
  if (!(error instanceof LogError)) return error;
  const code = ErrorCode[error.reason];
  if (error.recordErrors.length > 0) return new InvalidRecordsError(code, error.message, error.recordErrors, error);
  return new KafkaError(code, error.message, error);
}
/** Runs and translates. */
export function translated<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw toKafkaError(error);
  }
}
/** What node:fs throws: ENOSPC, EIO, EMFILE … */
const isDiskError = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && typeof error.code === "string" && /^E[A-Z]+$/.test(error.code);
