/**
 * What a request does to a transaction: pure functions from the present state to the next one or to an error code.
 * Source: KIP-98, KIP-360 (epoch recovery), KIP-890 (epoch bump with each transaction).
 */
import { ErrorCode } from "../../protocol/errors.ts";
import { isEpochExhausted, isPreparing, NO_PARTITIONS, NONE, type Partitions, type TransactionState } from "./transaction-state.ts";

/** `next` null: nothing is to be written; the code is the answer. */
export interface Step {
  readonly errorCode: number;
  readonly next: TransactionState | null;
}
const refuse = (errorCode: number): Step => ({ errorCode, next: null });
const go = (next: TransactionState): Step => ({ errorCode: ErrorCode.NONE, next });
const DONE = refuse(ErrorCode.NONE);

export interface Expected {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** InitProducerId outside of a transaction: bumps the epoch, or takes `newProducerId` when the epochs are used up. */
export function initProducer(
  state: TransactionState,
  expected: Expected | null,
  timeoutMs: number,
  newProducerId: number,
  nowMs: number,
): Step {
  if (expected !== null && !maySpeakFor(state, expected)) return refuse(ErrorCode.PRODUCER_FENCED);
  if (isPreparing(state.status)) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS);
  const idle = {
    ...state,
    status: "Empty" as const,
    timeoutMs,
    partitions: NO_PARTITIONS,
    startMs: NONE,
    updateMs: nowMs,
    nextProducerId: NONE,
  };
  const epoch = state.producerEpoch;
  if (isEpochExhausted(epoch) && (expected === null || expected.producerEpoch === epoch)) {
    const lastProducerEpoch = expected === null ? NONE : epoch;
    return go({ ...idle, producerId: newProducerId, previousProducerId: state.producerId, producerEpoch: 0, lastProducerEpoch });
  }
  if (expected === null) return go({ ...idle, producerEpoch: epoch + 1, lastProducerEpoch: NONE });
  if (epoch === NONE || expected.producerEpoch === epoch) return go({ ...idle, producerEpoch: epoch + 1, lastProducerEpoch: epoch });
  // The same request again, its first answer got lost: the epoch is not bumped twice.
  if (expected.producerEpoch === state.lastProducerEpoch) return go(idle);
  return refuse(ErrorCode.PRODUCER_FENCED);
}
export const maySpeakFor = (state: TransactionState, expected: Expected): boolean =>
  state.producerEpoch === NONE ||
  expected.producerId === state.producerId ||
  (expected.producerId === state.previousProducerId && isEpochExhausted(expected.producerEpoch));

/** The ongoing transaction is aborted under a new epoch, so that its producer is fenced everywhere. */
export const fenceAndAbort = (state: TransactionState, nowMs: number): TransactionState => ({
  ...state,
  status: "PrepareAbort",
  producerEpoch: Math.min(state.producerEpoch + 1, 32_767),
  lastProducerEpoch: NONE,
  updateMs: nowMs,
});

