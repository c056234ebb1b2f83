/**
 * What the rest of the broker sees of the log: handlers and coordinators code against this file only.
 * Every failure that a client may see is thrown as KafkaError with Kafka's code; nothing here returns error codes.
 */
import type { LogConfig } from "../log/config.ts";

export type Acks = -1 | 0 | 1;
/** client: full validation, sequence and duplicate checks. coordinator: control batches allowed, sequences not checked. */
export type AppendOrigin = "client" | "coordinator";
export type Isolation = "read_uncommitted" | "read_committed";

export interface AppendOptions {
  /** Absent: -1. On a single node 1 and -1 are the same. */
  readonly acks?: Acks;
  readonly origin: AppendOrigin;
  /** The caller's idea of the leader epoch; absent or -1: not checked. FENCED_LEADER_EPOCH / UNKNOWN_LEADER_EPOCH otherwise. */
  readonly leaderEpoch?: number;
}
export interface AppendResult {
  readonly baseOffset: number;
  /** Offset of the last record of the call. */
  readonly lastOffset: number;
  /** -1 under CreateTime, as the Produce response wants it. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  /** true: the batch was there already (idempotent producer); nothing was written, the offsets are those of the first write. */
  readonly duplicate: boolean;
}
/** Text for the Produce response's `recordErrors`. */
export interface RecordError {
  readonly batchIndex: number;
  readonly message: string;
}

export interface ReadOptions {
  readonly offset: number;
  readonly maxBytes: number;
  /** KIP-74: the first batch is returned whole even if it is larger than maxBytes. */
  readonly minOneMessage: boolean;
  readonly isolation: Isolation;
  /** The caller's idea of the leader epoch; absent or -1: not checked. */
  readonly leaderEpoch?: number;
}
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}
export interface ReadResult {
  /** Whole batches; the first may begin before `offset`. Empty at the end of the log. */
  readonly records: Buffer;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** null under read_uncommitted. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
}

export interface TimestampOffset {
  /** -1 where Kafka answers so (latest, earliest) or nothing was found. */
  readonly timestampMs: number;
  /** -1: nothing found. */
  readonly offset: number;
  readonly leaderEpoch: number;
}
export interface EpochEndOffset {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}
/** Field for field the DescribeProducers response. */
export interface ActiveProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  readonly currentTxnStartOffset: number;
}
export interface EndTransactionMarker {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  readonly committed: boolean;
}

export interface PartitionTraffic {
  recordsIn: number;
  bytesIn: number;
  bytesOut: number;
  appends: number;
  fetches: number;
}
export interface Partition {
  readonly topic: string;
  readonly partition: number;
  /** 22-character base64url, from partition.metadata. */
  readonly topicId: string;
  /** The log directory it lives in, as given in log.dirs. */
  readonly logDir: string;
  readonly config: LogConfig;
  readonly logStartOffset: number;
  /** Exclusive. Single node: the log end offset. */
  readonly highWatermark: number;
  /** Exclusive: first offset of the oldest open transaction, else the high watermark. */
  readonly lastStableOffset: number;
  /** Offset that the next record gets. */
  readonly logEndOffset: number;
  readonly leaderEpoch: number;
  readonly sizeBytes: number;
  readonly segmentCount: number;

  /**
   * Appends one or more whole batches (magic 2). Returns after write(2); fsync only as flush.* say. The buffer is changed in
   * place (offset, leader epoch) and must not be reused. All or nothing. Throws KafkaError: CORRUPT_MESSAGE, MESSAGE_TOO_LARGE,
   * RECORD_LIST_TOO_LARGE, INVALID_RECORD, INVALID_TIMESTAMP, UNSUPPORTED_FOR_MESSAGE_FORMAT, OUT_OF_ORDER_SEQUENCE_NUMBER,
   * INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, DUPLICATE_SEQUENCE_NUMBER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
   * KAFKA_STORAGE_ERROR. InvalidRecordsError (a KafkaError) also has `recordErrors`.
   */
  append(records: Buffer, options: AppendOptions): AppendResult;
  /** Writes the commit or abort marker (control batch). TRANSACTION_COORDINATOR_FENCED, INVALID_PRODUCER_EPOCH. */
  appendEndTransactionMarker(marker: EndTransactionMarker): AppendResult;
  /** true while this producer has a transaction open here: KIP-890's verification is then not needed. */
  hasOngoingTransaction(producerId: number, producerEpoch: number): boolean;

