/** JoinGroup: who may join, as whom, and what it starts. Order of the checks and codes as in Kafka 4.1. */
import { ErrorCode } from "../../protocol/errors.ts";
import { type ClassicGroup, type ClassicMember, type JoinReply, type MemberProtocol, NO_BYTES, sameProtocols } from "./classic-group.ts";
import {
  type ClassicHost,
  dropMember,
  maybeCompleteJoin,
  prepareOrCompleteJoin,
  prepareRebalance,
  releaseMemberId,
  reserveMemberId,
  restartSession,
} from "./classic-rebalance.ts";
import { newMemberId, validateMember } from "./member-id.ts";
import { codeOf } from "../error-code.ts";

export interface JoinAttempt {
  /** "" for a member that has no id yet. */
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /** JoinGroup 4+ (KIP-394): an id is handed out first. */
  readonly requiresKnownMemberId: boolean;
  /** JoinGroup 9+ (KIP-814): a returning static leader may be told to keep the assignment. */
  readonly canSkipAssignment: boolean;
  /** For expressions of other members, which a join may resolve anew; absent: every topic. */
  readonly mayDescribe?: ((topic: string) => boolean) | undefined;
}
type Answer = (reply: JoinReply) => void;
const refuse = (answer: Answer, memberId: string, errorCode: number): void => answer({ errorCode, memberId, protocolName: "" });

