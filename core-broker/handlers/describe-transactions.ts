import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnTopic, mayOnTransactionalId } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { describeTransactions } from "../protocol/messages/describe-transactions.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

export const describeTransactionsHandler = ({ transactions }: Coordinators): Handler =>
  handler(describeTransactions, (context, request) => ({
    transactionStates: request.transactionalIds.map((transactionalId) => {
      if (!mayOnTransactionalId(context, AclOperation.DESCRIBE, transactionalId)) {
        return { errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, transactionalId };
      }
      const described = transactions.describe(transactionalId);
      if (!("topics" in described) || described.topics === undefined) return described;
      const visible = ({ topic }: { readonly topic?: string | undefined }): boolean =>
        mayOnTopic(context, AclOperation.DESCRIBE, topic ?? "", true);
      return { ...described, topics: described.topics.filter(visible) };
    }),
  }));
