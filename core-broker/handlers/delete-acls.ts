/** DeleteAcls (31), versions 1-3: refused without an authorizer. */
import { ErrorCode } from "../protocol/errors.ts";
import { deleteAcls as api } from "../protocol/messages/delete-acls.ts";
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { deleteAcls } from "../controller/acls/alter-acls.ts";
import { mayOnCluster, NOT_ON_CLUSTER } from "./authorization.ts";
import type { HandlerDeps } from "./deps.ts";
import { NO_AUTHORIZER } from "./describe-acls.ts";
import { type Handler, handler } from "./handler.ts";

export const deleteAclsHandler = ({ config, controller }: HandlerDeps): Handler =>
  handler(api, (context, { filters }) => {
    const refuse = (refusal: typeof NO_AUTHORIZER | typeof NOT_ON_CLUSTER) => ({
      filterResults: filters.map(() => ({ ...refusal, matchingAcls: [] })),
    });
    if (!config.authorizes) return refuse(NO_AUTHORIZER);
    if (!mayOnCluster(context, AclOperation.ALTER)) return refuse(NOT_ON_CLUSTER);
    const outcomes = controller.commit(deleteAcls(controller.image, filters));
    return {
      filterResults: outcomes.map(({ matching, ...outcome }) => ({
        ...outcome,
        matchingAcls: matching.map(({ id: _id, ...acl }) => ({ ...acl, errorCode: ErrorCode.NONE, errorMessage: null })),
      })),
    };
  });
