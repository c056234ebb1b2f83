import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { heartbeat } from "../protocol/messages/heartbeat.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

export const heartbeatHandler = (coordinators: Coordinators): Handler =>
  handler(heartbeat, (context, request) => {
    if (!mayOnGroup(context, AclOperation.READ, request.groupId)) return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
    return { errorCode: coordinators.groups.heartbeat(request) };
  });
