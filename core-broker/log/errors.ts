/** What the log refuses with. `reason` is the name of Kafka's error code; replication turns it into a KafkaError. */
export type LogReason =
  | "OFFSET_OUT_OF_RANGE"
  | "CORRUPT_MESSAGE"
  | "MESSAGE_TOO_LARGE"
  | "RECORD_LIST_TOO_LARGE"
  | "INVALID_RECORD"
  | "INVALID_TIMESTAMP"
  | "UNSUPPORTED_FOR_MESSAGE_FORMAT"
  | "OUT_OF_ORDER_SEQUENCE_NUMBER"
  | "DUPLICATE_SEQUENCE_NUMBER"
  | "INVALID_PRODUCER_EPOCH"
  | "INVALID_TXN_STATE"
  | "TRANSACTION_COORDINATOR_FENCED"
  | "KAFKA_STORAGE_ERROR";

export class LogError extends Error {
  override readonly name = "LogError";
  readonly reason: LogReason;
  /** Which batch of the call is at fault and why, for INVALID_RECORD. */
  readonly recordErrors: readonly { batchIndex: number; message: string }[];
  constructor(reason: LogReason, message: string, options: { cause?: unknown; recordErrors?: LogError["recordErrors"] } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.recordErrors = options.recordErrors ?? [];
  }
}
