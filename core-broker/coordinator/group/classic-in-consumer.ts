/**
 * Members of the classic protocol in a consumer group (KIP-848): a join is one step of the member towards its target, SyncGroup tells
 * where it is, and Heartbeat when it has to join again. No member leads.
 */
import { randomUuid } from "../../base/random.ts";
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { HeartbeatRequest } from "../../protocol/messages/heartbeat.ts";
import type { LeaveGroupRequest } from "../../protocol/messages/leave-group.ts";
import type { SyncGroupRequest } from "../../protocol/messages/sync-group.ts";
import { type JoinReply, NO_BYTES, type SyncReply } from "./classic-group.ts";
import type { JoinAttempt } from "./classic-join.ts";
import { expectJoin, expectSync, met, removeMembers, restartConsumerSession } from "./consumer-departure.ts";
import type { ClassicProtocol, ConsumerGroup, ConsumerMember } from "./consumer-group.ts";
import { advance, type ConsumerHost, recorder } from "./consumer-heartbeat.ts";
import { subscriptionChange } from "./consumer-subscribe.ts";
import { embeddedAssignment, idsOf, subscriptionOf } from "./embedded-protocol.ts";
import { MEMBER_STATES } from "./reconcile.ts";

type ClassicInConsumer = ConsumerMember & { readonly metadata: { readonly classic: ClassicProtocol } };

/** Rejects with KafkaError: INCONSISTENT_GROUP_PROTOCOL, GROUP_MAX_SIZE_REACHED, MEMBER_ID_REQUIRED is an answer. */
export async function joinConsumerGroup(host: ConsumerHost, group: ConsumerGroup, attempt: JoinAttempt): Promise<JoinReply> {
  const memberId = attempt.memberId === "" ? randomUuid(host.random) : attempt.memberId;
  const known = placeOf(group, memberId, attempt);
  if (known === null && group.members.size >= host.config.consumerGroupMaxSize) throw new KafkaError(ErrorCode.GROUP_MAX_SIZE_REACHED);
  if (!supports(group, attempt)) throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  if (attempt.memberId === "" && attempt.instanceId === null && attempt.requiresKnownMemberId) {
    return { errorCode: ErrorCode.MEMBER_ID_REQUIRED, memberId, protocolName: "" };
  }
  const [preferred] = attempt.protocols;
  const subscription = preferred === undefined ? null : subscriptionOf(preferred.metadata);
  if (preferred === undefined || subscription === null) throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  const {
    changed,
    records: change,
    replacedId,
  } = subscriptionChange(group, group.id, known, memberId, {
    instanceId: attempt.instanceId ?? known?.metadata.instanceId ?? null,
    rackId: subscription.rackId ?? known?.metadata.rackId ?? null,
    clientId: attempt.clientId,
    clientHost: attempt.clientHost,
    topics: subscription.topics,
    regex: null,
    rebalanceTimeoutMs: attempt.rebalanceTimeoutMs,
    serverAssignor: null,
    classic: { sessionTimeoutMs: attempt.sessionTimeoutMs, protocols: attempt.protocols },
  });
  const { records, write } = recorder(host);
  if (replacedId !== null) group.cancelTimersOf(replacedId);
  write(change);
  const joined = group.members.get(memberId);
  if (joined === undefined) throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID);
  const owned = idsOf(subscription.ownedPartitions, host.metadata);
  const after = advance(host, group, joined, { changed, owned, mayDescribe: attempt.mayDescribe }, write);
  met(group.joinDeadlines, memberId);
  met(group.revocations, memberId);
  restartConsumerSession(host, group, memberId);
  expectSync(host, group, memberId);
  await host.persist(records);
  const { epoch: generationId } = after;
  return {
    errorCode: ErrorCode.NONE,
    memberId,
    generationId,
    protocolType: "consumer",
    protocolName: preferred.name,
    leader: "",
    members: [],
  };
}

/** The member itself, or the one with its instance id; null: it is new. */
function placeOf(group: ConsumerGroup, memberId: string, attempt: JoinAttempt): ConsumerMember | null {
  if (attempt.instanceId === null) return group.members.get(memberId) ?? null;
  const holder = group.members.get(group.staticMembers.get(attempt.instanceId) ?? "");
  if (attempt.memberId === "" || holder?.id === memberId) return holder ?? null;
  throw new KafkaError(holder === undefined ? ErrorCode.UNKNOWN_MEMBER_ID : ErrorCode.FENCED_INSTANCE_ID);
}

