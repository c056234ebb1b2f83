/** SyncGroup, Heartbeat and LeaveGroup of a classic group. */
import { ErrorCode } from "../../protocol/errors.ts";
import type { HeartbeatRequest } from "../../protocol/messages/heartbeat.ts";
import type { LeaveGroupRequest } from "../../protocol/messages/leave-group.ts";
import type { SyncGroupRequest } from "../../protocol/messages/sync-group.ts";
import { codeOf } from "../error-code.ts";
import { type ClassicGroup, NO_BYTES, type SyncReply } from "./classic-group.ts";
import {
  afterDeparture,
  type ClassicHost,
  dropMember,
  failWaitingSyncs,
  installAssignments,
  maybeCompleteJoin,
  prepareOrCompleteJoin,
  releaseMemberId,
  restartSession,
  syncReply,
} from "./classic-rebalance.ts";
import { validateMember } from "./member-id.ts";

/** `answer` is called exactly once: at once, or when the leader's assignment is durable. */
export function syncClassicGroup(
  host: ClassicHost,
  group: ClassicGroup,
  request: SyncGroupRequest,
  answer: (reply: SyncReply) => void,
): void {
  const errorCode = validateSync(group, request);
  const member = group.members.get(request.memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) return answer({ errorCode, assignment: NO_BYTES });
  group.pendingSync.delete(member.id);
  if (group.state === "Stable") return answer(syncReply(group, member, ErrorCode.NONE));
  member.awaitingSync?.({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS, assignment: NO_BYTES });
  member.awaitingSync = answer;
  if (member.id === group.leader) storeAssignments(host, group, request);
}

function validateSync(group: ClassicGroup, request: SyncGroupRequest): number {
  if (group.state === "Dead") return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const invalid = validateMember(group, request.memberId, request.groupInstanceId);
  if (invalid !== ErrorCode.NONE) return invalid;
  if (request.generationId !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  const differs = (given: string | null, ours: string | null): boolean => given !== null && ours !== null && given !== ours;
  if (differs(request.protocolType, group.protocolType) || differs(request.protocolName, group.protocol)) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  }
  if (group.state === "Empty") return ErrorCode.UNKNOWN_MEMBER_ID;
  return group.state === "PreparingRebalance" ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

function storeAssignments(host: ClassicHost, group: ClassicGroup, request: SyncGroupRequest): void {
  const generation = group.generation;
  const assignments = new Map<string, Uint8Array>();
  for (const id of group.members.keys()) assignments.set(id, NO_BYTES);
  // Copied: the request's bytes are views on a frame that would otherwise be kept alive.
  for (const { memberId, assignment } of request.assignments) {
    if (assignments.has(memberId)) assignments.set(memberId, Buffer.from(assignment));
  }
  const current = (): boolean => group.state === "CompletingRebalance" && group.generation === generation;
  host.writeGroup(group, assignments).then(
    () => {
      if (current()) installAssignments(host, group, assignments);
    },
    (error: unknown) => {
      if (!current()) return;
      failWaitingSyncs(host, group, codeOf(error));
      prepareOrCompleteJoin(host, group, "the assignment could not be written");
    },
  );
}

export function heartbeatClassicGroup(host: ClassicHost, group: ClassicGroup, request: HeartbeatRequest): number {
  if (group.state === "Dead") return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const invalid = validateMember(group, request.memberId, request.groupInstanceId);
  const member = group.members.get(request.memberId);
  if (invalid !== ErrorCode.NONE || member === undefined) return invalid || ErrorCode.UNKNOWN_MEMBER_ID;
  if (request.generationId !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  if (group.state === "Empty") return ErrorCode.UNKNOWN_MEMBER_ID;
  restartSession(host, group, member);
  return group.state === "PreparingRebalance" ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** One code per named member, in order. A member may be named by its instance id alone (an administrator removes it). */
export function leaveClassicGroup(host: ClassicHost, group: ClassicGroup, members: LeaveGroupRequest["members"]): number[] {
  let departed = false;
  const codes = members.map(({ memberId, groupInstanceId }) => {
    if (memberId !== "" && group.pendingJoin.has(memberId)) {
      if (groupInstanceId !== null) return ErrorCode.UNKNOWN_MEMBER_ID;
      releaseMemberId(group, memberId);
      maybeCompleteJoin(host, group);
      return ErrorCode.NONE;
    }
    const id = memberId === "" && groupInstanceId !== null ? (group.staticMembers.get(groupInstanceId) ?? "") : memberId;
    const invalid = validateMember(group, id, groupInstanceId);
    if (invalid !== ErrorCode.NONE) return invalid;
    dropMember(group, id);
    departed = true;
    return ErrorCode.NONE;
  });
  if (departed) afterDeparture(host, group, "members left");
  return codes;
}
