import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTransactionalId } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { listTransactions } from "../protocol/messages/list-transactions.ts";
import { type Handler, handler } from "./handler.ts";

/** v1+ filters by duration, v2 by a pattern of the transactional id. */
export const listTransactionsHandler = ({ transactions }: Coordinators): Handler =>
  handler(listTransactions, (context, request) => {
    const listed = transactions.list(request);
    if (context.rights.unlimited) return listed;
    const visible = ({ transactionalId }: { readonly transactionalId?: string | undefined }): boolean =>
      mayOnTransactionalId(context, AclOperation.DESCRIBE, transactionalId ?? "", true);
    return { ...listed, transactionStates: listed.transactionStates?.filter(visible) ?? [] };
  });
