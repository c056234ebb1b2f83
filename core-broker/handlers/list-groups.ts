import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnCluster, mayOnGroup } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { listGroups } from "../protocol/messages/list-groups.ts";
import { type Handler, handler } from "./handler.ts";

/** v4+ filters by state, v5+ by type. */
export const listGroupsHandler = (coordinators: Coordinators): Handler =>
  handler(listGroups, (context, request) => {
    const listed = coordinators.groups.list(request.statesFilter, request.typesFilter);
    if (mayOnCluster(context, AclOperation.DESCRIBE, true)) return listed;
    return { ...listed, groups: listed.groups.filter(({ groupId }) => mayOnGroup(context, AclOperation.DESCRIBE, groupId, true)) };
  });
