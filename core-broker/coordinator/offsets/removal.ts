/** Offsets that go: OffsetDelete, DeleteGroups, expiry (KIP-211), deleted topics. */
import { ErrorCode } from "../../protocol/errors.ts";
import type { OffsetDeleteRequest } from "../../protocol/messages/offset-delete.ts";
import { codeOf } from "../error-code.ts";
import { classicGroupTombstone } from "../group/classic-records.ts";
import { groupTombstones } from "../group/consumer-records.ts";
import type { Group, GroupShard } from "../group/shard.ts";
import type { StateRecord } from "../types.ts";
import { type CommittedOffset, offsetRecord } from "./offset-store.ts";

interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}
async function removeOffsets(
  shard: GroupShard,
  groupId: string,
  gone: readonly TopicPartition[],
  extra: readonly StateRecord[] = [],
): Promise<void> {
  const records = gone.map(({ topic, partition }) => offsetRecord(groupId, topic, partition, null)).concat(extra);
  if (records.length === 0) return;
  await shard.append(records);
  for (const { topic, partition } of gone) shard.offsets.replay(groupId, topic, partition, null, null);
}
function allOffsets(shard: GroupShard, groupId: string): TopicPartition[] {
  const all: TopicPartition[] = [];
  for (const [topic, partitions] of shard.offsets.of(groupId)) for (const partition of partitions.keys()) all.push({ topic, partition });
  return all;
}

/** The code of DeleteGroups for one group. */
export async function deleteGroup(shard: GroupShard, groupId: string): Promise<number> {
  const group = shard.groups.get(groupId);
  if (group === undefined || group.state === "Dead") return ErrorCode.GROUP_ID_NOT_FOUND;
  if (group.state !== "Empty") return ErrorCode.NON_EMPTY_GROUP;
  const tombstones = group.type === "consumer" ? groupTombstones(group) : [classicGroupTombstone(groupId)];
  // Dead first: nobody joins or commits while the tombstones are written.
  setDead(group, true);
  try {
    await removeOffsets(shard, groupId, allOffsets(shard, groupId), tombstones);
  } catch (error) {
    setDead(group, false);
    return codeOf(error);
  }
  shard.forget(group);
  return ErrorCode.NONE;
}

function setDead(group: Group, dead: boolean): void {
  if (group.type === "consumer") group.dead = dead;
  else group.state = dead ? "Dead" : "Empty";
}

/** OffsetDelete of a group that exists: per topic the code, or one code for all. */
export async function deleteOffsets(
  shard: GroupShard,
  groupId: string,
  topics: OffsetDeleteRequest["topics"],
): Promise<{ errorCode: number; topicCodes: number[] }> {
  const group = shard.groups.get(groupId);
  if (group === undefined || group.state === "Dead") return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, topicCodes: [] };
  if (group.state !== "Empty" && group.protocolType !== "consumer") return { errorCode: ErrorCode.NON_EMPTY_GROUP, topicCodes: [] };
  const gone: TopicPartition[] = [];
  const topicCodes = topics.map(({ name, partitions }) => {
    if (group.state !== "Empty" && group.isSubscribedTo(name)) return ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC;
    for (const { partitionIndex } of partitions) {
      if (shard.offsets.get(groupId, name, partitionIndex) !== null) gone.push({ topic: name, partition: partitionIndex });
    }
    return ErrorCode.NONE;
  });
  try {
    await removeOffsets(shard, groupId, gone);
  } catch (error) {
    return { errorCode: codeOf(error), topicCodes: [] };
  }
  return { errorCode: ErrorCode.NONE, topicCodes };
}

export async function forgetTopics(shard: GroupShard, topics: ReadonlySet<string>): Promise<void> {
  for (const groupId of shard.offsets.groupIds()) {
    await removeOffsets(
      shard,
      groupId,
      allOffsets(shard, groupId).filter(({ topic }) => topics.has(topic)),
    );
  }
}

/** Drops what is older than `offsets.retention.minutes`, and groups that are empty and have nothing left. */
export async function expireOffsets(shard: GroupShard): Promise<void> {
  const nowMs = shard.clock.now();
  for (const group of shard.groups.values()) {
    const expired: TopicPartition[] = [];
    let left = 0;
    for (const [topic, partitions] of shard.offsets.of(group.id)) {
      for (const [partition, committed] of partitions) {
        const keep = !isExpired(shard, group, topic, committed, nowMs) || shard.offsets.hasPending(group.id, topic, partition);
        if (keep) left++;
        else expired.push({ topic, partition });
      }
    }
    const over = left === 0 && group.state === "Empty" && !isBeingJoined(group) && !shard.offsets.groupHasPending(group.id);
    if (over) await deleteGroup(shard, group.id);
    else await removeOffsets(shard, group.id, expired);
  }
}

const isBeingJoined = (group: Group): boolean => group.type === "classic" && group.pendingJoin.size > 0;

function isExpired(shard: GroupShard, group: Group, topic: string, committed: CommittedOffset, nowMs: number): boolean {
  let sinceMs: number;
  if (group.type === "consumer") {
    if (group.isSubscribedTo(topic)) return false;
    sinceMs = committed.commitTimestampMs;
  } else if (group.protocolType === null) sinceMs = committed.commitTimestampMs;
  else if (group.state === "Empty") sinceMs = Math.max(group.stateSinceMs, committed.commitTimestampMs);
  else if (
    group.state === "Stable" &&
    group.protocolType === "consumer" &&
    group.subscribedTopics !== null &&
    !group.isSubscribedTo(topic)
  ) {
    sinceMs = committed.commitTimestampMs;
  } else return false;
  if (committed.expireTimestampMs >= 0) return nowMs >= committed.expireTimestampMs;
  return nowMs - sinceMs >= shard.config.offsetsRetentionMs;
}
