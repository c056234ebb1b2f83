import type { Coordinators } from "../coordinator/types.ts";
import type { Location } from "../coordinator/locate.ts";
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { ErrorCode, errorName } from "../protocol/errors.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { mayOnGroup, mayOnTransactionalId } from "./authorization.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";

const GROUP = 0;
const TRANSACTION = 1;
/** v4+ asks for many keys at once (KIP-699). */
export const findCoordinatorHandler = (coordinators: Coordinators): Handler =>
  handler(findCoordinator, async (context, request) => {
    const { keyType } = request;
    const locate = async (key: string): Promise<Location> =>
      refusal(context, keyType, key) ?? (await coordinators.locate(keyType, key, context.listener));
    if (context.version < 4) return locate(request.key);
    return { coordinators: await Promise.all(request.coordinatorKeys.map(locate)) };
  });

function refusal(context: RequestContext, keyType: number, key: string): Location | null {
  if (keyType === GROUP && !mayOnGroup(context, AclOperation.DESCRIBE, key)) return nowhere(key, ErrorCode.GROUP_AUTHORIZATION_FAILED);
  if (keyType === TRANSACTION && !mayOnTransactionalId(context, AclOperation.DESCRIBE, key)) {
    return nowhere(key, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
  }
  return null;
}
const nowhere = (key: string, errorCode: number): Location => ({
  key,
  nodeId: -1,
  host: "",
  port: -1,
  errorCode,
  errorMessage: errorName(errorCode),
});
