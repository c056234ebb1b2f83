/** DeleteTopics (20), versions 1-6: by name, from 6 on also by id. */
import { ErrorCode } from "../protocol/errors.ts";
import { deleteTopics as api } from "../protocol/messages/delete-topics.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { deleteTopics, type TopicReference } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const deleteTopicsHandler = (deps: HandlerDeps): Handler =>
  handler(api, ({ version }, request) => {
    const references: readonly TopicReference[] =
      version >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
    if (!deps.config.deleteTopics) {
      const errorCode = version < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED;
      const errorMessage = "Topic deletion is disabled.";
      return { responses: references.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage })) };
    }
    return { responses: deps.controller.commit(deleteTopics(deps.controller.image, references)) };
  });
