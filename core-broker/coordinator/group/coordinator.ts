/** The group coordinator: finds the shard that owns a group and asks it. Requests and answers are the protocol's own messages. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from "../../protocol/messages/consumer-group-heartbeat.ts";
import type { HeartbeatRequest } from "../../protocol/messages/heartbeat.ts";
import type { JoinGroupRequest } from "../../protocol/messages/join-group.ts";
import type { DescribeGroupsResponse } from "../../protocol/messages/describe-groups.ts";
import type { LeaveGroupRequest } from "../../protocol/messages/leave-group.ts";
import type { OffsetDeleteRequest, OffsetDeleteResponse } from "../../protocol/messages/offset-delete.ts";
import type { SyncGroupRequest } from "../../protocol/messages/sync-group.ts";
import type { Encodable } from "../../protocol/schema.ts";
import { codeOf } from "../error-code.ts";
import { type CommitResult, commitOffsets, failCommit, type OffsetCommitAttempt } from "../offsets/commit.ts";
import { admitFetch, failFetch, type FetchedTopic, fetchOffsets, type WantedTopics } from "../offsets/fetch.ts";
import { deleteGroup, deleteOffsets } from "../offsets/removal.ts";
import { partitionForKey } from "../records.ts";
import type { CoordinatorDeps, ProducerIdentity } from "../types.ts";
import { type JoinReply, NO_BYTES, type SyncReply } from "./classic-group.ts";
import { heartbeatInConsumerGroup, joinConsumerGroup, leaveConsumerGroup, syncConsumerGroup } from "./classic-in-consumer.ts";
import { joinClassicGroup } from "./classic-join.ts";
import { heartbeatClassicGroup, leaveClassicGroup, syncClassicGroup } from "./classic-requests.ts";
import { describeClassicGroup, type ListedGroup, listGroups } from "./inspection.ts";
import { heartbeatConsumerGroup } from "./consumer-heartbeat.ts";
import { type DescribedConsumerGroup, describeConsumerGroup } from "./consumer-inspection.ts";
import { makeWayForClassic } from "./migration.ts";
import { GroupShard } from "./shard.ts";

/** Who asks. */
export interface Requester {
  readonly version: number;
  readonly clientId: string | null;
  readonly host: string;
  /** Which topics it may see where it names them by an expression; absent: all. */
  readonly mayDescribe?: ((topic: string) => boolean) | undefined;
}

export type DescribedGroup = Encodable<DescribeGroupsResponse["groups"][number]>;
export interface OffsetFetchAttempt {
  readonly groupId: string;
  /** Null with epoch -1: not checked. */
  readonly memberId: string | null;
  readonly memberEpoch: number;
  readonly topics: WantedTopics;
  readonly requireStable: boolean;
}

export class GroupCoordinator {
  readonly deps: CoordinatorDeps;
  private readonly shards = new Map<number, GroupShard>();

  constructor(deps: CoordinatorDeps) {
    this.deps = deps;
  }
  async elected(partition: number): Promise<void> {
    this.resigned(partition);
    const shard = new GroupShard(this.deps, partition, () => this.reload(partition));
    this.shards.set(partition, shard);
    await shard.load();
  }
  private reload(partition: number): void {
    this.deps.logger.error("group state could not be written; the partition is loaded again", { partition });
    this.elected(partition).catch((error: unknown) => {
      this.deps.logger.error("group state could not be loaded", { partition, error: String(error) });
    });
  }
  resigned(partition: number): void {
    this.shards.get(partition)?.close();
    this.shards.delete(partition);
  }
  close(): void {
    for (const partition of this.shards.keys()) this.resigned(partition);
  }
  activeShards(): GroupShard[] {
    return [...this.shards.values()].filter((shard) => shard.state === "active");
  }
  get isLoading(): boolean {
    return [...this.shards.values()].some((shard) => shard.state === "loading");
  }
  /** Throws KafkaError: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS. */
  shardOf(groupId: string): GroupShard {
    const partitions = this.deps.groupLog.partitionCount();
    const shard = partitions === null ? undefined : this.shards.get(partitionForKey(groupId, partitions));
    if (shard === undefined || shard.state === "closed") throw new KafkaError(ErrorCode.NOT_COORDINATOR);
    if (shard.state === "loading") throw new KafkaError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    return shard;
  }

