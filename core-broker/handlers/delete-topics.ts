/** DeleteTopics (20), versions 1-6: by name, from 6 on also by id. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, mayOnTopic, NOT_ON_TOPIC } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { deleteTopics as api } from "../protocol/messages/delete-topics.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { deleteTopics, type Refusal, type TopicReference } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler, type RequestContext } from "./handler.ts";
import { mutationQuota } from "./mutation-quota.ts";

const STRICT_SINCE = 5;

export const deleteTopicsHandler = (deps: HandlerDeps): Handler =>
  handler(api, (context, request) => {
    const { version } = context;
    const references: readonly TopicReference[] =
      version >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
    if (!deps.config.deleteTopics) {
      const errorCode = version < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED;
      const errorMessage = "Topic deletion is disabled.";
      return { responses: references.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage })) };
    }
    const quota = mutationQuota(deps, context, STRICT_SINCE);
    const refusals = references.map((reference) => refusal(deps, context, reference));
    const allowed = references.filter((_reference, index) => refusals[index] === null);
    const outcomes = deps.controller.commit(deleteTopics(deps.controller.image, allowed, quota.take)).values();
    return { throttleTimeMs: quota.throttleMs(), responses: [...refusals.filter((refused) => refused !== null), ...outcomes] };
  });

/** Who may not even describe a topic named by id does not learn its name. */
function refusal({ controller }: HandlerDeps, context: RequestContext, { name, topicId }: TopicReference): Refused | null {
  const known = name ?? controller.image.topicsById.get(topicId)?.name;
  if (known === undefined || context.rights.unlimited || mayOnCluster(context, AclOperation.DELETE, true)) return null;
  const describes = mayOnTopic(context, AclOperation.DESCRIBE, known);
  // What is not there cannot be deleted by anybody: the command says so.
  if (describes && (!controller.image.topics.has(known) || mayOnTopic(context, AclOperation.DELETE, known))) return null;
  return { name: name ?? (describes ? known : null), topicId, ...NOT_ON_TOPIC };
}
interface Refused extends Refusal {
  readonly name: string | null;
  readonly topicId: string;
}
