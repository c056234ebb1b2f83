/** One transactional id's state, as it stands in __transaction_state. Values are never changed, only replaced. */
import { decodeRecord, encodeRecord } from "../../protocol/record-codec.ts";
import { transactionLogKey, transactionLogValue } from "../../protocol/state/transaction-records.ts";
import { encodeKey } from "../records.ts";
import type { StateRecord } from "../types.ts";

/** In the order of their status byte. */
export const STATUSES = [
  "Empty",
  "Ongoing",
  "PrepareCommit",
  "PrepareAbort",
  "CompleteCommit",
  "CompleteAbort",
  "Dead",
  "PrepareEpochFence",
] as const;
export type Status = (typeof STATUSES)[number];
/** Topic → partition numbers. */
export type Partitions = ReadonlyMap<string, ReadonlySet<number>>;
export const NO_PARTITIONS: Partitions = new Map();
export const NONE = -1;
/** The last epoch that is given out; a bump beyond it takes a new producer id. */
const EPOCH_MAX = 32_766;

export interface TransactionState {
  readonly status: Status;
  readonly producerId: number;
  /** The producer id before the last rotation; -1: none. */
  readonly previousProducerId: number;
  /** Set while a transaction ends whose epoch is used up (KIP-890); -1: none. */
  readonly nextProducerId: number;
  /** -1: never given out. */
  readonly producerEpoch: number;
  /** The epoch before the last bump: a repeated request may still name it. Not in the log. */
  readonly lastProducerEpoch: number;
  readonly timeoutMs: number;
  readonly partitions: Partitions;
  /** -1: no transaction. */
  readonly startMs: number;
  readonly updateMs: number;
  /** 2: the client knows KIP-890's second half, each end of a transaction bumps the epoch. */
  readonly clientVersion: number;
}

export const freshState = (producerId: number, timeoutMs: number, nowMs: number): TransactionState => ({
  status: "Empty",
  producerId,
  previousProducerId: NONE,
  nextProducerId: NONE,
  producerEpoch: NONE,
  lastProducerEpoch: NONE,
  timeoutMs,
  partitions: NO_PARTITIONS,
  startMs: NONE,
  updateMs: nowMs,
  clientVersion: 0,
});
export const isEpochExhausted = (epoch: number): boolean => epoch >= EPOCH_MAX;
export const isPreparing = (status: Status): boolean => status === "PrepareCommit" || status === "PrepareAbort";

export function transactionRecord(transactionalId: string, state: TransactionState | null): StateRecord {
  const key = encodeKey(transactionLogKey, { transactionalId });
  if (state === null) return { key, value: null };
  const topics = [...state.partitions].map(([topic, partitions]) => ({ topic, partitionIds: [...partitions] }));
  const value = encodeRecord(transactionLogValue, 1, {
    producerId: state.producerId,
    previousProducerId: state.previousProducerId,
    nextProducerId: state.nextProducerId,
    producerEpoch: state.producerEpoch,
    transactionTimeoutMs: state.timeoutMs,
    transactionStatus: STATUSES.indexOf(state.status),
    transactionPartitions: state.status === "Empty" ? null : topics,
    transactionLastUpdateTimestampMs: state.updateMs,
    transactionStartTimestampMs: state.startMs,
    clientTransactionVersion: state.clientVersion,
  });
  return { key, value };
}

/** State null: the id has expired. */
export function readTransactionRecord(record: StateRecord): { transactionalId: string; state: TransactionState | null } {
  const { transactionalId } = decodeRecord(transactionLogKey, record.key, 0);
  if (record.value === null) return { transactionalId, state: null };
  const value = decodeRecord(transactionLogValue, record.value);
  const state: TransactionState = {
    status: STATUSES[value.transactionStatus] ?? "Dead",
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: NONE,
    timeoutMs: value.transactionTimeoutMs,
    partitions: new Map((value.transactionPartitions ?? []).map(({ topic, partitionIds }) => [topic, new Set(partitionIds)])),
    startMs: value.transactionStartTimestampMs,
    updateMs: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  };
  return { transactionalId, state };
}
