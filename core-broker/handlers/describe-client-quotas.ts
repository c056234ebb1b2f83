/** DescribeClientQuotas (48), versions 0-1. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { requireOnCluster } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { describeClientQuotas } from "../protocol/messages/describe-client-quotas.ts";
import { findQuotas } from "../controller/quotas.ts";
import type { HandlerDeps } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { type Handler, handler } from "./handler.ts";

export const describeClientQuotasHandler = (deps: HandlerDeps): Handler =>
  handler(describeClientQuotas, (context, request) => {
    try {
      requireOnCluster(context, AclOperation.DESCRIBE_CONFIGS);
      const entries = findQuotas(deps.controller.image, request.components, request.strict).map(({ entity, values }) => ({
        entity,
        values: [...values].map(([key, value]) => ({ key, value })),
      }));
      return { errorCode: ErrorCode.NONE, errorMessage: null, entries };
    } catch (error) {
      return { ...failureOf(error, deps.logger), entries: null };
    }
  });
