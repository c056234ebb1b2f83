/**
 * The course of a classic rebalance: gather joins, start a generation, wait for the leader's assignment, expire who is silent.
 * Soft state (who waits, timers) is changed here at once; what must survive a restart goes through `host.writeGroup` and is
 * shown to members only after it is durable. Rules: Kafka 4.1, KIP-134 (initial delay), KIP-345 (static members),
 * KIP-394 (member id required), KIP-559.
 */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Random } from "../../base/random.ts";
import { ErrorCode } from "../../protocol/errors.ts";
import type { CoordinatorConfig } from "../config.ts";
import { NO_BYTES, type ClassicGroup, type ClassicMember } from "./classic-group.ts";

/** A member that has not been answered yet cannot heartbeat; it is given this long. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

export interface ClassicHost {
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Writes the group's metadata with these assignments (member id → bytes); resolves when durable, rejects with KafkaError. */
  writeGroup(group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

export function prepareOrCompleteJoin(host: ClassicHost, group: ClassicGroup, reason: string): void {
  if (group.state === "Stable" || group.state === "CompletingRebalance" || group.state === "Empty") prepareRebalance(host, group, reason);
  else maybeCompleteJoin(host, group);
}

export function prepareRebalance(host: ClassicHost, group: ClassicGroup, reason: string): void {
  if (group.state === "CompletingRebalance") failWaitingSyncs(host, group, ErrorCode.REBALANCE_IN_PROGRESS);
  group.syncTimer?.cancel();
  group.syncTimer = null;
  const initial = group.state === "Empty";
  group.transitionTo("PreparingRebalance", host.clock.now());
  host.logger.debug("rebalance starts", { group: group.id, generation: group.generation, reason });
  if (initial) {
    const delayMs = host.config.groupInitialRebalanceDelayMs;
    awaitInitialJoins(host, group, delayMs, Math.max(group.rebalanceTimeoutMs() - delayMs, 0));
  } else if (group.allJoined()) completeJoin(host, group);
  else scheduleJoinEnd(host, group);
}

function awaitInitialJoins(host: ClassicHost, group: ClassicGroup, delayMs: number, remainingMs: number): void {
  group.joinTimer?.cancel();
  group.joinTimer = host.clock.after(delayMs, () => {
    if (!group.newMemberAdded || remainingMs === 0) return completeJoin(host, group);
    group.newMemberAdded = false;
    const nextMs = Math.min(host.config.groupInitialRebalanceDelayMs, remainingMs);
    awaitInitialJoins(host, group, nextMs, Math.max(remainingMs - nextMs, 0));
  });
}

function scheduleJoinEnd(host: ClassicHost, group: ClassicGroup): void {
  group.joinTimer?.cancel();
  group.joinTimer = host.clock.after(group.rebalanceTimeoutMs(), () => completeJoin(host, group));
}

/** Ends the join phase early when everybody is there; the initial delay always runs its course. */
export function maybeCompleteJoin(host: ClassicHost, group: ClassicGroup): void {
  if (group.state === "PreparingRebalance" && group.previousState !== "Empty" && group.allJoined()) completeJoin(host, group);
}

function completeJoin(host: ClassicHost, group: ClassicGroup): void {
  group.joinTimer?.cancel();
  group.joinTimer = null;
  if (group.state !== "PreparingRebalance") return;
  for (const member of group.members.values()) {
    if (member.awaitingJoin === null && member.instanceId === null) group.remove(member.id);
  }
  if (group.members.size > 0 && !group.electJoinedLeader()) return scheduleJoinEnd(host, group);
  group.nextGeneration(host.clock.now());
  if (group.members.size === 0) {
    host.writeGroup(group, new Map()).catch((error: unknown) => {
      host.logger.warn("the empty group could not be written", { group: group.id, error: String(error) });
    });
    return;
  }
  answerJoins(host, group);
  for (const id of group.members.keys()) group.pendingSync.add(id);
  const generation = group.generation;
  group.syncTimer = host.clock.after(group.rebalanceTimeoutMs(), () => expirePendingSyncs(host, group, generation));
}

function answerJoins(host: ClassicHost, group: ClassicGroup): void {
  const members = group.joinMembers();
  for (const member of group.members.values()) {
    const answer = member.awaitingJoin;
    member.awaitingJoin = null;
    member.isNew = false;
    restartSession(host, group, member);
    answer?.({
      errorCode: ErrorCode.NONE,
      generationId: group.generation,
      protocolType: group.protocolType,
      protocolName: group.protocol,
      leader: group.leader ?? "",
      memberId: member.id,
      members: member.id === group.leader ? members : [],
    });
  }
}

/** Who never sent SyncGroup within the rebalance time-out is removed. */
function expirePendingSyncs(host: ClassicHost, group: ClassicGroup, generation: number): void {
  if (group.generation !== generation || (group.state !== "CompletingRebalance" && group.state !== "Stable")) return;
  if (group.pendingSync.size === 0) return;
  const silent = [...group.pendingSync];
  for (const id of silent) dropMember(group, id);
  prepareOrCompleteJoin(host, group, `no SyncGroup from ${silent.length} members`);
}

/** Assignments become visible: every waiting SyncGroup is answered. */
export function installAssignments(host: ClassicHost, group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): void {
  for (const member of group.members.values()) member.assignment = assignments.get(member.id) ?? NO_BYTES;
  answerSyncs(host, group, ErrorCode.NONE);
  group.transitionTo("Stable", host.clock.now());
}
export function failWaitingSyncs(host: ClassicHost, group: ClassicGroup, errorCode: number): void {
  for (const member of group.members.values()) member.assignment = NO_BYTES;
  answerSyncs(host, group, errorCode);
}
function answerSyncs(host: ClassicHost, group: ClassicGroup, errorCode: number): void {
  for (const member of group.members.values()) {
    const answer = member.awaitingSync;
    if (answer === null) continue;
    member.awaitingSync = null;
    restartSession(host, group, member);
    answer(syncReply(group, member, errorCode));
  }
}
export const syncReply = (group: ClassicGroup, member: ClassicMember, errorCode: number) =>
  errorCode === ErrorCode.NONE
    ? { errorCode, protocolType: group.protocolType, protocolName: group.protocol, assignment: member.assignment }
    : { errorCode, assignment: NO_BYTES };

/** Removes a member and ends what it waits for. */
export function dropMember(group: ClassicGroup, memberId: string): void {
  const member = group.remove(memberId);
  if (member === null) return;
  const errorCode = ErrorCode.UNKNOWN_MEMBER_ID;
  member.awaitingJoin?.({ errorCode, memberId, protocolName: "" });
  member.awaitingSync?.({ errorCode, assignment: NO_BYTES });
  member.awaitingJoin = null;
  member.awaitingSync = null;
}

export function afterDeparture(host: ClassicHost, group: ClassicGroup, reason: string): void {
  if (group.state === "Stable" || group.state === "CompletingRebalance") prepareRebalance(host, group, reason);
  else maybeCompleteJoin(host, group);
}

export function restartSession(host: ClassicHost, group: ClassicGroup, member: ClassicMember): void {
  startSession(host, group, member, member.isNew ? NEW_MEMBER_JOIN_TIMEOUT_MS : member.sessionTimeoutMs);
}
function startSession(host: ClassicHost, group: ClassicGroup, member: ClassicMember, timeoutMs: number): void {
  member.session?.cancel();
  member.session = host.clock.after(timeoutMs, () => {
    if (group.state === "Dead" || group.members.get(member.id) !== member) return;
    // A member whose request we hold is alive; its answer starts the session anew.
    if (!member.isNew && (member.awaitingJoin !== null || member.awaitingSync !== null)) return;
    dropMember(group, member.id);
    host.logger.info("group member expired", { group: group.id, member: member.id, sessionTimeoutMs: member.sessionTimeoutMs });
    afterDeparture(host, group, "a member's session expired");
  });
}

/** Reserves a member id until it comes back with it, for one session time-out. */
export function reserveMemberId(host: ClassicHost, group: ClassicGroup, memberId: string, sessionTimeoutMs: number): void {
  const timer = host.clock.after(sessionTimeoutMs, () => {
    if (group.pendingJoin.delete(memberId)) maybeCompleteJoin(host, group);
  });
  group.pendingJoin.set(memberId, timer);
}
export function releaseMemberId(group: ClassicGroup, memberId: string): boolean {
  group.pendingJoin.get(memberId)?.cancel();
  return group.pendingJoin.delete(memberId);
}
