/**
 * ConsumerGroupHeartbeat (KIP-848): joins, keeps alive, reconciles and leaves. Every change is a record: replayed at once, so
 * that the next request sees it, and answered when it is durable.
 */
import { randomUuid } from "../../base/random.ts";
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from "../../protocol/messages/consumer-group-heartbeat.ts";
import type { Encodable } from "../../protocol/schema.ts";
import type { MetadataView, StateRecord } from "../types.ts";
import { type Assignment, assignmentOf, equals, NOTHING, toWire } from "./assignment.ts";
import type { ClassicGroup } from "./classic-group.ts";
import type { ClassicHost } from "./classic-rebalance.ts";
import { removeMembers, restartConsumerSession, watchRevocation } from "./consumer-departure.ts";
import { type ConsumerGroup, type ConsumerMember, JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from "./consumer-group.ts";
import { currentRecord, groupEpochRecord } from "./consumer-records.ts";
import { type Joining, subscribe } from "./consumer-subscribe.ts";
import { computeTarget, resolveExpressions, subscriptionHash } from "./consumer-target.ts";
import { validateHeartbeat } from "./consumer-validation.ts";
import { upgradeForJoin } from "./migration.ts";
import { type CurrentAssignment, MEMBER_STATES, reconcile } from "./reconcile.ts";

export interface ConsumerHost extends ClassicHost {
  readonly metadata: MetadataView;
  /** The group's own, else the broker's. */
  consumerTimes(groupId: string): { readonly sessionTimeoutMs: number; readonly heartbeatIntervalMs: number };
  /** Null: no such group, or an empty classic one. Throws GROUP_ID_NOT_FOUND for a classic group that has members. */
  findConsumer(groupId: string): ConsumerGroup | null;
  /** The classic group of this id, if it has members. */
  findClassic(groupId: string): ClassicGroup | null;
  /** Records that make room for a consumer group of this id (an empty classic group goes). */
  makeRoom(groupId: string): StateRecord[];
  replay(record: StateRecord): void;
  /** Appends what has been replayed; when that fails the shard is loaded anew, and the promise rejects with KafkaError. */
  persist(records: readonly StateRecord[]): Promise<void>;
}
type Reply = Encodable<ConsumerGroupHeartbeatResponse>;
/** Replays records at once and keeps them for the log. */
export type Write = (records: readonly StateRecord[]) => void;
export function recorder(host: ConsumerHost): { readonly records: readonly StateRecord[]; readonly write: Write } {
  const records: StateRecord[] = [];
  const write: Write = (more) => {
    for (const record of more) {
      host.replay(record);
      records.push(record);
    }
  };
  return { records, write };
}

/** Rejects with KafkaError; its message is for the client. */
export async function heartbeatConsumerGroup(host: ConsumerHost, client: Joining, request: ConsumerGroupHeartbeatRequest): Promise<Reply> {
  validateHeartbeat(host.config, client.version, request);
  const { records, write } = recorder(host);
  if (request.memberEpoch === JOIN_EPOCH) upgradeForJoin(host, request, write);
  const group = host.findConsumer(request.groupId);
  if (group === null && request.memberEpoch !== JOIN_EPOCH) {
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Consumer group ${request.groupId} not found.`);
  }
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
  const owned = request.topicPartitions === null ? null : assignmentOf(request.topicPartitions);
  const after = advance(host, group, joined, { changed, owned, mayDescribe: client.mayDescribe }, write);
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
export interface Progress {
  /** Its subscription is another, or it is new. */
  readonly changed: boolean;
  /** Null: it did not say. */
  readonly owned: Assignment | null;
  readonly mayDescribe: Joining["mayDescribe"];
}
/** A member's step: the group takes in what changed, and the member goes as far as it can. Returns where it is then. */
export function advance(
  host: ConsumerHost,
  group: ConsumerGroup,
  joined: ConsumerMember,
  { changed, owned, mayDescribe }: Progress,
  write: Write,
): CurrentAssignment {
  updateGroup(host, group, changed, mayDescribe, write);
  // A static member that came back needs the target under its new id even if nothing else changed.
  if (group.targetEpoch < group.epoch) write(computeTarget(group, host.metadata, host.config.consumerGroupAssignors[0] ?? "uniform"));
  const target = { epoch: group.targetEpoch, assignment: group.targets.get(joined.id) ?? NOTHING };
  const after = reconcile(joined.current, target, owned, (topicId, partition) => {
    const owner = group.ownerOf(topicId, partition);
    return owner !== null && owner !== joined.id;
  });
  if (after === joined.current || sameCurrent(after, joined.current)) return joined.current;
  write([currentRecord(group.id, joined.id, after)]);
  return after;
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
function updateGroup(host: ConsumerHost, group: ConsumerGroup, changed: boolean, mayDescribe: Joining["mayDescribe"], write: Write): void {
  const version = host.metadata.topicsVersion();
  if (!changed && group.topicsVersion === version) return;
  write(resolveExpressions(group, host.metadata, host.clock.now(), mayDescribe));
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
  } else removeMembers(host, group, [memberId], write);
  return { errorCode: ErrorCode.NONE, memberId, memberEpoch };
}
