import { AclOperation } from "../controller/acls/acl-codes.ts";
import { mayOnGroup } from "./authorization.ts";
import type { Coordinators } from "../coordinator/types.ts";
import { leaveGroup } from "../protocol/messages/leave-group.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type Handler, handler } from "./handler.ts";

/** v0-2 name one member, and its code is the answer's; v3+ name many (KIP-345). */
export const leaveGroupHandler = (coordinators: Coordinators): Handler =>
  handler(leaveGroup, (context, request) => {
    const { version } = context;
    if (!mayOnGroup(context, AclOperation.READ, request.groupId)) return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED };
    const leaving = version >= 3 ? request.members : [{ memberId: request.memberId, groupInstanceId: null, reason: null }];
    const { errorCode, codes } = coordinators.groups.leaveGroup(request.groupId, leaving);
    if (version < 3) return { errorCode: errorCode === 0 ? (codes[0] ?? 0) : errorCode };
    const members = codes.map((code, i) => ({
      memberId: leaving[i]?.memberId ?? "",
      groupInstanceId: leaving[i]?.groupInstanceId ?? null,
      errorCode: code,
    }));
    return { errorCode, members };
  });
