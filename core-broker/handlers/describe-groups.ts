import type { Coordinators } from "../coordinator/types.ts";
import { describeGroups } from "../protocol/messages/describe-groups.ts";
import { GROUP_OPERATIONS, NOT_ASKED } from "./authorized-operations.ts";
import { type Handler, handler } from "./handler.ts";

export const describeGroupsHandler = (coordinators: Coordinators): Handler =>
  handler(describeGroups, ({ version }, request) => {
    const groups = request.groups.map((groupId) => {
      const described = coordinators.groups.describe(groupId, version);
      return { ...described, authorizedOperations: request.includeAuthorizedOperations ? GROUP_OPERATIONS : NOT_ASKED };
    });
    return { groups };
  });
