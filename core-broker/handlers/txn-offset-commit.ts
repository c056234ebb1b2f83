import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup, mayOnTransactionalId, splitByTopic } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { codeOf } from "../coordinator/error-code.ts";
import { failCommit } from "../coordinator/offsets/commit.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { txnOffsetCommit, type TxnOffsetCommitRequest } from "../protocol/messages/txn-offset-commit.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

/** The offsets become visible when the transaction commits. v5+ adds the group's partition to the transaction itself (KIP-890). */
export const txnOffsetCommitHandler = (coordinators: Coordinators): Handler =>
  handler(txnOffsetCommit, async (context, request) => {
    const { version } = context;
    const { allowed, refused } = splitByTopic(context, AclOperation.READ, request.topics);
    const refusal = refusalOf(context, request) || (allowed.length === 0 ? 0 : await admit(coordinators, request, version));
    if (refusal !== ErrorCode.NONE) return { topics: failCommit(request.topics, refusal) };
    const failed = failCommit([...refused], ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    if (allowed.length === 0 && failed.length > 0) return { topics: failed };
    const committed = await coordinators.groups.commitOffsets({
      version,
      groupId: request.groupId,
      generationOrEpoch: request.generationId,
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      retentionTimeMs: -1,
      topics: [...allowed],
      producer: request,
    });
    return { topics: [...failed, ...committed] };
  });

function refusalOf(context: RequestContext, { transactionalId, groupId }: TxnOffsetCommitRequest): number {
  if (!mayOnTransactionalId(context, AclOperation.WRITE, transactionalId)) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  return mayOnGroup(context, AclOperation.READ, groupId) ? ErrorCode.NONE : ErrorCode.GROUP_AUTHORIZATION_FAILED;
}
async function admit({ transactions }: Coordinators, request: TxnOffsetCommitRequest, version: number): Promise<number> {
  try {
    const partition = await transactions.offsetsPartition(request.groupId);
    if (version >= 5) return await transactions.addPartitions(request.transactionalId, request, partition, 2);
    for (const [topic, numbers] of partition) {
      for (const number of numbers)
        return olderCode(transactions.verifyPartition(request.transactionalId, request, topic, number), version);
    }
    return ErrorCode.NONE;
  } catch (error) {
    return codeOf(error);
  }
}
/** CONCURRENT_TRANSACTIONS is not expected here before v5, TRANSACTION_ABORTABLE before v4. */
function olderCode(code: number, version: number): number {
  if (code === ErrorCode.CONCURRENT_TRANSACTIONS) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
  return code === ErrorCode.TRANSACTION_ABORTABLE && version < 4 ? ErrorCode.INVALID_TXN_STATE : code;
}
