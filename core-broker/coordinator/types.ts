/** What the coordinators ask of the rest of the broker. They see no partition, no socket and no disk. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { CoordinatorConfig } from "./config.ts";
import type { GroupCoordinator } from "./group/coordinator.ts";
import type { Location } from "./locate.ts";
import type { TransactionCoordinator } from "./transaction/coordinator.ts";
import type { WriteAdmission } from "./transaction/write-admission.ts";

export interface StateRecord {
  readonly key: Uint8Array;
  /** Null: tombstone. */
  readonly value: Uint8Array | null;
}
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}
/** One batch of a state topic as it was written. */
export interface StateBatch {
  /** Set for a transactional batch and for its end marker. */
  readonly producer: ProducerIdentity | null;
  /** "commit" or "abort" for a control batch, which carries no state records. */
  readonly marker: "commit" | "abort" | null;
  readonly records: readonly StateRecord[];
}
/** One of the two state topics (`__consumer_offsets`, `__transaction_state`), seen from the node that leads its partitions. */
export interface CoordinatorLog {
  readonly topic: string;
  /** Null while the topic does not exist. */
  partitionCount(): number | null;
  /** Creates the topic (compacted, `offsets.topic.*` / `transaction.state.log.*`) when it is missing; concurrent calls share one creation. */
  ensureTopic(): Promise<void>;
  /** The leader's node id; null while there is none. */
  leaderOf(partition: number): number | null;
  /**
   * Appends one batch. Calls for the same partition take effect, and resolve, in call order. Resolves when the batch is below the high
   * watermark (acks=all); rejects with KafkaError (NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, …) when it is not appended.
   * With a producer the batch is transactional and ends with a marker written by `MarkerWriter`.
   */
  append(partition: number, records: readonly StateRecord[], producer?: ProducerIdentity): Promise<void>;
  /** Everything from the log start to the high watermark, in order. */
  load(partition: number): AsyncIterable<StateBatch>;
}

/** The cluster's topics and brokers, as the metadata image has them now. */
export interface MetadataView {
  readonly nodeId: number;
  /** Grows whenever a topic, its partitions or a topic id changes; cheap to ask on each heartbeat. */
  topicsVersion(): number;
  topicNames(): Iterable<string>;
  topicId(name: string): string | null;
  topicName(id: string): string | null;
  /** Null: no such topic. */
  partitionCount(topic: string): number | null;
  leaderOf(topic: string, partition: number): number | null;
  /** The address of a live broker on the named listener. */
  endpoint(nodeId: number, listener: string): { readonly host: string; readonly port: number } | null;
}

/** Writes the end marker of a transaction as a control batch. Resolves when it is below the high watermark; rejects with KafkaError. */
export interface MarkerWriter {
  write(topic: string, partition: number, producer: ProducerIdentity, committed: boolean, coordinatorEpoch: number): Promise<void>;
}

/** Blocks of producer ids, each given out once in the cluster's life (ProducerIdsRecord). */
export interface ProducerIdBlocks {
  next(): Promise<{ readonly first: number; readonly count: number }>;
}

export interface CoordinatorDeps {
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metadata: MetadataView;
  /** `__consumer_offsets`. */
  readonly groupLog: CoordinatorLog;
  /** `__transaction_state`. */
  readonly transactionLog: CoordinatorLog;
  readonly markers: MarkerWriter;
  readonly producerIds: ProducerIdBlocks;
  /** Dynamic settings of a group; absent: there are none. */
  readonly groupConfigs?: (groupId: string) => ReadonlyMap<string, string>;
  /** transaction.partition.verification.enable as it is now; absent: as at start. */
  readonly verifiesPartitions?: () => boolean;
}

/** What a transactional Produce names: the handler asks before it appends. */
export interface TransactionalWrite extends ProducerIdentity {
  readonly transactionalId: string;
  /** Produce 12+ (KIP-890): partitions join the transaction by being written to. */
  readonly joinsImplicitly: boolean;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[];
}
/**
 * `createCoordinators(deps)` in coordinators.ts makes one; `coordinatorHandlers(coordinators)` in
 * handlers/coordinator-handlers.ts gives its request handlers.
 */
export interface Coordinators {
  readonly groups: GroupCoordinator;
  readonly transactions: TransactionCoordinator;
  /** FindCoordinator: key type 0 is a group, 1 a transactional id; the address is that of the asked listener. */
  locate(keyType: number, key: string, listener: string): Promise<Location>;
  /** Asked before a transactional batch is appended to a partition where its producer has no transaction open. */
  admitWrite(write: TransactionalWrite): Promise<WriteAdmission>;
  /** This node now leads the partition of a state topic: replays it, then serves it. Resolves when served. */
  elected(topic: string, partition: number, leaderEpoch: number): Promise<void>;
  resigned(topic: string, partition: number): void;
  /** Drops the committed offsets of topics that are gone. */
  topicsDeleted(names: readonly string[]): void;
  /** Starts the periodic work (offset expiry, transaction time-outs). */
  start(): void;
  /** Answers what still waits and stops all timers. */
  close(): void;
}
