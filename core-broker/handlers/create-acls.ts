/** CreateAcls (30), versions 1-3: refused without an authorizer. */
import { randomUuid } from "../base/random.ts";
import { createAcls as api } from "../protocol/messages/create-acls.ts";
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { createAcls } from "../controller/acls/alter-acls.ts";
import { mayOnCluster, NOT_ON_CLUSTER } from "./authorization.ts";
import type { HandlerDeps } from "./deps.ts";
import { NO_AUTHORIZER } from "./describe-acls.ts";
import { type Handler, handler } from "./handler.ts";

export const createAclsHandler = ({ config, controller, random }: HandlerDeps): Handler =>
  handler(api, (context, { creations }) => {
    if (!config.authorizes) return { results: creations.map(() => NO_AUTHORIZER) };
    if (!mayOnCluster(context, AclOperation.ALTER)) return { results: creations.map(() => NOT_ON_CLUSTER) };
    const acls = creations.map(({ resourcePatternType, ...acl }) => ({ ...acl, patternType: resourcePatternType }));
    return { results: [...controller.commit(createAcls(controller.image, acls, () => randomUuid(random)))] };
  });
