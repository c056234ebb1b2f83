/** DescribeTransactions and ListTransactions. */
import { ErrorCode } from "../../protocol/errors.ts";
import type { ListTransactionsRequest } from "../../protocol/messages/list-transactions.ts";
import { STATUSES, type TransactionState } from "./transaction-state.ts";
import type { TransactionShard } from "./shard.ts";

export function describeTransaction(transactionalId: string, state: TransactionState | undefined) {
  if (state === undefined || state.status === "Dead") return { errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, transactionalId };
  return {
    errorCode: ErrorCode.NONE,
    transactionalId,
    transactionState: state.status,
    transactionTimeoutMs: state.timeoutMs,
    transactionStartTimeMs: state.startMs,
    producerId: state.producerId,
    producerEpoch: state.producerEpoch,
    topics: [...state.partitions].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  };
}

export function listTransactions(
  shards: readonly TransactionShard[],
  request: ListTransactionsRequest,
  nowMs: number,
  matches: (id: string) => boolean,
) {
  const known = new Set<string>(STATUSES);
  const wanted = new Set(request.stateFilters.filter((state) => known.has(state)));
  const unknownStateFilters = request.stateFilters.filter((state) => !known.has(state));
  const ids = new Set(request.producerIdFilters);
  const transactionStates: { transactionalId: string; producerId: number; transactionState: string }[] = [];
  // Only unknown states were asked for: nothing is in them.
  if (request.stateFilters.length > 0 && wanted.size === 0) return { unknownStateFilters, transactionStates };
  for (const shard of shards) {
    for (const { id, state } of shard.transactions.values()) {
      if (wanted.size > 0 && !wanted.has(state.status)) continue;
      if (ids.size > 0 && !ids.has(state.producerId)) continue;
      if (request.durationFilter >= 0 && nowMs - state.startMs <= request.durationFilter) continue;
      if (!matches(id)) continue;
      transactionStates.push({ transactionalId: id, producerId: state.producerId, transactionState: state.status });
    }
  }
  return { unknownStateFilters, transactionStates };
}
