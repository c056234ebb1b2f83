/** KIP-848's records in __consumer_offsets: how they are made, and what replaying one does. */
import { decodeRecord, encodeRecord, recordPrefix } from "../../protocol/record-codec.ts";
import {
  consumerGroupCurrentMemberAssignmentKey as currentKey,
  consumerGroupCurrentMemberAssignmentValue as currentValue,
  consumerGroupMemberMetadataKey as memberKey,
  type ConsumerGroupMemberMetadataValue,
  consumerGroupMemberMetadataValue as memberValue,
  consumerGroupMetadataKey as groupKey,
  consumerGroupMetadataValue as groupValue,
  consumerGroupRegularExpressionKey as regexKey,
  consumerGroupRegularExpressionValue as regexValue,
  consumerGroupTargetAssignmentMemberKey as targetMemberKey,
  consumerGroupTargetAssignmentMemberValue as targetMemberValue,
  consumerGroupTargetAssignmentMetadataKey as targetKey,
  consumerGroupTargetAssignmentMetadataValue as targetValue,
} from "../../protocol/state/consumer-group-records.ts";
import { encodeKey } from "../records.ts";
import type { StateRecord } from "../types.ts";
import { type Assignment, assignmentOf, toWire } from "./assignment.ts";
import type { ClassicProtocol, ConsumerGroup, ConsumerMemberMetadata } from "./consumer-group.ts";
import { type CurrentAssignment, MEMBER_STATES, type MemberState } from "./reconcile.ts";

export const groupEpochRecord = (groupId: string, epoch: number, metadataHash: number): StateRecord => ({
  key: encodeKey(groupKey, { groupId }),
  value: encodeRecord(groupValue, 0, { epoch, metadataHash }),
});
export const targetEpochRecord = (groupId: string, assignmentEpoch: number): StateRecord => ({
  key: encodeKey(targetKey, { groupId }),
  value: encodeRecord(targetValue, 0, { assignmentEpoch }),
});
export const groupTombstones = (group: ConsumerGroup): StateRecord[] => [
  ...[...group.regexes.keys()].map((regularExpression) => ({
    key: encodeKey(regexKey, { groupId: group.id, regularExpression }),
    value: null,
  })),
  { key: encodeKey(targetKey, { groupId: group.id }), value: null },
  { key: encodeKey(groupKey, { groupId: group.id }), value: null },
];
export function memberRecord(groupId: string, memberId: string, metadata: ConsumerMemberMetadata): StateRecord {
  const value = {
    instanceId: metadata.instanceId,
    rackId: metadata.rackId,
    clientId: metadata.clientId,
    clientHost: metadata.clientHost,
    subscribedTopicNames: metadata.topics,
    subscribedTopicRegex: metadata.regex,
    rebalanceTimeoutMs: metadata.rebalanceTimeoutMs,
    serverAssignor: metadata.serverAssignor,
    classicMemberMetadata:
      metadata.classic === null
        ? null
        : { sessionTimeoutMs: metadata.classic.sessionTimeoutMs, supportedProtocols: metadata.classic.protocols },
  };
  return { key: encodeKey(memberKey, { groupId, memberId }), value: encodeRecord(memberValue, 0, value) };
}
export const targetRecord = (groupId: string, memberId: string, target: Assignment): StateRecord => ({
  key: encodeKey(targetMemberKey, { groupId, memberId }),
  value: encodeRecord(targetMemberValue, 0, { topicPartitions: toWire(target) }),
});
export const currentRecord = (groupId: string, memberId: string, current: CurrentAssignment): StateRecord => ({
  key: encodeKey(currentKey, { groupId, memberId }),
  value: encodeRecord(currentValue, 0, {
    memberEpoch: current.epoch,
    previousMemberEpoch: current.previousEpoch,
    state: current.state,
    assignedPartitions: toWire(current.assigned),
    partitionsPendingRevocation: toWire(current.revoking),
  }),
});
/** In the order in which Kafka removes a member: what depends on it first. */
export const memberTombstones = (groupId: string, memberId: string): StateRecord[] => [
  { key: encodeKey(currentKey, { groupId, memberId }), value: null },
  { key: encodeKey(targetMemberKey, { groupId, memberId }), value: null },
  { key: encodeKey(memberKey, { groupId, memberId }), value: null },
];
export function regexRecord(
  groupId: string,
  regularExpression: string,
  topics: readonly string[] | null,
  version: number,
  nowMs: number,
): StateRecord {
  const key = encodeKey(regexKey, { groupId, regularExpression });
  return { key, value: topics === null ? null : encodeRecord(regexValue, 0, { topics, version, timestamp: nowMs }) };
}

