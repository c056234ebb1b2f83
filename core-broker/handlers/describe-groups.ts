import type { Coordinators } from "../coordinator/types.ts";
import { AclOperation } from "../controller/acls/acl-codes.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { describeGroups } from "../protocol/messages/describe-groups.ts";
import { groupOperations, mayOnGroup } from "./authorization.ts";
import { type Handler, handler } from "./handler.ts";

export const describeGroupsHandler = (coordinators: Coordinators): Handler =>
  handler(describeGroups, (context, request) => {
    const groups = request.groups.map((groupId) => {
      if (!mayOnGroup(context, AclOperation.DESCRIBE, groupId)) return { groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
      const described = coordinators.groups.describe(groupId, context.version);
      const asked = request.includeAuthorizedOperations && (described.errorCode ?? ErrorCode.NONE) === ErrorCode.NONE;
      return { ...described, authorizedOperations: groupOperations(context, asked, groupId) };
    });
    return { groups };
  });
