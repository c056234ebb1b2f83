/** ListConfigResources (74), versions 0-1. Version 0 asks for metrics subscriptions; no types named means all. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { requireOnCluster } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { listConfigResources } from "../protocol/messages/list-config-resources.ts";
import { ResourceType } from "../controller/image.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

const ALL: readonly number[] = Object.values(ResourceType);

export const listConfigResourcesHandler = (deps: HandlerDeps): Handler =>
  handler(listConfigResources, (context, request) => {
    const { version } = context;
    requireOnCluster(context, AclOperation.DESCRIBE_CONFIGS);
    const asked = request.resourceTypes.length === 0 ? ALL : request.resourceTypes;
    const types = version === 0 ? [ResourceType.CLIENT_METRICS] : asked;
    if (types.some((type) => !ALL.includes(type))) return { errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] };
    return {
      errorCode: ErrorCode.NONE,
      configResources: types.flatMap((resourceType) => names(deps, resourceType).map((resourceName) => ({ resourceName, resourceType }))),
    };
  });
function names({ controller, config }: HandlerDeps, resourceType: number): readonly string[] {
  const { image } = controller;
  if (resourceType === ResourceType.TOPIC) return [...image.topics.keys()];
  if (resourceType === ResourceType.BROKER || resourceType === ResourceType.BROKER_LOGGER) return [String(config.nodeId)];
  return image.configured(resourceType);
}
