/**
 * The contract of connectors. A connector decides (validates, splits the work into task configs); a task moves data. Both
 * are plain values with functions; state lives in closures. A task runs in a worker thread; nothing is shared with the
 * connector but its config, a map of strings.
 */
import type { Backfill, BackfillCommand } from "./backfill.ts";
import type { ConfigDef, ConfigFinding, RawConfig } from "./config.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { SinkRecord, SourceOffset, SourcePartition, SourceRecord } from "./record.ts";

export type TaskConfig = Readonly<Record<string, string>>;

export interface Logger {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

export interface ConnectorContext {
  readonly connectorName: string;
  readonly log: Logger;
  /** Asks the runtime to call `taskConfigs` again (the source's shape has changed). */
  requestTaskReconfiguration(): void;
  /** The connector as such cannot go on: its state becomes FAILED with this error. */
  raiseError(error: Error): void;
  /** Aborted when the connector is stopped. */
  readonly signal: AbortSignal;
}
export interface Connector {
  /** At most `maxTasks` configs, at least one. Called after `start` resolved. */
  taskConfigs(maxTasks: number): Promise<readonly TaskConfig[]> | readonly TaskConfig[];
  stop?(): Promise<void>;
}

export interface OffsetReader {
  /** The durable offset of each partition, or null. Partitions compare as JSON with their keys as given. */
  offsets(partitions: readonly SourcePartition[]): Promise<readonly (SourceOffset | null)[]>;
  /**
   * Makes an offset durable now, before any record carries it: for work that has to be known of after a crash (a snapshot
   * that was begun). Absent where a host has no store.
   */
  save?(partition: SourcePartition, offset: SourceOffset): Promise<void>;
}
export type MetricValue = number | string | null;
export interface TaskMetrics {
  /**
   * Sets a gauge of the connector; the name as in product.md (e.g. `MilliSecondsBehindSource`), with its labels. A text is shown as a
   * label; null: there is none any more.
   */
  gauge(name: string, value: MetricValue, labels?: Readonly<Record<string, string>>): void;
}
/** A record of a topic that a connector reads itself; bytes as UTF-8. */
export interface TopicRecord {
  readonly key: string | null;
  readonly value: string | null;
  /** The record need not be read again after a restart. The group's position moves when all earlier ones are done as well. */
  done(): void;
}
/** Settings of the Kafka clients that a task's own topic is reached by; without `bootstrap.servers` those of the worker apply. */
export interface OwnTopicConfig {
  readonly topic: string;
  readonly producer: Readonly<Record<string, string>>;
  readonly consumer: Readonly<Record<string, string>>;
  /** Reading gives up, with an error that may be tried again, when nothing came for so long before the end was reached. */
  readonly stallMs: number;
}
/** A topic of one partition that a task writes and reads itself (schema history). Texts are UTF-8. Errors are ConnectErrors. */
export interface OwnTopic {
  /** Offsets of the first record and after the last; null: there is no such topic. Throws when it has several partitions. */
  range(): Promise<{ readonly start: number; readonly end: number } | null>;
  /** Makes the topic with the cluster's replication factor; nothing if it is there. */
  create(configs: Readonly<Record<string, string>>): Promise<void>;
  /** Records from an offset on, up to the end as it was at the call. */
  read(from: number): AsyncIterable<{ readonly offset: number; readonly key: string | null; readonly value: string | null }>;
  /** Resolves when all are acknowledged by all replicas in sync, in order. */
  append(records: readonly { readonly key: string | null; readonly value: string | null }[]): Promise<void>;
  close(): Promise<void>;
}
/** With `transaction.boundary=connector` the task says where transactions end (KIP-618). */
export interface TransactionContext {
  /** Ends the transaction after the records of this poll, or after this record of it. */
  commit(after?: SourceRecord): void;
  /** As `commit`, but what the transaction holds is never seen by readers of committed data; its offsets are passed. */
  abort(after?: SourceRecord): void;
}
export interface SourceTaskContext {
  readonly connectorName: string;
  readonly taskId: number;
  readonly log: Logger;
  readonly offsets: OffsetReader;
  readonly metrics: TaskMetrics;
  /** Aborted when the task has to stop: poll should return soon. */
  readonly signal: AbortSignal;
  /** Null or absent: transactions, if any, end where the worker decides. */
  readonly transaction?: TransactionContext | null;
  /** Worker settings a connector may need to reach Kafka itself (schema history, signals): bootstrap and client keys. */
  readonly kafka: Readonly<Record<string, string>>;
  /**
   * The records of a topic's first partition (control topics have one), from the committed position of `group.id` on, until the
   * signal is aborted. `config` holds settings of a Kafka consumer; without `bootstrap.servers` those of the worker apply.
   * Throws what trying again does not heal. Absent where a host has no Kafka.
   */
  records?(config: Readonly<Record<string, string>>, topic: string, signal: AbortSignal): AsyncIterable<TopicRecord>;
  /** A topic of the task's own; the task closes it. Absent where a host has no Kafka. */
  ownTopic?(config: OwnTopicConfig): OwnTopic;
}
/**
 * The runtime calls start once, then poll over and over (never concurrently), then stop once, also after a failure.
 * `durable` may be called between polls at any time after start.
 */
export interface SourceTask {
  start(): Promise<void>;
  /**
   * Waits for changes; resolves with the next records in order, or with an empty array when none came for a while (at
   * most about a second). Batches are bounded by the connector. Throws RetriableError to be polled again after a pause.
   */
  poll(): Promise<readonly SourceRecord[]>;
  /**
   * All records up to these offsets (one for each partition that moved) are durable in Kafka and the offsets themselves
   * are durable in the offset store: the source may now be told to forget them.
   */
  durable?(offsets: readonly { readonly partition: SourcePartition; readonly offset: SourceOffset }[]): Promise<void>;
  /** Reads tables once more while it runs. At any time after construction. Absent: it cannot. Throws ConnectError to refuse. */
  backfill?(command: BackfillCommand): Promise<readonly Backfill[]>;
  stop(): Promise<void>;
}
export type ExactlyOnce = "supported" | "unsupported";
export interface SourceConnectorPlugin {
  readonly kind: "source";
  /** Short alias, e.g. `postgres`. */
  readonly name: string;
  /** Java class names by which existing JSON names it; the first is shown in answers. */
  readonly classes: readonly string[];
  readonly taskClass: string;
  /** As answered in `version`. */
  readonly version: string;
  readonly config: ConfigDef;
  /** Deep validation (may connect); findings replace or add to those of the declaration by name. Bounded by 10 s. */
  validate?(config: RawConfig, findings: readonly ConfigFinding[]): Promise<readonly ConfigFinding[]>;
  start(config: TaskConfig, context: ConnectorContext): Promise<Connector> | Connector;
  task(config: TaskConfig, context: SourceTaskContext): SourceTask;
  /** Checks offsets given through REST (KIP-875); throws ConnectError to refuse. Absent: any offsets are accepted. */
  alterOffsets?(
    config: TaskConfig,
    offsets: readonly { readonly partition: SourcePartition | null; readonly offset: SourceOffset | null }[],
  ): Promise<boolean> | boolean;
  /** What the connector can do, or what it can do with this configuration. Absent: it does not say. */
  readonly exactlyOnce?: ExactlyOnce | ((config: RawConfig) => ExactlyOnce);
  /** Its tasks use `SourceTaskContext.transaction`: `transaction.boundary=connector` is allowed. */
  readonly ownsTransactions?: boolean;
  /** "own": its tasks are heavy or costly to move, each gets a thread. Else light tasks share threads while they are not busy. */
  readonly threads?: "own" | "shared";
  /** Loaded when somebody asks: checks, position, clean-up, preview. */
  diagnosis?(): Promise<Diagnosis>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}
export interface SinkTaskContext {
  readonly connectorName: string;
  readonly taskId: number;
  readonly log: Logger;
  readonly metrics: TaskMetrics;
  readonly signal: AbortSignal;
  /** Hands a record that the destination refuses to the DLQ. Null when `errors.tolerance` is none: throw instead. */
  readonly reportErrant: ((record: SinkRecord, error: Error) => Promise<void>) | null;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** Starts reading there after this put returns. */
  seek(partition: TopicPartition, offset: number): void;
}
/** put and flush are never concurrent. Offsets are committed only after flush resolved. */
export interface SinkTask {
  start(): Promise<void>;
  opened?(partitions: readonly TopicPartition[]): Promise<void>;
  closed?(partitions: readonly TopicPartition[]): Promise<void>;
  /** Takes the records in order. RetriableError: the same records are put again after a pause. */
  put(records: readonly SinkRecord[]): Promise<void>;
  /** Everything put so far is durable at the destination when this resolves. */
  flush?(): Promise<void>;
  stop(): Promise<void>;
}
export interface SinkConnectorPlugin {
  readonly kind: "sink";
  readonly name: string;
  readonly classes: readonly string[];
  readonly taskClass: string;
  readonly version: string;
  readonly config: ConfigDef;
  validate?(config: RawConfig, findings: readonly ConfigFinding[]): Promise<readonly ConfigFinding[]>;
  start(config: TaskConfig, context: ConnectorContext): Promise<Connector> | Connector;
  task(config: TaskConfig, context: SinkTaskContext): SinkTask;
  /** True: these offsets are all the state there is (no position is kept at the destination). Throws ConnectError to refuse. */
  alterOffsets?(
    config: TaskConfig,
    offsets: readonly { readonly partition: SourcePartition | null; readonly offset: SourceOffset | null }[],
  ): Promise<boolean> | boolean;
  readonly threads?: "own" | "shared";
  diagnosis?(): Promise<Diagnosis>;
}
export type ConnectorPlugin = SourceConnectorPlugin | SinkConnectorPlugin;
