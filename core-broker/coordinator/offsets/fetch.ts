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