/** Classic members have one protocol in common, by which each reads its assignment. */
function supports(group: ConsumerGroup, { protocolType, protocols }: JoinAttempt): boolean {
  if (protocolType !== "consumer" || protocols.length === 0) return false;
  const others = group.members
    .values()
    .map(({ metadata }) => metadata.classic)
    .filter((classic) => classic !== null)
    .toArray();
  return protocols.some(({ name }) => others.every((classic) => classic.protocols.some((protocol) => protocol.name === name)));
}

/** Throws KafkaError: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION. */
function memberOf(group: ConsumerGroup, memberId: string, instanceId: string | null, generation: number): ClassicInConsumer {
  const member = group.members.get(memberId);
  if (instanceId !== null) {
    const holder = group.staticMembers.get(instanceId);
    if (holder === undefined) throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID);
    if (holder !== memberId) throw new KafkaError(ErrorCode.FENCED_INSTANCE_ID);
  }
  if (member === undefined || !isClassic(member)) throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID);
  if (member.current.epoch !== generation) throw new KafkaError(ErrorCode.ILLEGAL_GENERATION);
  return member;
}
const isClassic = (member: ConsumerMember): member is ClassicInConsumer => member.metadata.classic !== null;

/** Throws KafkaError: as `memberOf`, and INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS. */
export function syncConsumerGroup(host: ConsumerHost, group: ConsumerGroup, request: SyncGroupRequest): SyncReply {
  const member = memberOf(group, request.memberId, request.groupInstanceId, request.generationId);
  const { classic } = member.metadata;
  const [preferred] = classic.protocols;
  const differs = (given: string | null, ours: string | undefined): boolean => given !== null && given !== ours;
  if (differs(request.protocolType, "consumer") || differs(request.protocolName, preferred?.name)) {
    throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  }
  // Who has partitions to give up learns that first, and comes back for the new epoch then.
  if (group.epoch > member.current.epoch && member.current.state !== MEMBER_STATES.unrevoked) {
    expectJoin(host, group, member.id);
    throw new KafkaError(ErrorCode.REBALANCE_IN_PROGRESS);
  }
  met(group.syncDeadlines, member.id);
  restartConsumerSession(host, group, member.id);
  const assignment = embeddedAssignment(member.current.assigned, preferred?.metadata ?? NO_BYTES, host.metadata);
  return { errorCode: ErrorCode.NONE, protocolType: request.protocolType, protocolName: request.protocolName, assignment };
}

/** REBALANCE_IN_PROGRESS when there is something to join for. Throws KafkaError as `memberOf`. */
export function heartbeatInConsumerGroup(host: ConsumerHost, group: ConsumerGroup, request: HeartbeatRequest): number {
  const member = memberOf(group, request.memberId, request.groupInstanceId, request.generationId);
  restartConsumerSession(host, group, member.id);
  const { epoch, state } = member.current;
  const progress =
    epoch < group.epoch || state === MEMBER_STATES.unrevoked || (state === MEMBER_STATES.unreleased && !group.waitsForOthers(member));
  if (!progress) return ErrorCode.NONE;
  expectJoin(host, group, member.id);
  return ErrorCode.REBALANCE_IN_PROGRESS;
}

/** One code per named member, in order; a static member may be named by its instance id alone. */
export function leaveConsumerGroup(host: ConsumerHost, group: ConsumerGroup, members: LeaveGroupRequest["members"]): number[] {
  const leaving = new Set<string>();
  const codes = members.map(({ memberId, groupInstanceId }) => {
    const holder = groupInstanceId === null ? memberId : group.staticMembers.get(groupInstanceId);
    const member = group.members.get(holder ?? "");
    if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    if (memberId !== "" && member.id !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
    if (!isClassic(member)) return ErrorCode.UNKNOWN_MEMBER_ID;
    leaving.add(member.id);
    return ErrorCode.NONE;
  });
  if (leaving.size === 0) return codes;
  const { records, write } = recorder(host);
  removeMembers(host, group, [...leaving], write);
  host.persist(records).catch((error: unknown) => {
    host.logger.warn("members that left could not be recorded", { group: group.id, error: String(error) });
  });
  return codes;
}
