import { AclOperation, AclResource } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, mayOnTransactionalId } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";
import { fencingCode } from "./producer-fencing.ts";

/** Without a transactional id: a fresh producer id. With one: ends its open transaction and bumps its epoch. */
export const initProducerIdHandler = (coordinators: Coordinators): Handler =>
  handler(initProducerId, async (context, request) => {
    const { version } = context;
    const errorCode = refusal(context, request.transactionalId);
    if (errorCode !== ErrorCode.NONE) return { errorCode, producerId: -1, producerEpoch: -1 };
    const answer = await coordinators.transactions.initProducerId(request);
    return { ...answer, errorCode: fencingCode(answer.errorCode ?? 0, version, 4) };
  });

/** Who may write to any topic at all may write with sequence numbers (KIP-679). */
function refusal(context: RequestContext, transactionalId: string | null): number {
  if (transactionalId !== null) {
    const may = mayOnTransactionalId(context, AclOperation.WRITE, transactionalId);
    return may ? ErrorCode.NONE : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  }
  const may =
    mayOnCluster(context, AclOperation.IDEMPOTENT_WRITE, true) || context.rights.maySomewhere(AclOperation.WRITE, AclResource.TOPIC);
  return may ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
}