  joinGroup(from: Requester, request: JoinGroupRequest): Promise<JoinReply> {
    const refuse = (errorCode: number): Promise<JoinReply> => Promise.resolve({ errorCode, memberId: request.memberId, protocolName: "" });
    const { config } = this.deps;
    if (request.groupId === "") return refuse(ErrorCode.INVALID_GROUP_ID);
    if (request.sessionTimeoutMs < config.groupMinSessionTimeoutMs || request.sessionTimeoutMs > config.groupMaxSessionTimeoutMs) {
      return refuse(ErrorCode.INVALID_SESSION_TIMEOUT);
    }
    return this.withShard(request.groupId, refuse, (shard) => {
      const known = shard.groups.get(request.groupId);
      if (known === undefined && request.memberId !== "") return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
      const attempt = joinAttempt(from, request);
      if (known?.type === "consumer" && known.members.size > 0 && !makeWayForClassic(shard, known, attempt)) {
        return joinConsumerGroup(shard, known, attempt).catch((error: unknown) => refuse(codeOf(error)));
      }
      const group = shard.classicForJoin(request.groupId);
      return new Promise((resolve) => joinClassicGroup(shard, group, attempt, resolve));
    });
  }
  syncGroup(from: Requester, request: SyncGroupRequest): Promise<SyncReply> {
    const refuse = (errorCode: number): Promise<SyncReply> => Promise.resolve({ errorCode, assignment: NO_BYTES });
    if (request.groupId === "") return refuse(ErrorCode.INVALID_GROUP_ID);
    if (from.version >= 5 && (request.protocolType === null || request.protocolName === null)) {
      return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    }
    return this.withShard(request.groupId, refuse, (shard) => {
      const group = shard.groups.get(request.groupId);
      if (group === undefined) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
      if (group.type === "consumer") return Promise.resolve(syncConsumerGroup(shard, group, request));
      return new Promise((resolve) => syncClassicGroup(shard, group, request, resolve));
    });
  }
  /** The error code. While the group is loading the answer is NONE: the member need not rejoin for that. */
  heartbeat(request: HeartbeatRequest): number {
    if (request.groupId === "") return ErrorCode.INVALID_GROUP_ID;
    const refuse = (code: number): number => (code === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : code);
    return this.withShard(request.groupId, refuse, (shard) => {
      const group = shard.groups.get(request.groupId);
      if (group === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
      return group.type === "consumer" ? heartbeatInConsumerGroup(shard, group, request) : heartbeatClassicGroup(shard, group, request);
    });
  }
  /** `errorCode` for the whole request, and one code per named member. */
  leaveGroup(groupId: string, members: LeaveGroupRequest["members"]): { errorCode: number; codes: number[] } {
    if (groupId === "") return { errorCode: ErrorCode.INVALID_GROUP_ID, codes: [] };
    const refuse = (errorCode: number) => ({ errorCode, codes: [] as number[] });
    return this.withShard(groupId, refuse, (shard) => {
      const group = shard.groups.get(groupId);
      if (group === undefined) return { errorCode: ErrorCode.NONE, codes: members.map(() => ErrorCode.UNKNOWN_MEMBER_ID) };
      const leave = group.type === "consumer" ? leaveConsumerGroup(shard, group, members) : leaveClassicGroup(shard, group, members);
      return { errorCode: ErrorCode.NONE, codes: leave };
    });
  }
  async consumerHeartbeat(from: Requester, request: ConsumerGroupHeartbeatRequest): Promise<Encodable<ConsumerGroupHeartbeatResponse>> {
    try {
      return await heartbeatConsumerGroup(this.shardOf(request.groupId), from, request);
    } catch (error) {
      const known = error instanceof KafkaError;
      if (!known) this.deps.logger.error("a group heartbeat failed", { group: request.groupId, error: String(error) });
      return { errorCode: codeOf(error), errorMessage: known ? error.message : null };
    }
  }
  describeConsumer(groupId: string): DescribedConsumerGroup {
    const missing = (errorMessage: string) => ({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage, groupId });
    const refuse = (errorCode: number): DescribedConsumerGroup => ({ errorCode, groupId });
    return this.withShard(groupId, refuse, (shard) => {
      const group = shard.groups.get(groupId);
      if (group === undefined) return missing(`Group ${groupId} not found.`);
      if (group.type !== "consumer") return missing(`Group ${groupId} is not a consumer group.`);
      return describeConsumerGroup(group, this.deps.metadata, this.deps.config.consumerGroupAssignors[0] ?? "uniform");
    });
  }
  list(states: readonly string[], types: readonly string[]): { errorCode: number; groups: ListedGroup[] } {
    if (this.isLoading) return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] };
    return { errorCode: ErrorCode.NONE, groups: listGroups(this.activeShards(), states, types) };
  }
  describe(groupId: string, version: number): DescribedGroup {
    const refuse = (errorCode: number): DescribedGroup => ({ errorCode, groupId });
    return this.withShard(groupId, refuse, (shard) => describeClassicGroup(shard, groupId, version));
  }
  async deleteGroup(groupId: string): Promise<number> {
    return this.withShard(
      groupId,
      async (code) => code,
      (shard) => deleteGroup(shard, groupId),
    );
  }

  commitOffsets(attempt: OffsetCommitAttempt): Promise<CommitResult[]> {
    const refuse = (code: number): Promise<CommitResult[]> => Promise.resolve(failCommit(attempt.topics, code));
    const known = attempt.topics.filter(({ name }) => this.deps.metadata.partitionCount(name) !== null);
    if (known.length === attempt.topics.length) return this.withShard(attempt.groupId, refuse, (shard) => commitOffsets(shard, attempt));
    const unknown = failCommit(
      attempt.topics.filter((topic) => !known.includes(topic)),
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
    if (known.length === 0) return Promise.resolve(unknown);
    const commit = this.withShard(attempt.groupId, refuse, (shard) => commitOffsets(shard, { ...attempt, topics: known }));
    return commit.then((results) => [...results, ...unknown]);
  }
  fetchOffsets(request: OffsetFetchAttempt): { errorCode: number; topics: FetchedTopic[] } {
    const { groupId, topics, requireStable } = request;
    const refuse = (errorCode: number) => ({ errorCode, topics: failFetch(topics, errorCode) });
    return this.withShard(groupId, refuse, (shard) => {
      const errorCode = admitFetch(shard, request);
      if (errorCode !== ErrorCode.NONE) return { errorCode, topics: [] };
      return { errorCode, topics: fetchOffsets(shard, groupId, topics, requireStable) };
    });
  }
  async deleteOffsets(groupId: string, topics: OffsetDeleteRequest["topics"]): Promise<Encodable<OffsetDeleteResponse>> {
    const refuse = async (errorCode: number) => ({ errorCode, topicCodes: [] as number[] });
    const { errorCode, topicCodes } = await this.withShard(groupId, refuse, (shard) => deleteOffsets(shard, groupId, topics));
    if (errorCode !== ErrorCode.NONE) return { errorCode };
    const results = topics.map(({ name, partitions }, i) => {
      const count = this.deps.metadata.partitionCount(name) ?? 0;
      const codeOfPartition = (index: number): number =>
        index >= 0 && index < count ? (topicCodes[i] ?? ErrorCode.NONE) : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      return { name, partitions: partitions.map(({ partitionIndex: at }) => ({ partitionIndex: at, errorCode: codeOfPartition(at) })) };
    });
    return { errorCode, topics: results };
  }

  /** Throws COORDINATOR_LOAD_IN_PROGRESS: a marker written now might be replayed or not. */
  admitMarker(partition: number): void {
    if (this.shards.get(partition)?.state === "loading") throw new KafkaError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  }
  /** A transaction ended whose offsets live in this partition; its marker is in the log. */
  transactionEnded(partition: number, producer: ProducerIdentity, committed: boolean): void {
    const shard = this.shards.get(partition);
    if (shard === undefined || shard.state !== "active") return;
    for (const groupId of shard.offsets.replayEnd(producer.producerId, committed)) shard.getOrCreate(groupId);
  }
  private withShard<T>(groupId: string, refuse: (code: number) => T, run: (shard: GroupShard) => T): T {
    let shard: GroupShard;
    try {
      shard = this.shardOf(groupId);
    } catch (error) {
      return refuse(codeOf(error));
    }
    try {
      return run(shard);
    } catch (error) {
      if (error instanceof KafkaError) return refuse(codeOf(error));
      throw error;
    }
  }
}

/** Bytes are copied: the request's frame must not be kept alive by a member's metadata. */
const joinAttempt = (from: Requester, request: JoinGroupRequest) => ({
  memberId: request.memberId,
  instanceId: request.groupInstanceId,
  clientId: from.clientId ?? "",
  clientHost: `/${from.host}`,
  sessionTimeoutMs: request.sessionTimeoutMs,
  rebalanceTimeoutMs: request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
  protocolType: request.protocolType,
  protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
  requiresKnownMemberId: from.version >= 4,
  canSkipAssignment: from.version >= 9,
  mayDescribe: from.mayDescribe,
});