export function checkProducer(state: TransactionState, producer: Expected): number {
  if (state.producerId !== producer.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
  if (state.producerEpoch !== producer.producerEpoch) return ErrorCode.PRODUCER_FENCED;
  return isPreparing(state.status) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE;
}

export function addPartitions(state: TransactionState, producer: Expected, added: Partitions, clientVersion: number, nowMs: number): Step {
  const refused = checkProducer(state, producer);
  if (refused !== ErrorCode.NONE) return refuse(refused);
  const ongoing = state.status === "Ongoing";
  if (ongoing && containsAll(state.partitions, added)) return DONE;
  const partitions = new Map(ongoing ? state.partitions : []);
  for (const [topic, numbers] of added) partitions.set(topic, new Set([...(partitions.get(topic) ?? []), ...numbers]));
  return go({ ...state, status: "Ongoing", partitions, startMs: ongoing ? state.startMs : nowMs, updateMs: nowMs, clientVersion });
}
const containsAll = (partitions: Partitions, wanted: Partitions): boolean =>
  wanted.entries().every(([topic, numbers]) => numbers.isSubsetOf(partitions.get(topic) ?? new Set()));

/** EndTxn before v5: the epoch stays, a repeated request is told what happened. */
export function endTransactionV1(state: TransactionState, producer: Expected, commit: boolean, nowMs: number): Step {
  if (state.producerId !== producer.producerId) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  if (state.producerEpoch !== producer.producerEpoch) return refuse(ErrorCode.PRODUCER_FENCED);
  switch (state.status) {
    case "Ongoing":
      return go({
        ...state,
        status: commit ? "PrepareCommit" : "PrepareAbort",
        updateMs: nowMs,
        clientVersion: Math.min(state.clientVersion, 1),
      });
    case "PrepareCommit":
    case "PrepareAbort":
      return refuse(commit === (state.status === "PrepareCommit") ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.INVALID_TXN_STATE);
    case "CompleteCommit":
    case "CompleteAbort":
      return commit === (state.status === "CompleteCommit") ? DONE : refuse(ErrorCode.INVALID_TXN_STATE);
    default:
      return refuse(ErrorCode.INVALID_TXN_STATE);
  }
}

/** EndTxn 5+: the epoch is bumped, so that nothing of this transaction can reach the next one. */
export function endTransactionV2(state: TransactionState, producer: Expected, commit: boolean, newProducerId: number, nowMs: number): Step {
  const overflowed =
    state.previousProducerId === producer.producerId && isEpochExhausted(producer.producerEpoch) && state.producerEpoch === 0;
  const repeated = overflowed || state.producerEpoch === producer.producerEpoch + 1;
  const same = state.producerEpoch === producer.producerEpoch;
  if (state.producerId !== producer.producerId && !overflowed) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  const end = (status: "PrepareCommit" | "PrepareAbort", startMs: number): Step =>
    go({
      ...state,
      status,
      producerEpoch: state.producerEpoch + 1,
      lastProducerEpoch: state.producerEpoch,
      nextProducerId: isEpochExhausted(state.producerEpoch) ? newProducerId : NONE,
      partitions: status === "PrepareAbort" && state.status !== "Ongoing" ? NO_PARTITIONS : state.partitions,
      startMs,
      updateMs: nowMs,
      clientVersion: 2,
    });
  switch (state.status) {
    case "Ongoing":
      return same ? end(commit ? "PrepareCommit" : "PrepareAbort", state.startMs) : refuse(ErrorCode.PRODUCER_FENCED);
    case "PrepareCommit":
    case "PrepareAbort":
      if (!repeated) return refuse(ErrorCode.PRODUCER_FENCED);
      return refuse(commit === (state.status === "PrepareCommit") ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.INVALID_TXN_STATE);
    case "CompleteCommit":
    case "CompleteAbort":
      if (!repeated && !same) return refuse(ErrorCode.PRODUCER_FENCED);
      if (repeated) return commit === (state.status === "CompleteCommit") ? DONE : refuse(ErrorCode.INVALID_TXN_STATE);
      // A transaction to which nothing was added may be aborted, not committed.
      return commit ? refuse(ErrorCode.INVALID_TXN_STATE) : end("PrepareAbort", nowMs);
    case "Empty":
      if (!same) return refuse(ErrorCode.PRODUCER_FENCED);
      return commit ? refuse(ErrorCode.INVALID_TXN_STATE) : end("PrepareAbort", nowMs);
    default:
      return refuse(ErrorCode.INVALID_TXN_STATE);
  }
}

/** All markers are written. */
export function complete(state: TransactionState, nowMs: number): TransactionState {
  const rotated = state.nextProducerId !== NONE;
  return {
    ...state,
    status: state.status === "PrepareCommit" ? "CompleteCommit" : "CompleteAbort",
    producerId: rotated ? state.nextProducerId : state.producerId,
    previousProducerId: rotated ? state.producerId : state.previousProducerId,
    nextProducerId: NONE,
    producerEpoch: rotated ? 0 : state.producerEpoch,
    partitions: NO_PARTITIONS,
    updateMs: nowMs,
  };
}
