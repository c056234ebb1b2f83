/** What both ways of altering settings share. Loggers (resource type 8) are not in the metadata. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { configsRefusal } from "./authorization.ts";
import { alterLoggers } from "./broker-loggers.ts";
import { alterConfigs, ConfigOperation, type ResourceChange } from "../controller/configs/alter.ts";
import { ResourceType } from "../controller/image.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { Refusal } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import type { RequestContext } from "./handler.ts";

interface AlterOutcome extends Refusal {
  readonly resourceType: number;
  readonly resourceName: string;
}
export function alter(
  deps: HandlerDeps,
  context: RequestContext,
  resources: readonly ResourceChange[],
  validateOnly: boolean,
): AlterOutcome[] {
  const { controller, effective, config } = deps;
  const refusals = resources.map(
    (resource) => configsRefusal(context, AclOperation.ALTER_CONFIGS, resource) ?? certificatesRefusal(deps, resource),
  );
  const stored = resources.filter(({ resourceType }, index) => refusals[index] === null && resourceType !== ResourceType.BROKER_LOGGER);
  const result = alterConfigs(
    {
      image: controller.image,
      nodeId: config.nodeId,
      brokerValue: (name) => effective.brokerValue(name),
      inherited: (resourceType, name) => (resourceType === ResourceType.TOPIC ? effective.topicDefault(name) : effective.brokerValue(name)),
    },
    stored,
  );
  const outcomes = validateOnly ? result.response : controller.commit(result);
  return resources.map((resource, index) => {
    const { resourceType, resourceName } = resource;
    const outcome =
      refusals[index] ?? outcomes[stored.indexOf(resource)] ?? alterLoggers(deps.logLevels, config.nodeId, resource, validateOnly);
    return { resourceType, resourceName, ...outcome };
  });
}
function certificatesRefusal(deps: HandlerDeps, { resourceType, resourceName, changes }: ResourceChange): Refusal | null {
  if (resourceType !== ResourceType.BROKER || resourceName !== String(deps.config.nodeId)) return null;
  const why = deps.tlsRefusal(
    new Map(changes.map(({ name, operation, value }) => [name, operation === ConfigOperation.SET ? value : null])),
  );
  return why === null ? null : { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: why };
}
