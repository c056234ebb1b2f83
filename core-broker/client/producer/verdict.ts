/**
 * What an answer to Produce means for a batch. Sources: protocol guide, KIP-98 (sequences), KIP-360 (recoverable
 * UNKNOWN_PRODUCER_ID), KIP-890 (TRANSACTION_ABORTABLE).
 */
import { ErrorCode, isRetriable } from "../../protocol/errors.ts";

export type Verdict =
  | "acked"
  /** Send the same bytes again. */
  | "retry"
  /** Send again under a new epoch with sequences from 0. */
  | "renumber"
  /** Too large as one: send in parts. */
  | "split"
  | "failed"
  /** The producer itself is at its end. */
  | "fatal";

export interface BatchSituation {
  readonly idempotent: boolean;
  readonly transactional: boolean;
  /** No older batch of the partition is without an answer. */
  readonly oldest: boolean;
  readonly records: number;
}
const FATAL: ReadonlySet<number> = new Set([
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.UNSUPPORTED_VERSION,
]);
const SEQUENCE_LOST: ReadonlySet<number> = new Set([
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
]);

export function verdict(code: number, situation: BatchSituation): Verdict {
  if (code === ErrorCode.NONE) return "acked";
  // The broker has it already: an answer was lost, and this was the retry.
  if (code === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) return "acked";
  if (isRetriable(code)) return "retry";
  if (code === ErrorCode.MESSAGE_TOO_LARGE && situation.records > 1) return "split";
  if (FATAL.has(code)) return "fatal";
  if (situation.idempotent && SEQUENCE_LOST.has(code)) {
    // It overtook an older batch that failed; in its turn it will be accepted.
    if (code === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && !situation.oldest) return "retry";
    return situation.transactional ? "failed" : "renumber";
  }
  return "failed";
}
