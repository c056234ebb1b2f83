/** CreatePartitions (37), versions 0-3. */
import { createPartitions as api } from "../protocol/messages/create-partitions.ts";
import { createPartitions } from "../controller/topics.ts";
import type { HandlerDeps } from "./deps.ts";
import { type Handler, handler } from "./handler.ts";

export const createPartitionsHandler = (deps: HandlerDeps): Handler =>
  handler(api, (_context, request) => {
    const result = createPartitions(deps.controller.image, request.topics, deps.topicDefaults);
    const outcomes = request.validateOnly ? result.response : deps.controller.commit(result);
    return { results: outcomes.map((outcome, index) => ({ name: request.topics[index]?.name ?? "", ...outcome })) };
  });
