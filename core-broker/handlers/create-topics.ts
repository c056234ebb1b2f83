/** CreateTopics (19), versions 2-7. Each topic succeeds or fails for itself; the answer tells its settings from version 5 on. */
import { ErrorCode } from "../protocol/errors.ts";
import { createTopics as api, type CreateTopicsResponse } from "../protocol/messages/create-topics.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { createTopics, isRefusal } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

type Topic = CreateTopicsResponse["topics"][number];

export const createTopicsHandler = (deps: HandlerDeps): Handler =>
  handler(api, (_context, request) => {
    const { controller, effective } = deps;
    const result = createTopics(controller.image, request.topics, deps.topicDefaults);
    const outcomes = request.validateOnly ? result.response : controller.commit(result);
    const told = new Set<string>();
    const topics: Topic[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const name = request.topics[index]?.name ?? "";
      if (told.has(name)) continue; // a name that came twice is answered once
      told.add(name);
      if (isRefusal(outcome)) {
        topics.push({ name, topicId: ZERO_UUID, ...outcome, ...NOT_TOLD });
        continue;
      }
      topics.push({
        name,
        topicId: outcome.topicId,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
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
    return { topics };
  });
const NOT_TOLD = { topicConfigErrorCode: 0, numPartitions: -1, replicationFactor: -1, configs: [] };
