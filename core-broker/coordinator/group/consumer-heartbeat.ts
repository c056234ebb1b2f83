/**
 * ConsumerGroupHeartbeat (KIP-848): joins, keeps alive, reconciles and leaves. Every change is a record: replayed at once, so
 * that the next request sees it, and answered when it is durable.
 */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { type Random, randomUuid } from "../../base/random.ts";
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from "../../protocol/messages/consumer-group-heartbeat.ts";
import type { Encodable } from "../../protocol/schema.ts";
import type { CoordinatorConfig } from "../config.ts";
import type { MetadataView, StateRecord } from "../types.ts";
import { type Assignment, assignmentOf, equals, NOTHING, toWire } from "./assignment.ts";
import { type ConsumerGroup, JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from "./consumer-group.ts";
import { currentRecord, groupEpochRecord, memberTombstones } from "./consumer-records.ts";
import { type Joining, subscribe } from "./consumer-subscribe.ts";
import { computeTarget, resolveExpressions, subscriptionHash } from "./consumer-target.ts";
import { validateHeartbeat } from "./consumer-validation.ts";
import { type CurrentAssignment, MEMBER_STATES, reconcile } from "./reconcile.ts";

export interface ConsumerHost {
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metadata: MetadataView;
  /** The group's own, else the broker's. */
  consumerTimes(groupId: string): { readonly sessionTimeoutMs: number; readonly heartbeatIntervalMs: number };
  /** Null: no such group. Throws GROUP_ID_NOT_FOUND for a classic group that has members. */
  findConsumer(groupId: string): ConsumerGroup | null;
  /** Records that make room for a consumer group of this id (an empty classic group goes). */
  makeRoom(groupId: string): StateRecord[];
  replay(record: StateRecord): void;
  /** Appends what has been replayed; when that fails the shard is loaded anew, and the promise rejects with KafkaError. */
  persist(records: readonly StateRecord[]): Promise<void>;
}
type Reply = Encodable<ConsumerGroupHeartbeatResponse>;
type Write = (records: readonly StateRecord[]) => void;

/** Rejects with KafkaError; its message is for the client. */
export async function heartbeatConsumerGroup(host: ConsumerHost, client: Joining, request: ConsumerGroupHeartbeatRequest): Promise<Reply> {
  validateHeartbeat(host.config, client.version, request);
  const group = host.findConsumer(request.groupId);
  if (group === null && request.memberEpoch !== JOIN_EPOCH) {
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Consumer group ${request.groupId} not found.`);
  }
  const records: StateRecord[] = [];
  const write: Write = (more) => {
    for (const record of more) {
      host.replay(record);
      records.push(record);
    }
  };
  const leaving = request.memberEpoch === LEAVE_EPOCH || request.memberEpoch === STATIC_LEAVE_EPOCH;
  const reply = leaving && group !== null ? leave(host, group, request, write) : stay(host, client, request, write);
  await host.persist(records);
  return reply;
}

function stay(host: ConsumerHost, client: Joining, request: ConsumerGroupHeartbeatRequest, write: Write): Reply {
  const memberId = request.memberId === "" ? randomUuid(host.random) : request.memberId;
  const { changed, records, replacedId } = subscribe(host, client, request, memberId);
  const before = host.findConsumer(request.groupId);
  if (before === null) write(host.makeRoom(request.groupId));
  else if (replacedId !== null) before.cancelTimersOf(replacedId);
  write(records);
  const group = host.findConsumer(request.groupId);
  const joined = group?.members.get(memberId);
  if (group === null || joined === undefined) throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID);
  updateGroup(host, group, changed, write);
  // A static member that came back needs the target under its new id even if nothing else changed.
  if (group.targetEpoch < group.epoch) write(computeTarget(group, host.metadata, host.config.consumerGroupAssignors[0] ?? "uniform"));
  const owned = request.topicPartitions === null ? null : assignmentOf(request.topicPartitions);
  const target = { epoch: group.targetEpoch, assignment: group.targets.get(memberId) ?? NOTHING };
  const after = reconcile(joined.current, target, owned, (topicId, partition) => {
    const owner = group.ownerOf(topicId, partition);
    return owner !== null && owner !== memberId;
  });
  if (after !== joined.current && !sameCurrent(after, joined.current)) write([currentRecord(group.id, memberId, after)]);
  restartConsumerSession(host, group, memberId);
  watchRevocation(host, group, memberId);
  const tell = isFull(request) || !equals(after.assigned, joined.current.assigned);
  return {
    errorCode: ErrorCode.NONE,
    memberId,
    memberEpoch: after.epoch,
    heartbeatIntervalMs: host.consumerTimes(group.id).heartbeatIntervalMs,
    assignment: tell ? { topicPartitions: toWire(after.assigned) } : null,
  };
}
const sameCurrent = (a: CurrentAssignment, b: CurrentAssignment): boolean =>
  a.epoch === b.epoch && a.state === b.state && sameParts(a.assigned, b.assigned) && sameParts(a.revoking, b.revoking);
const sameParts = (a: Assignment, b: Assignment): boolean => a === b || equals(a, b);

/** A member that says everything wants to be told everything: it joins, or an answer got lost. */
const isFull = (request: ConsumerGroupHeartbeatRequest): boolean =>
  request.memberEpoch === JOIN_EPOCH ||
  (request.rebalanceTimeoutMs !== -1 &&
    (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
    request.topicPartitions !== null);

/** Bumps the group epoch when subscriptions, or the topics behind them, are not what the target was made for. */
function updateGroup(host: ConsumerHost, group: ConsumerGroup, changed: boolean, write: Write): void {
  const version = host.metadata.topicsVersion();
  if (!changed && group.topicsVersion === version) return;
  write(resolveExpressions(group, host.metadata, host.clock.now()));
  const hash = subscriptionHash(group, host.metadata);
  group.topicsVersion = version;
  if (changed || hash !== group.metadataHash) write([groupEpochRecord(group.id, group.epoch + 1, hash)]);
}

function leave(host: ConsumerHost, group: ConsumerGroup, request: ConsumerGroupHeartbeatRequest, write: Write): Reply {
  const { instanceId, memberEpoch } = request;
  let memberId = request.memberId;
  if (instanceId !== null) {
    const holder = group.staticMembers.get(instanceId);
    if (holder === undefined)
      throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Static member with instance id ${instanceId} is not known.`);
    if (holder !== memberId && memberId !== "") throw new KafkaError(ErrorCode.FENCED_INSTANCE_ID);
    memberId = holder;
  }
  const member = group.members.get(memberId);
  if (member === undefined) throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.id}.`);
  if (memberEpoch === STATIC_LEAVE_EPOCH) {
    // It keeps its place until its session ends; whoever comes with the instance id takes over.
    const away = { ...member.current, epoch: STATIC_LEAVE_EPOCH, state: MEMBER_STATES.stable, revoking: NOTHING };
    write([currentRecord(group.id, memberId, away)]);
  } else removeMember(group, memberId, write);
  return { errorCode: ErrorCode.NONE, memberId, memberEpoch };
}

function removeMember(group: ConsumerGroup, memberId: string, write: Write): void {
  group.cancelTimersOf(memberId);
  write([...memberTombstones(group.id, memberId), groupEpochRecord(group.id, group.epoch + 1, group.metadataHash)]);
}

/** The coordinator's own decision that a member is gone. */
function fence(host: ConsumerHost, group: ConsumerGroup, memberId: string, why: string): void {
  if (group.dead || !group.members.has(memberId)) return;
  host.logger.info("group member fenced", { group: group.id, member: memberId, why });
  const records: StateRecord[] = [];
  removeMember(group, memberId, (more) => {
    for (const record of more) {
      host.replay(record);
      records.push(record);
    }
  });
  host.persist(records).catch((error: unknown) => {
    host.logger.warn("a fenced member could not be recorded", { group: group.id, member: memberId, error: String(error) });
  });
}
export function restartConsumerSession(host: ConsumerHost, group: ConsumerGroup, memberId: string): void {
  group.sessions.get(memberId)?.cancel();
  const timer = host.clock.after(host.consumerTimes(group.id).sessionTimeoutMs, () => fence(host, group, memberId, "its session expired"));
  group.sessions.set(memberId, timer);
}
/** A member has its rebalance time-out to give up what it must. */
export function watchRevocation(host: ConsumerHost, group: ConsumerGroup, memberId: string): void {
  const member = group.members.get(memberId);
  const waiting = member?.current.state === MEMBER_STATES.unrevoked;
  const running = group.revocations.get(memberId);
  if (!waiting || member === undefined) {
    running?.cancel();
    group.revocations.delete(memberId);
    return;
  }
  if (running !== undefined) return;
  const { epoch } = member.current;
  const timer = host.clock.after(member.metadata.rebalanceTimeoutMs, () => {
    group.revocations.delete(memberId);
    const now = group.members.get(memberId)?.current;
    if (now?.state !== MEMBER_STATES.unrevoked) return;
    if (now.epoch === epoch) fence(host, group, memberId, "it did not give up its partitions in time");
    else watchRevocation(host, group, memberId);
  });
  group.revocations.set(memberId, timer);
}