  /** OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE (damaged data on disk is named and never served), KAFKA_STORAGE_ERROR. */
  read(options: ReadOptions): ReadResult;
  /** The same without blocking the event loop; for large reads of old data. `isCold` says when it is worth it. */
  readAsync(options: ReadOptions): Promise<ReadResult>;
  isCold(offset: number, maxBytes: number): boolean;

  /**
   * ListOffsets. timestampMs ≥ 0: first record at or after it; -1 latest (bounded by isolation), -2 earliest, -3 the record with
   * the largest timestamp, -4 earliest local (= earliest), -5 latest tiered (none: offset -1).
   */
  offsetForTime(timestampMs: number, isolation: Isolation): TimestampOffset;
  offsetForLeaderEpoch(leaderEpoch: number): EpochEndOffset;
  /** -1: up to the high watermark. Returns the new log start offset. OFFSET_OUT_OF_RANGE, POLICY_VIOLATION (compacted only). */
  deleteRecords(beforeOffset: number): number;
  describeProducers(): ActiveProducer[];
  /** Called after each append and whenever the last stable offset or the log start moves; must not throw. Returns unsubscribe. */
  subscribe(onAppend: () => void): () => void;
  /** Bytes appended by this process, ever growing: the purgatory's cheap measure. */
  readonly appendedBytes: number;
  /** What passed through, ever growing. Fetch handlers add what they send. */
  readonly traffic: PartitionTraffic;
  /** A new leader epoch (never smaller); recorded in leader-epoch-checkpoint with the next append. */
  setLeaderEpoch(epoch: number): void;
  /** Topic-level overrides as strings, Kafka's names. Takes effect at once. */
  updateConfig(overrides: Readonly<Record<string, string>>): void;
  /** fsync of everything appended so far. */
  flush(): void;
}

export interface CreatePartition {
  readonly topicId: string;
  /** Topic-level overrides, Kafka's names. */
  readonly config: Readonly<Record<string, string>>;
  readonly leaderEpoch?: number;
  /** The folder that the metadata chose, if it is online. */
  readonly directoryId?: string;
}
export interface LogDirectory {
  readonly path: string;
  /** Of the volume; -1: not known. */
  readonly totalBytes: number;
  readonly usableBytes: number;
  /** An I/O error on this directory, if one took it offline. */
  readonly error: Error | null;
  readonly partitions: readonly Partition[];
  /** Partitions that are being moved here. */
  readonly arriving: readonly { readonly partition: Partition; readonly copiedBytes: number }[];
}
export interface LogManager {
  /** Makes the directory and an empty log; returns the partition that is there already if the topic id is the same. */
  create(topic: string, partition: number, options: CreatePartition): Partition;
  get(topic: string, partition: number): Partition | undefined;
  /** All partitions of a topic, by number. */
  ofTopic(topic: string): readonly Partition[];
  all(): Iterable<Partition>;
  /** Gone at once (directory renamed), files removed after file.delete.delay.ms. Unknown: nothing happens. */
  delete(topic: string, partition: number): void;
  /**
   * Begins to move a partition's data to another folder of log.dirs; clients notice nothing. Back to where it is: the move is
   * given up. Throws LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR, REPLICA_NOT_AVAILABLE.
   */
  moveTo(topic: string, partition: number, logDir: string): void;
  updateTopicConfig(topic: string, overrides: Readonly<Record<string, string>>): void;
  /** Broker-level defaults (log.retention.ms …), which topics without an override follow. */
  updateBrokerConfig(properties: Readonly<Record<string, string>>): void;
  directories(): readonly LogDirectory[];
  /** The ids of folders that partitions may be made in. */
  onlineDirectoryIds(): readonly string[];
  /** The partition's folder failed: its data is there, but not now. */
  markOffline(topic: string, partition: number, why: Error): void;
  isOffline(topic: string, partition: number): boolean;
  /** Partitions on this node's disks that cannot be used. */
  readonly offlinePartitions: number;
  /** What passed through partitions that are gone, by topic. */
  readonly retiredTraffic: ReadonlyMap<string, PartitionTraffic>;
  /** Clean shutdown: flush, snapshots, checkpoints, marker. Idempotent. */
  close(): Promise<void>;
}
