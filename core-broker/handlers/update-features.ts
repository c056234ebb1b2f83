/** UpdateFeatures (57), versions 0-2. Up to version 1 the answer tells each feature, from 2 on only the whole. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { requireOnCluster } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { updateFeatures as api } from "../protocol/messages/update-features.ts";
import { updateFeatures } from "../controller/features.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const updateFeaturesHandler = (deps: HandlerDeps): Handler =>
  handler(api, (context, request) => {
    const { version } = context;
    requireOnCluster(context, AclOperation.ALTER);
    const updates = request.featureUpdates.map(({ feature, maxVersionLevel, upgradeType, allowDowngrade }) => ({
      feature,
      maxVersionLevel,
      upgradeType: version === 0 && allowDowngrade ? 2 : upgradeType,
    }));
    const result = updateFeatures(deps.controller.image, deps.config.nodeId, updates);
    const outcome = request.validateOnly ? result.response : deps.controller.commit(result);
    const results = version < 2 && outcome.errorCode === ErrorCode.NONE ? updates.map(({ feature }) => ({ feature, ...outcome })) : [];
    return { ...outcome, results };
  });
