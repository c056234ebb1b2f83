/** OffsetCommit and TxnOffsetCommit: who may commit, and the records of it. */
import { ErrorCode } from "../../protocol/errors.ts";
import type { OffsetCommitRequest } from "../../protocol/messages/offset-commit.ts";
import { codeOf } from "../error-code.ts";
import type { ClassicGroup } from "../group/classic-group.ts";
import type { ConsumerGroup } from "../group/consumer-group.ts";
import { restartSession } from "../group/classic-rebalance.ts";
import { validateMember } from "../group/member-id.ts";
import type { GroupShard } from "../group/shard.ts";
import type { ProducerIdentity, StateRecord } from "../types.ts";
import { type CommittedOffset, offsetRecord } from "./offset-store.ts";

export interface OffsetCommitAttempt {
  /** Of the request. */
  readonly version: number;
  readonly groupId: string;
  /** -1: a consumer outside of group management, or an administrator. */
  readonly generationOrEpoch: number;
  readonly memberId: string;
  readonly instanceId: string | null;
  /** -1: the broker's own retention. */
  readonly retentionTimeMs: number;
  readonly topics: OffsetCommitRequest["topics"];
  /** Set: the offsets become visible when this producer's transaction commits. */
  readonly producer: ProducerIdentity | null;
}
export interface CommitResult {
  readonly name: string;
  readonly partitions: { readonly partitionIndex: number; readonly errorCode: number }[];
}

export const failCommit = (topics: OffsetCommitRequest["topics"], errorCode: number): CommitResult[] =>
  topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }));

export async function commitOffsets(shard: GroupShard, attempt: OffsetCommitAttempt): Promise<CommitResult[]> {
  const refused = admit(shard, attempt);
  if (refused !== ErrorCode.NONE) return failCommit(attempt.topics, refused);
  const { records, replay, results } = collect(shard, attempt);
  if (records.length === 0) return results;
  try {
    await shard.append(records, attempt.producer ?? undefined);
  } catch (error) {
    const code = codeOf(error);
    return failCommit(attempt.topics, code === ErrorCode.UNKNOWN_SERVER_ERROR ? ErrorCode.INVALID_COMMIT_OFFSET_SIZE : code);
  }
  shard.getOrCreate(attempt.groupId);
  for (const apply of replay) apply();
  return results;
}

function admit(shard: GroupShard, attempt: OffsetCommitAttempt): number {
  const group = shard.groups.get(attempt.groupId);
  // A group that nobody knows: a simple commit creates it, a member's commit comes from a generation that is gone.
  if (group === undefined) return attempt.generationOrEpoch < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
  if (group.type === "consumer") return admitConsumer(group, attempt);
  const refused = admitClassic(group, attempt);
  const member = group.members.get(attempt.memberId);
  // A commit is a sign of life.
  if (refused === ErrorCode.NONE && member !== undefined && attempt.producer === null) restartSession(shard, group, member);
  return refused;
}

/** Members of a KIP-848 group commit with their present epoch; those of the consumer protocol with OffsetCommit 9 or later. */
function admitConsumer(group: ConsumerGroup, attempt: OffsetCommitAttempt): number {
  const { generationOrEpoch: epoch, memberId } = attempt;
  if (epoch < 0 && group.members.size === 0) return ErrorCode.NONE;
  if (attempt.producer !== null && epoch < 0 && memberId === "" && attempt.instanceId === null) return ErrorCode.NONE;
  const member = group.members.get(memberId);
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  const classic = member.metadata.classic !== null;
  if (attempt.producer === null && !classic && attempt.version < 9) return ErrorCode.UNSUPPORTED_VERSION;
  if (member.current.epoch === epoch) return ErrorCode.NONE;
  return classic ? ErrorCode.ILLEGAL_GENERATION : ErrorCode.STALE_MEMBER_EPOCH;
}

function admitClassic(group: ClassicGroup, attempt: OffsetCommitAttempt): number {
  const transactional = attempt.producer !== null;
  if (group.state === "Dead") return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  if (attempt.generationOrEpoch < 0 && group.state === "Empty") return ErrorCode.NONE;
  if (attempt.generationOrEpoch >= 0 || attempt.memberId !== "" || attempt.instanceId !== null) {
    const invalid = validateMember(group, attempt.memberId, attempt.instanceId);
    if (invalid !== ErrorCode.NONE) return invalid;
    if (attempt.generationOrEpoch !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  } else if (!transactional) return ErrorCode.UNKNOWN_MEMBER_ID;
  // The member is of this generation but has no assignment yet: it shall sync first.
  if (!transactional && group.state === "CompletingRebalance") return ErrorCode.REBALANCE_IN_PROGRESS;
  return ErrorCode.NONE;
}

function collect(shard: GroupShard, attempt: OffsetCommitAttempt) {
  const nowMs = shard.clock.now();
  const expireTimestampMs = attempt.retentionTimeMs < 0 ? -1 : nowMs + attempt.retentionTimeMs;
  const records: StateRecord[] = [];
  const replay: (() => void)[] = [];
  const producerId = attempt.producer?.producerId ?? null;
  const results = attempt.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => {
      const { partitionIndex } = partition;
      const metadata = partition.committedMetadata ?? "";
      if (Buffer.byteLength(metadata) > shard.config.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE };
      }
      const value: CommittedOffset = {
        offset: partition.committedOffset,
        leaderEpoch: partition.committedLeaderEpoch,
        metadata,
        commitTimestampMs: nowMs,
        expireTimestampMs,
      };
      records.push(offsetRecord(attempt.groupId, name, partitionIndex, value));
      replay.push(() => shard.offsets.replay(attempt.groupId, name, partitionIndex, value, producerId));
      return { partitionIndex, errorCode: ErrorCode.NONE };
    }),
  }));
  return { records, replay, results };
}
