import type { Coordinators } from "../coordinator/types.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { type Handler, handler } from "./handler.ts";

export const deleteGroupsHandler = (coordinators: Coordinators): Handler =>
  handler(deleteGroups, async (_context, request) => {
    const results = await Promise.all(
      request.groupsNames.map(async (groupId) => ({ groupId, errorCode: await coordinators.groups.deleteGroup(groupId) })),
    );
    return { results };
  });
