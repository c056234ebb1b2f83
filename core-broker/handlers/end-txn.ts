import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTransactionalId } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { endTxn } from "../protocol/messages/end-txn.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";
import { fencingCode } from "./producer-fencing.ts";

/** v5+ bumps the epoch with each transaction and answers the new one (KIP-890). */
export const endTxnHandler = ({ transactions }: Coordinators): Handler =>
  handler(endTxn, async (context, request) => {
    const { version } = context;
    if (!mayOnTransactionalId(context, AclOperation.WRITE, request.transactionalId)) {
      return { errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED };
    }
    const answer = await transactions.endTransaction(request, version >= 5);
    return { ...answer, errorCode: fencingCode(answer.errorCode ?? 0, version, 2) };
  });
