/** AlterClientQuotas (49), versions 0-1. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, NOT_ON_CLUSTER } from "./authorization.ts";
import { alterClientQuotas } from "../protocol/messages/alter-client-quotas.ts";
import { alterQuotas } from "../controller/quotas.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const alterClientQuotasHandler = (deps: HandlerDeps): Handler =>
  handler(alterClientQuotas, (context, request) => {
    if (!mayOnCluster(context, AclOperation.ALTER_CONFIGS))
      return { entries: request.entries.map(({ entity }) => ({ entity, ...NOT_ON_CLUSTER })) };
    const result = alterQuotas(request.entries);
    const outcomes = request.validateOnly ? result.response : deps.controller.commit(result);
    return { entries: request.entries.map(({ entity }, index) => ({ entity, errorCode: 0, errorMessage: null, ...outcomes[index] })) };
  });
