/**
 * Whether a transactional Produce may be appended (KIP-890). The produce handler asks only for partitions in which the
 * producer has no transaction open yet (`Partition.hasOngoingTransaction`).
 */
import { ErrorCode } from "../../protocol/errors.ts";
import type { TransactionalWrite } from "../types.ts";
import type { TransactionCoordinator } from "./coordinator.ts";

/** The code for one partition. Call it right before the append, with nothing awaited in between. */
export type WriteAdmission = (topic: string, partition: number) => number;

const COORDINATOR_AWAY: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
]);
/** Producers do not expect a coordinator's codes in a Produce answer: they retry on NOT_ENOUGH_REPLICAS. */
function produceCode(code: number, implicit: boolean): number {
  if (COORDINATOR_AWAY.has(code)) return ErrorCode.NOT_ENOUGH_REPLICAS;
  if (code === ErrorCode.CONCURRENT_TRANSACTIONS && !implicit) return ErrorCode.NOT_ENOUGH_REPLICAS;
  if (code === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH;
  // Before Produce 12 clients do not know TRANSACTION_ABORTABLE.
  if (code === ErrorCode.TRANSACTION_ABORTABLE && !implicit) return ErrorCode.INVALID_TXN_STATE;
  return code;
}

export async function admitWrite(transactions: TransactionCoordinator, write: TransactionalWrite): Promise<WriteAdmission> {
  const { transactionalId, joinsImplicitly } = write;
  if (joinsImplicitly) {
    const added = new Map(write.topics.map(({ name, partitions }) => [name, new Set(partitions)]));
    const code = produceCode(await transactions.addPartitions(transactionalId, write, added, 2), true);
    return () => code;
  }
  const { verifiesPartitions, config } = transactions.deps;
  if (!(verifiesPartitions?.() ?? config.transactionPartitionVerification)) return () => ErrorCode.NONE;
  return (topic, partition) => produceCode(transactions.verifyPartition(transactionalId, write, topic, partition), false);
}