/** What the replay asks of the shard. */
export interface ConsumerGroups {
  find(groupId: string): ConsumerGroup | null;
  create(groupId: string): ConsumerGroup;
  remove(groupId: string): void;
}
type Replay = (groups: ConsumerGroups, record: StateRecord) => void;
const REPLAY: Readonly<Record<number, Replay>> = {
  [groupKey.type](groups, { key, value }) {
    const { groupId } = decodeRecord(groupKey, key, 0);
    if (value === null) return groups.remove(groupId);
    const group = groups.create(groupId);
    ({ epoch: group.epoch, metadataHash: group.metadataHash } = decodeRecord(groupValue, value));
  },
  [memberKey.type](groups, { key, value }) {
    const { groupId, memberId } = decodeRecord(memberKey, key, 0);
    if (value === null) return groups.find(groupId)?.replayMember(memberId, null);
    const read = decodeRecord(memberValue, value);
    groups.create(groupId).replayMember(memberId, {
      instanceId: read.instanceId,
      rackId: read.rackId,
      clientId: read.clientId,
      clientHost: read.clientHost,
      topics: read.subscribedTopicNames,
      regex: read.subscribedTopicRegex,
      rebalanceTimeoutMs: read.rebalanceTimeoutMs,
      serverAssignor: read.serverAssignor,
      classic: classicProtocol(read.classicMemberMetadata),
    });
  },
  [targetKey.type](groups, { key, value }) {
    const { groupId } = decodeRecord(targetKey, key, 0);
    const group = value === null ? groups.find(groupId) : groups.create(groupId);
    if (group !== null) group.targetEpoch = value === null ? 0 : decodeRecord(targetValue, value).assignmentEpoch;
  },
  [targetMemberKey.type](groups, { key, value }) {
    const { groupId, memberId } = decodeRecord(targetMemberKey, key, 0);
    if (value === null) groups.find(groupId)?.replayTarget(memberId, null);
    else groups.create(groupId).replayTarget(memberId, assignmentOf(decodeRecord(targetMemberValue, value).topicPartitions));
  },
  [currentKey.type](groups, { key, value }) {
    const { groupId, memberId } = decodeRecord(currentKey, key, 0);
    if (value === null) return groups.find(groupId)?.replayCurrent(memberId, null);
    const read = decodeRecord(currentValue, value);
    groups.create(groupId).replayCurrent(memberId, {
      epoch: read.memberEpoch,
      previousEpoch: read.previousMemberEpoch,
      state: memberState(read.state),
      assigned: assignmentOf(read.assignedPartitions),
      revoking: assignmentOf(read.partitionsPendingRevocation),
    });
  },
  [regexKey.type](groups, { key, value }) {
    const { groupId, regularExpression } = decodeRecord(regexKey, key, 0);
    if (value === null) groups.find(groupId)?.regexes.delete(regularExpression);
    else groups.create(groupId).regexes.set(regularExpression, decodeRecord(regexValue, value).topics);
  },
};
/** Bytes are copied: those of the log's batch, or of a request's frame, are not kept alive. */
const classicProtocol = (read: ConsumerGroupMemberMetadataValue["classicMemberMetadata"]): ClassicProtocol | null =>
  read === null
    ? null
    : {
        sessionTimeoutMs: read.sessionTimeoutMs,
        protocols: read.supportedProtocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      };
const memberState = (byte: number): MemberState =>
  byte === MEMBER_STATES.unrevoked || byte === MEMBER_STATES.unreleased ? byte : MEMBER_STATES.stable;

/** False: not one of KIP-848's records. */
export function replayConsumerRecord(groups: ConsumerGroups, record: StateRecord): boolean {
  const replay = REPLAY[recordPrefix(record.key)];
  replay?.(groups, record);
  return replay !== undefined;
}
