import type { Coordinators } from "../coordinator/types.ts";
import { consumerGroupDescribe } from "../protocol/messages/consumer-group-describe.ts";
import { GROUP_OPERATIONS, NOT_ASKED } from "./authorized-operations.ts";
import { type Handler, handler } from "./handler.ts";

export const consumerGroupDescribeHandler = ({ groups }: Coordinators): Handler =>
  handler(consumerGroupDescribe, (_context, request) => {
    const authorizedOperations = request.includeAuthorizedOperations ? GROUP_OPERATIONS : NOT_ASKED;
    return { groups: request.groupIds.map((groupId) => ({ ...groups.describeConsumer(groupId), authorizedOperations })) };
  });
