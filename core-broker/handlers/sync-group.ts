import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { syncGroup } from "../protocol/messages/sync-group.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

/** Answers when the leader's assignment is durable. v5+ must name protocol type and protocol. */
export const syncGroupHandler = (coordinators: Coordinators): Handler =>
  handler(syncGroup, (context, request) =>
    mayOnGroup(context, AclOperation.READ, request.groupId)
      ? coordinators.groups.syncGroup(context, request)
      : { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, assignment: Buffer.alloc(0) },
  );
