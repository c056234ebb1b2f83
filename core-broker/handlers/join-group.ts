import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { joinGroup } from "../protocol/messages/join-group.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

/** Answers when the join phase ends. v4+ hands out a member id first, v5+ knows static members, v9+ may skip the assignment. */
export const joinGroupHandler = (coordinators: Coordinators): Handler =>
  handler(joinGroup, async (context, request) => {
    if (!mayOnGroup(context, AclOperation.READ, request.groupId)) {
      return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, protocolName: context.version >= 7 ? null : "" };
    }
    const reply = await coordinators.groups.joinGroup(context, request);
    // Before v7 the name is not nullable.
    return { ...reply, protocolName: reply.protocolName ?? (context.version >= 7 ? null : "") };
  });