/** `answer` is called exactly once: at once, or when the join phase ends. */
export function joinClassicGroup(host: ClassicHost, group: ClassicGroup, attempt: JoinAttempt, answer: Answer): void {
  if (!hasRoom(host, group, attempt.memberId)) {
    dropMember(group, attempt.memberId);
    return refuse(answer, attempt.memberId, ErrorCode.GROUP_MAX_SIZE_REACHED);
  }
  if (group.state === "Dead") return refuse(answer, attempt.memberId, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  if (!group.supports(attempt.protocolType, attempt.protocols)) {
    return refuse(answer, attempt.memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  }
  if (attempt.memberId === "") joinAsNew(host, group, attempt, answer);
  else joinAsKnown(host, group, attempt, answer);
}

function hasRoom(host: ClassicHost, group: ClassicGroup, memberId: string): boolean {
  const limit = host.config.groupMaxSize;
  const member = group.members.get(memberId);
  if (group.state === "PreparingRebalance")
    return (member !== undefined && member.awaitingJoin !== null) || group.awaitingJoinCount() < limit;
  if (group.state === "CompletingRebalance" || group.state === "Stable") return member !== undefined || group.members.size < limit;
  return true;
}

function joinAsNew(host: ClassicHost, group: ClassicGroup, attempt: JoinAttempt, answer: Answer): void {
  const memberId = newMemberId(attempt.instanceId ?? attempt.clientId, host.random);
  if (attempt.instanceId !== null) {
    const holder = group.staticMembers.get(attempt.instanceId);
    if (holder === undefined) addMember(host, group, memberId, attempt, answer);
    else replaceStaticMember(host, group, holder, memberId, attempt, answer);
  } else if (attempt.requiresKnownMemberId) {
    reserveMemberId(host, group, memberId, attempt.sessionTimeoutMs);
    refuse(answer, memberId, ErrorCode.MEMBER_ID_REQUIRED);
  } else addMember(host, group, memberId, attempt, answer);
}

function joinAsKnown(host: ClassicHost, group: ClassicGroup, attempt: JoinAttempt, answer: Answer): void {
  if (group.pendingJoin.has(attempt.memberId)) {
    if (attempt.instanceId !== null) return refuse(answer, attempt.memberId, ErrorCode.UNKNOWN_MEMBER_ID);
    return addMember(host, group, attempt.memberId, attempt, answer);
  }
  const invalid = validateMember(group, attempt.memberId, attempt.instanceId);
  const member = group.members.get(attempt.memberId);
  if (invalid !== ErrorCode.NONE || member === undefined) return refuse(answer, attempt.memberId, invalid || ErrorCode.UNKNOWN_MEMBER_ID);
  const unchanged = sameProtocols(member.protocols, attempt.protocols);
  switch (group.state) {
    case "PreparingRebalance":
      return rejoin(host, group, member, attempt, answer, "a member rejoins");
    case "CompletingRebalance":
      // The same member asks again, probably because the answer got lost: it gets the same answer.
      if (unchanged) return answer(currentGeneration(group, member, member.id === group.leader));
      return rejoin(host, group, member, attempt, answer, "a member's protocols changed");
    case "Stable":
      if (unchanged && member.id !== group.leader) return answer(currentGeneration(group, member, false));
      return rejoin(host, group, member, attempt, answer, unchanged ? "the leader rejoins" : "a member's protocols changed");
    default:
      return refuse(answer, attempt.memberId, ErrorCode.UNKNOWN_MEMBER_ID);
  }
}

const currentGeneration = (group: ClassicGroup, member: ClassicMember, withMembers: boolean): JoinReply => ({
  errorCode: ErrorCode.NONE,
  generationId: group.generation,
  protocolType: group.protocolType,
  protocolName: group.protocol,
  leader: group.leader ?? "",
  memberId: member.id,
  members: withMembers ? group.joinMembers() : [],
});

function addMember(host: ClassicHost, group: ClassicGroup, memberId: string, attempt: JoinAttempt, answer: Answer): void {
  const member: ClassicMember = {
    id: memberId,
    instanceId: attempt.instanceId,
    clientId: attempt.clientId,
    clientHost: attempt.clientHost,
    rebalanceTimeoutMs: attempt.rebalanceTimeoutMs,
    sessionTimeoutMs: attempt.sessionTimeoutMs,
    protocols: attempt.protocols,
    assignment: NO_BYTES,
    isNew: true,
    awaitingJoin: answer,
    awaitingSync: null,
    session: null,
  };
  if (group.state === "PreparingRebalance" && group.previousState === "Empty") group.newMemberAdded = true;
  if (group.members.size === 0) group.protocolType = attempt.protocolType;
  group.add(member);
  releaseMemberId(group, memberId);
  restartSession(host, group, member);
  prepareOrCompleteJoin(host, group, "a member joins");
}

function rejoin(host: ClassicHost, group: ClassicGroup, member: ClassicMember, attempt: JoinAttempt, answer: Answer, reason: string): void {
  update(member, attempt, answer);
  prepareOrCompleteJoin(host, group, reason);
}
function update(member: ClassicMember, attempt: JoinAttempt, answer: Answer): void {
  // A second join of the same member takes the place of the first, which nobody reads any more.
  member.awaitingJoin?.({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS, memberId: member.id, protocolName: "" });
  member.protocols = attempt.protocols;
  member.rebalanceTimeoutMs = attempt.rebalanceTimeoutMs;
  member.sessionTimeoutMs = attempt.sessionTimeoutMs;
  member.awaitingJoin = answer;
}

/** A restarted static member takes over its predecessor's place and assignment, without a rebalance where possible (KIP-345). */
function replaceStaticMember(
  host: ClassicHost,
  group: ClassicGroup,
  oldId: string,
  newId: string,
  attempt: JoinAttempt,
  answer: Answer,
): void {
  const old = group.members.get(oldId);
  if (old === undefined) return refuse(answer, attempt.memberId, ErrorCode.UNKNOWN_MEMBER_ID);
  const leaderBefore = group.leader;
  const fenced = ErrorCode.FENCED_INSTANCE_ID;
  old.awaitingJoin?.({ errorCode: fenced, memberId: oldId, protocolName: "" });
  old.awaitingSync?.({ errorCode: fenced, assignment: NO_BYTES });
  group.remove(oldId);
  const member: ClassicMember = {
    ...old,
    id: newId,
    clientId: attempt.clientId,
    clientHost: attempt.clientHost,
    isNew: false,
    awaitingJoin: null,
    awaitingSync: null,
    session: null,
  };
  group.add(member);
  if (leaderBefore === oldId) group.leader = newId;
  update(member, attempt, answer);
  restartSession(host, group, member);
  if (group.state === "CompletingRebalance")
    return prepareRebalance(host, group, "a static member was replaced while assignments were made");
  if (group.state === "PreparingRebalance") return maybeCompleteJoin(host, group);
  if (group.selectProtocol() !== group.protocol)
    return prepareOrCompleteJoin(host, group, "a replaced static member changed the common protocol");
  persistReplacement(host, group, member, leaderBefore, attempt.canSkipAssignment);
}

function persistReplacement(
  host: ClassicHost,
  group: ClassicGroup,
  member: ClassicMember,
  leaderBefore: string | null,
  canSkip: boolean,
): void {
  const assignments = new Map([...group.members.values()].map((each) => [each.id, each.assignment]));
  const reply = (body: JoinReply): void => {
    const answer = member.awaitingJoin;
    member.awaitingJoin = null;
    answer?.(body);
  };
  host.writeGroup(group, assignments).then(
    () => {
      // A rebalance that began meanwhile answers instead.
      if (group.state !== "Stable" || group.members.get(member.id) !== member) return;
      const leads = group.leader === member.id;
      restartSession(host, group, member);
      if (canSkip) reply({ ...currentGeneration(group, member, leads), skipAssignment: leads });
      else reply({ ...currentGeneration(group, member, false), leader: leaderBefore ?? "" });
    },
    (error: unknown) => reply({ errorCode: codeOf(error), memberId: member.id, protocolName: "" }),
  );
}
