/** CreateTopics (19), versions 2-7. Each topic succeeds or fails for itself; the answer tells its settings from version 5 on. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, mayOnTopic, NOT_ON_TOPIC } from "./authorization.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { createTopics as api, type CreateTopicsResponse } from "../protocol/messages/create-topics.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { createTopics, isRefusal } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";
import { mutationQuota } from "./mutation-quota.ts";

const STRICT_SINCE = 6;
type Topic = CreateTopicsResponse["topics"][number];

export const createTopicsHandler = (deps: HandlerDeps): Handler =>
  handler(api, (context, request) => {
    const { controller, effective } = deps;
    const everywhere = mayOnCluster(context, AclOperation.CREATE, true);
    const mayCreate = (name: string): boolean => everywhere || mayOnTopic(context, AclOperation.CREATE, name);
    const allowed = request.topics.filter(({ name }) => mayCreate(name));
    const quota = mutationQuota(deps, context, STRICT_SINCE);
    const result = createTopics(controller.image, allowed, deps.topicDefaults, quota.take);
    const outcomes = request.validateOnly ? result.response : controller.commit(result);
    const told = new Set<string>();
    const topics: Topic[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const name = allowed[index]?.name ?? "";
      if (told.has(name)) continue; // a name that came twice is answered once
      told.add(name);
      if (isRefusal(outcome)) {
        topics.push({ name, topicId: ZERO_UUID, ...outcome, ...NOT_TOLD });
        continue;
      }
      if (!mayOnTopic(context, AclOperation.DESCRIBE_CONFIGS, name, true)) {
        topics.push({ name, topicId: outcome.topicId, ...CREATED, ...NOT_TOLD, topicConfigErrorCode: NOT_ON_TOPIC.errorCode });
        continue;
      }
      topics.push({
        name,
        topicId: outcome.topicId,
        ...CREATED,
        topicConfigErrorCode: ErrorCode.NONE,
        numPartitions: outcome.numPartitions,
        replicationFactor: outcome.replicationFactor,
        configs: effective.topic(outcome.configs).map(({ name: key, value, source }) => ({
          name: key,
          value,
          readOnly: false,
          configSource: source,
          isSensitive: false,
        })),
      });
    }
    const refused = new Set(request.topics.filter((topic) => !allowed.includes(topic)).map(({ name }) => name));
    for (const name of refused) topics.push({ name, topicId: ZERO_UUID, ...NOT_ON_TOPIC, ...NOT_TOLD });
    return { throttleTimeMs: quota.throttleMs(), topics };
  });
const CREATED = { errorCode: ErrorCode.NONE, errorMessage: null };
const NOT_TOLD = { topicConfigErrorCode: 0, numPartitions: -1, replicationFactor: -1, configs: [] };
