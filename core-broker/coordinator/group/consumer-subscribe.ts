/** Who a heartbeat speaks for, and what it changes about that member. Decides only; the caller writes the records. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { ConsumerGroupHeartbeatRequest } from "../../protocol/messages/consumer-group-heartbeat.ts";
import type { StateRecord } from "../types.ts";
import { assignmentOf, isSubset, NOTHING } from "./assignment.ts";
import { sameProtocols } from "./classic-group.ts";
import {
  type ClassicProtocol,
  type ConsumerGroup,
  type ConsumerMember,
  type ConsumerMemberMetadata,
  JOIN_EPOCH,
  STATIC_LEAVE_EPOCH,
} from "./consumer-group.ts";
import type { ConsumerHost } from "./consumer-heartbeat.ts";
import { currentRecord, memberRecord, memberTombstones, targetRecord } from "./consumer-records.ts";

export interface Joining {
  readonly version: number;
  readonly clientId: string | null;
  readonly host: string;
  /** Absent: it may describe every topic. */
  readonly mayDescribe?: ((topic: string) => boolean) | undefined;
}
export interface Subscription {
  /** What the group subscribes to may be another: a new target is needed. */
  readonly changed: boolean;
  readonly records: readonly StateRecord[];
  /** The member whose instance id was taken over. */
  readonly replacedId: string | null;
}

/** Throws KafkaError: GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID. */
export function subscribe(host: ConsumerHost, client: Joining, request: ConsumerGroupHeartbeatRequest, memberId: string): Subscription {
  const group = host.findConsumer(request.groupId);
  const known = group === null ? null : knownMember(group, request, memberId);
  if (known === null && (group?.members.size ?? 0) >= host.config.consumerGroupMaxSize) {
    throw new KafkaError(
      ErrorCode.GROUP_MAX_SIZE_REACHED,
      `The consumer group has reached its maximum capacity of ${host.config.consumerGroupMaxSize} members.`,
    );
  }
  return subscriptionChange(group, request.groupId, known, memberId, merge(known?.metadata ?? null, client, request));
}

/** What `metadata` under `memberId` means for the group, where `known` is the member so far: itself, or whose place it takes. */
export function subscriptionChange(
  group: ConsumerGroup | null,
  groupId: string,
  known: ConsumerMember | null,
  memberId: string,
  metadata: ConsumerMemberMetadata,
): Subscription {
  const records: StateRecord[] = [];
  const replacedId = known !== null && known.id !== memberId ? known.id : null;
  if (known !== null && replacedId !== null) {
    const target = group?.targets.get(replacedId) ?? NOTHING;
    const current = { ...known.current, epoch: 0, previousEpoch: 0 };
    records.push(...memberTombstones(groupId, replacedId));
    records.push(memberRecord(groupId, memberId, metadata));
    records.push(targetRecord(groupId, memberId, target), currentRecord(groupId, memberId, current));
  } else if (known === null || !sameMetadata(known.metadata, metadata)) records.push(memberRecord(groupId, memberId, metadata));
  const changed = known === null || !sameTopics(known.metadata.topics, metadata.topics) || known.metadata.regex !== metadata.regex;
  return { changed, records, replacedId };
}

/** Null: it joins. */
function knownMember(group: ConsumerGroup, request: ConsumerGroupHeartbeatRequest, memberId: string): ConsumerMember | null {
  const joining = request.memberEpoch === JOIN_EPOCH;
  if (request.instanceId !== null) {
    const holder = group.members.get(group.staticMembers.get(request.instanceId) ?? "");
    if (holder === undefined) {
      if (joining) return null;
      throw new KafkaError(
        ErrorCode.UNKNOWN_MEMBER_ID,
        `Static member with instance id ${request.instanceId} is not a member of group ${group.id}.`,
      );
    }
    if (holder.id === memberId) return joining ? holder : checkEpoch(holder, request);
    if (!joining)
      throw new KafkaError(
        ErrorCode.FENCED_INSTANCE_ID,
        `Static member ${memberId} with instance id ${request.instanceId} was fenced by ${holder.id}.`,
      );
    // A classic member says nothing when it goes; its successor takes the place at once.
    if (holder.current.epoch === STATIC_LEAVE_EPOCH || holder.metadata.classic !== null) return holder;
    throw new KafkaError(
      ErrorCode.UNRELEASED_INSTANCE_ID,
      `Static member ${memberId} with instance id ${request.instanceId} cannot join the group because the instance id is owned by ${holder.id} member.`,
    );
  }
  const member = group.members.get(memberId);
  if (member === undefined) {
    if (joining) return null;
    throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.id}.`);
  }
  return joining ? member : checkEpoch(member, request);
}

/** The epoch before is taken too, if the member owns nothing more: the answer with the new one may have got lost. */
function checkEpoch(member: ConsumerMember, request: ConsumerGroupHeartbeatRequest): ConsumerMember {
  const { epoch, previousEpoch, assigned } = member.current;
  if (request.memberEpoch === epoch) return member;
  const owned = request.topicPartitions === null ? null : assignmentOf(request.topicPartitions);
  if (request.memberEpoch < epoch && request.memberEpoch === previousEpoch && owned !== null && isSubset(owned, assigned)) return member;
  const than = request.memberEpoch > epoch ? "higher" : "smaller";
  throw new KafkaError(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${than} member epoch (${request.memberEpoch}) than the one known by the group coordinator (${epoch}). The member must abandon all its partitions and rejoin.`,
  );
}

/** Fields that a heartbeat leaves out keep their value. */
function merge(known: ConsumerMemberMetadata | null, client: Joining, request: ConsumerGroupHeartbeatRequest): ConsumerMemberMetadata {
  return {
    instanceId: request.instanceId ?? known?.instanceId ?? null,
    rackId: request.rackId ?? known?.rackId ?? null,
    clientId: client.clientId ?? "",
    clientHost: `/${client.host}`,
    topics: request.subscribedTopicNames ?? known?.topics ?? [],
    regex: request.subscribedTopicRegex ?? known?.regex ?? null,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? (known?.rebalanceTimeoutMs ?? -1) : request.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? known?.serverAssignor ?? null,
    classic: null,
  };
}
const sameTopics = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && new Set(a).isSubsetOf(new Set(b));
const sameMetadata = (a: ConsumerMemberMetadata, b: ConsumerMemberMetadata): boolean =>
  a.instanceId === b.instanceId &&
  a.rackId === b.rackId &&
  a.clientId === b.clientId &&
  a.clientHost === b.clientHost &&
  a.regex === b.regex &&
  a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
  a.serverAssignor === b.serverAssignor &&
  sameTopics(a.topics, b.topics) &&
  sameClassic(a.classic, b.classic);
const sameClassic = (a: ClassicProtocol | null, b: ClassicProtocol | null): boolean =>
  a === null || b === null ? a === b : a.sessionTimeoutMs === b.sessionTimeoutMs && sameProtocols(a.protocols, b.protocols);
