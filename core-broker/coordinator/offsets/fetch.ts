/** OffsetFetch for one group. */
import { ErrorCode } from "../../protocol/errors.ts";
import type { GroupShard } from "../group/shard.ts";
import type { CommittedOffset } from "./offset-store.ts";

export interface FetchedPartition {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
}
export interface FetchedTopic {
  readonly name: string;
  readonly partitions: readonly FetchedPartition[];
}
/** Null: all partitions with a committed offset. */
export type WantedTopics = readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null;

/** A member of a KIP-848 group must be of the present epoch (v9+). */
export function admitFetch(shard: GroupShard, who: { groupId: string; memberId: string | null; memberEpoch: number }): number {
  const group = shard.groups.get(who.groupId);
  if (group?.type !== "consumer" || (who.memberEpoch < 0 && (who.memberId ?? "") === "")) return ErrorCode.NONE;
  const member = group.members.get(who.memberId ?? "");
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  if (member.current.epoch === who.memberEpoch) return ErrorCode.NONE;
  return member.metadata.classic === null ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.ILLEGAL_GENERATION;
}

/** `requireStable` (KIP-447): a partition with an offset in an open transaction answers UNSTABLE_OFFSET_COMMIT. */
export function fetchOffsets(shard: GroupShard, groupId: string, wanted: WantedTopics, requireStable: boolean): FetchedTopic[] {
  const topics = wanted ?? [...shard.offsets.of(groupId)].map(([name, partitions]) => ({ name, partitionIndexes: [...partitions.keys()] }));
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partition) => {
      if (requireStable && shard.offsets.hasPending(groupId, name, partition)) return absent(partition, ErrorCode.UNSTABLE_OFFSET_COMMIT);
      const found = shard.offsets.get(groupId, name, partition);
      return found === null ? absent(partition, ErrorCode.NONE) : present(partition, found);
    }),
  }));
}
export const failFetch = (wanted: WantedTopics, errorCode: number): FetchedTopic[] =>
  (wanted ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partition) => absent(partition, errorCode)),
  }));

const present = (partitionIndex: number, found: CommittedOffset): FetchedPartition => ({
  partitionIndex,
  committedOffset: found.offset,
  committedLeaderEpoch: found.leaderEpoch,
  metadata: found.metadata,
  errorCode: ErrorCode.NONE,
});
const absent = (partitionIndex: number, errorCode: number): FetchedPartition => ({
  partitionIndex,
  committedOffset: -1,
  committedLeaderEpoch: -1,
  metadata: "",
  errorCode,
});
