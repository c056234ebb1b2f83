/** Committed offsets of a group: OffsetFetch and OffsetCommit, with the shapes of old and new versions. */
import { ErrorCode, KafkaError } from "../protocol/errors.ts";
import { offsetCommit, offsetFetch } from "../protocol/messages/index.ts";
import { type Cluster, coordinatorMoved } from "./cluster.ts";
import { partitionKey } from "./list-offsets.ts";
import { retrying } from "./retry.ts";
import type { PartitionOffset, TopicPartition } from "./types.ts";

export interface CommitIdentity {
  /** -1: not a member (admin, transactional producer without group metadata). */
  readonly generation: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}
export const NO_MEMBER: CommitIdentity = { generation: -1, memberId: "", groupInstanceId: null };

function byTopic<T extends TopicPartition, R>(items: readonly T[], each: (item: T) => R): { name: string; partitions: R[] }[] {
  return [...Map.groupBy(items, (item) => item.topic)].map(([name, group]) => ({ name, partitions: group.map(each) }));
}
/** TxnOffsetCommit has the same topic shape. */
export const commitTopics = (offsets: readonly PartitionOffset[]): ReturnType<typeof commitShape> => commitShape(offsets);
function commitShape(offsets: readonly PartitionOffset[]) {
  return byTopic(offsets, (each) => ({
    partitionIndex: each.partition,
    committedOffset: each.offset,
    committedLeaderEpoch: each.leaderEpoch ?? -1,
    committedMetadata: each.metadata ?? "",
  }));
}

/** Every offset is stored, or an error is thrown: a retriable one after `timeoutMs`, the group's own errors at once. */
export async function commitOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly PartitionOffset[],
  identity: () => CommitIdentity,
  timeoutMs: number,
): Promise<void> {
  if (offsets.length === 0) return;
  const topics = commitTopics(offsets);
  await retrying(cluster, `committing offsets of group ${groupId}`, timeoutMs, async () => {
    const { generation, memberId, groupInstanceId } = identity();
    const { body } = await cluster.sendToCoordinator("group", groupId, offsetCommit, (version) => ({
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId,
      ...(version >= 7 ? { groupInstanceId } : {}),
      topics,
    }));
    for (const topic of body.topics) {
      for (const answer of topic.partitions) {
        const code = answer.errorCode;
        if (code === ErrorCode.NONE) continue;
        if (coordinatorMoved(code)) cluster.forgetCoordinator("group", groupId);
        throw new KafkaError(code, `offset of ${topic.name}-${answer.partitionIndex} could not be committed for group ${groupId}`);
      }
    }
  });
}

interface FetchedOffsets {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly committedOffset: number;
      readonly committedLeaderEpoch: number;
      readonly metadata: string | null;
      readonly errorCode: number;
    }[];
  }[];
  readonly errorCode: number;
}
/** `partitions` null: all that the group has. Partitions without an offset are missing in the answer. */
export async function fetchOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  requireStable: boolean,
  timeoutMs: number,
): Promise<Map<string, PartitionOffset>> {
  const names = partitions === null ? null : [...Map.groupBy(partitions, (each) => each.topic)];
  const topics = names?.map(([name, group]) => ({ name, partitionIndexes: group.map((each) => each.partition) })) ?? null;
  return retrying(cluster, `fetching offsets of group ${groupId}`, timeoutMs, async () => {
    const { body } = await cluster.sendToCoordinator("group", groupId, offsetFetch, (version) => ({
      ...(version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics }),
      ...(version >= 7 ? { requireStable } : {}),
    }));
    const answer: FetchedOffsets = body.groups[0] ?? body;
    const refuse = (code: number): never => {
      if (coordinatorMoved(code)) cluster.forgetCoordinator("group", groupId);
      throw new KafkaError(code, `offsets of group ${groupId} could not be fetched`);
    };
    if (answer.errorCode !== ErrorCode.NONE) refuse(answer.errorCode);
    const found = new Map<string, PartitionOffset>();
    for (const topic of answer.topics) {
      for (const each of topic.partitions) {
        if (each.errorCode !== ErrorCode.NONE) refuse(each.errorCode);
        if (each.committedOffset < 0) continue;
        const entry = { topic: topic.name, partition: each.partitionIndex, offset: each.committedOffset, metadata: each.metadata ?? "" };
        found.set(partitionKey(entry), each.committedLeaderEpoch < 0 ? entry : { ...entry, leaderEpoch: each.committedLeaderEpoch });
      }
    }
    return found;
  });
}
