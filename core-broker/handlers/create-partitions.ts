/** CreatePartitions (37), versions 0-3. */
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { NOT_ON_TOPIC, splitByTopic } from "./authorization.ts";
import { createPartitions as api } from "../protocol/messages/create-partitions.ts";
import { createPartitions } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";
import { mutationQuota } from "./mutation-quota.ts";

const STRICT_SINCE = 3;

export const createPartitionsHandler = (deps: HandlerDeps): Handler =>
  handler(api, (context, request) => {
    const { allowed, refused } = splitByTopic(context, AclOperation.ALTER, request.topics);
    const quota = mutationQuota(deps, context, STRICT_SINCE);
    const result = createPartitions(deps.controller.image, allowed, deps.topicDefaults, quota.take);
    const outcomes = request.validateOnly ? result.response : deps.controller.commit(result);
    const results = outcomes.map((outcome, index) => ({ name: allowed[index]?.name ?? "", ...outcome }));
    return { throttleTimeMs: quota.throttleMs(), results: [...results, ...refused.map(({ name }) => ({ name, ...NOT_ON_TOPIC }))] };
  });
