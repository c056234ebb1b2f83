import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

export const deleteGroupsHandler = (coordinators: Coordinators): Handler =>
  handler(deleteGroups, async (context, request) => {
    const results = await Promise.all(
      request.groupsNames.map(async (groupId) => {
        if (!mayOnGroup(context, AclOperation.DELETE, groupId)) return { groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
        return { groupId, errorCode: await coordinators.groups.deleteGroup(groupId) };
      }),
    );
    return { results };
  });
