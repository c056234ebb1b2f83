/**
 * What the Kafka client offers. The worker and the connectors' runtime see only these types, so that everything above runs
 * over any Kafka. Configuration keys are Kafka's own (`bootstrap.servers`, `linger.ms`, …), as strings.
 */
import type { RecordRanges } from "../protocol/records/builder.ts";

export type { RecordRanges };
export type ClientConfig = Readonly<Record<string, string>>;

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}
/** The fate of one record batch; every record appended to that batch shares it. */
export interface Delivery {
  readonly topic: string;
  readonly partition: number;
  readonly state: "pending" | "acked" | "failed";
  /** Offset of the batch's first record; -1 until acked. */
  readonly baseOffset: number;
  readonly error: Error | null;
}
export interface Producer {
  /** Learns the topic's partitions; creates nothing. Throws KafkaError(UNKNOWN_TOPIC_OR_PARTITION) after `max.block.ms`. */
  partitions(topic: string): Promise<number>;
  /**
   * Copies the record into the current batch of its partition. Synchronous; the topic must be known (`partitions`).
   * Partition null: murmur2 of the key as Java does, sticky without key. Throws RECORD_TOO_LARGE, or the fatal error of a
   * fenced producer. Order within a partition is kept, also over retries.
   */
  append(
    topic: string,
    partition: number | null,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    headers: readonly RecordHeader[],
  ): Delivery;
  /** As `append`. A list of headers is not changed once it was given: one list for all records costs its conversion once. */
  appendRanges(
    topic: string,
    partition: number | null,
    record: RecordRanges,
    timestampMs: number,
    headers: readonly RecordHeader[],
  ): Delivery;
  /** Bytes in batches that are not settled yet. Callers stop appending above `buffer.memory` until `room` resolves. */
  readonly bufferedBytes: number;
  /** Resolves when there is room again (at once if there is). */
  room(): Promise<void>;
  /** Called after every settled batch, in order per partition. One listener. */
  onSettled: ((delivery: Delivery) => void) | null;
  /** Sends what is buffered and resolves when all of it is settled. */
  flush(): Promise<void>;
  /** Convenience for control traffic: append and wait. */
  send(
    topic: string,
    partition: number | null,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs?: number,
    headers?: readonly RecordHeader[],
  ): Promise<{ partition: number; offset: number }>;
  beginTransaction(): void;
  sendOffsetsToTransaction(offsets: readonly PartitionOffset[], groupId: string): Promise<void>;
  commitTransaction(): Promise<void>;
  abortTransaction(): Promise<void>;
  initTransactions(): Promise<void>;
  close(timeoutMs?: number): Promise<void>;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch?: number;
  readonly metadata?: string;
}
/** Key, value and header values are views on the fetched frame. */
export interface ConsumedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: "CREATE_TIME" | "LOG_APPEND_TIME" | "NO_TIMESTAMP_TYPE";
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}
export interface RebalanceListener {
  /** Before the partitions are given up; offsets may still be committed. */
  revoked(partitions: readonly TopicPartition[]): Promise<void>;
  assigned(partitions: readonly TopicPartition[]): Promise<void>;
  /** Ownership is gone already (session expired); nothing can be committed. */
  lost(partitions: readonly TopicPartition[]): Promise<void>;
}
export interface Consumer {
  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void;
  assign(partitions: readonly TopicPartition[]): void;
  assignment(): readonly TopicPartition[];
  /** Next records, at most `max.poll.records`; empty after the timeout. Drives the group protocol. */
  poll(timeoutMs: number): Promise<readonly ConsumedRecord[]>;
  seek(partition: TopicPartition, offset: number): void;
  seekToBeginning(partitions: readonly TopicPartition[]): Promise<void>;
  seekToEnd(partitions: readonly TopicPartition[]): Promise<void>;
  position(partition: TopicPartition): number | null;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  commit(offsets: readonly PartitionOffset[]): Promise<void>;
  committed(partitions: readonly TopicPartition[]): Promise<readonly (PartitionOffset | null)[]>;
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly number[]>;
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly number[]>;
  /** Ends a pending poll with an empty result. */
  wakeup(): void;
  close(): Promise<void>;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs?: Readonly<Record<string, string>>;
}
export interface TopicDescription {
  readonly name: string;
  readonly id: string;
  readonly internal: boolean;
  readonly partitions: readonly {
    readonly partition: number;
    readonly leader: number;
    readonly replicas: readonly number[];
    readonly isr: readonly number[];
  }[];
}
export interface Admin {
  clusterId(): Promise<string | null>;
  /** Topics that exist already count as created (false in the answer). */
  createTopics(topics: readonly NewTopic[]): Promise<ReadonlyMap<string, boolean>>;
  deleteTopics(names: readonly string[]): Promise<void>;
  /** Topics that do not exist are missing in the map. */
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>;
  listTopics(): Promise<readonly string[]>;
  describeTopicConfigs(name: string): Promise<ReadonlyMap<string, { readonly value: string | null; readonly isDefault: boolean }>>;
  alterTopicConfigs(name: string, set: Readonly<Record<string, string>>): Promise<void>;
  endOffsets(partitions: readonly TopicPartition[], isolation?: "read_committed" | "read_uncommitted"): Promise<readonly number[]>;
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly number[]>;
  /**
   * Timestamp of the first record of each partition, or the highest one, in milliseconds since 1970; null: no record, or none with
   * a timestamp. No record is read. Throws KafkaError UNSUPPORTED_VERSION for `highest` where brokers are older than 3.0.
   */
  recordTimes(partitions: readonly TopicPartition[], which: "first" | "highest"): Promise<readonly (number | null)[]>;
  groupOffsets(groupId: string): Promise<readonly PartitionOffset[]>;
  /** Throws KafkaError when the group has active members. */
  alterGroupOffsets(groupId: string, offsets: readonly PartitionOffset[]): Promise<void>;
  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void>;
  deleteGroup(groupId: string): Promise<void>;
  /**
   * Takes members out of a group whose process is known to be gone, instead of waiting for their session to time out. Answers
   * how many. Static members stay (their instance id is theirs to come back with). `metadata` is empty while the group rebalances.
   */
  removeMembers(
    groupId: string,
    isGone: (member: { readonly memberId: string; readonly clientId: string; readonly metadata: Uint8Array }) => boolean,
  ): Promise<number>;
  fenceProducers(transactionalIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Membership of a group with a protocol of one's own (Connect's worker group uses it). Bytes are opaque here.
 * Calls `onAssignment` after each completed rebalance; `leaderAssigns` only on the member that the coordinator made leader.
 */
export interface GroupMembership {
  readonly memberId: string | null;
  readonly generation: number;
  /** Asks for a rebalance at once. */
  rejoin(): void;
  close(): Promise<void>;
}
export interface GroupMembershipOptions {
  readonly groupId: string;
  readonly protocolType: string;
  /** Called before each JoinGroup; preferred protocol first. */
  metadata(): Promise<readonly { readonly name: string; readonly metadata: Uint8Array }[]>;
  leaderAssigns(
    protocol: string,
    leaderId: string,
    members: readonly { readonly memberId: string; readonly metadata: Uint8Array }[],
  ): Promise<ReadonlyMap<string, Uint8Array>>;
  onAssignment(protocol: string, generation: number, memberId: string, leaderId: string, assignment: Uint8Array): Promise<void>;
  /** A rebalance begins, or membership was lost (generation given up). */
  onRevoked(reason: "rebalance" | "lost"): Promise<void>;
}
export interface KafkaClients {
  producer(config: ClientConfig): Promise<Producer>;
  consumer(config: ClientConfig): Promise<Consumer>;
  admin(config: ClientConfig): Promise<Admin>;
  groupMembership(config: ClientConfig, options: GroupMembershipOptions): Promise<GroupMembership>;
}
