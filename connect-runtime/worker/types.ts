/**
 * The seam between herder (decides) and worker (executes). The herder calls; the worker reports states through the
 * listener. Connectors run in the main thread, tasks in worker threads.
 */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { KafkaClients } from "#broker/client/types";
import type { BackfillCommand } from "../api/backfill.ts";
import type { ConnectorPlugin } from "../api/connector.ts";
import type { ConfigProviderPlugin, ConverterPlugin, HeaderConverterPlugin, PredicatePlugin, TransformPlugin } from "../api/plugin.ts";
import type { SourceOffset, SourcePartition } from "../api/record.ts";

export type TargetState = "STARTED" | "PAUSED" | "STOPPED";
export type ExecutionState = "UNASSIGNED" | "RUNNING" | "PAUSED" | "FAILED" | "DESTROYED" | "RESTARTING" | "STOPPED";
export interface TaskId {
  readonly connector: string;
  readonly task: number;
}
export type ConfigMap = Readonly<Record<string, string>>;

/**
 * A stopped connector or task ends as UNASSIGNED, unless it had failed. PAUSED and STOPPED are reported when reached; the
 * same state may be reported again.
 */
export interface WorkerListener {
  /** `trace`: code, cause and next step first, then the stack; null unless FAILED. */
  connectorState(connector: string, state: ExecutionState, trace: string | null): void;
  taskState(id: TaskId, state: ExecutionState, trace: string | null): void;
  /** The connector asked for new task configs. */
  reconfigurationRequested(connector: string): void;
  /** A record of this connector went through this topic (KIP-558); repeated at most once a second while records flow. */
  topicUsed(connector: string, topic: string, taskId: number): void;
}
/** As in `GET /connectors/{name}/offsets`. */
export interface OffsetEntry {
  readonly partition: SourcePartition;
  readonly offset: SourceOffset | null;
}
/** As a client sends it: parts may be missing, the worker answers for them. */
export interface RequestedOffset {
  readonly partition: SourcePartition | null;
  readonly offset: SourceOffset | null;
}
export interface Worker {
  /** Configs have their `${provider:…}` references unresolved; the worker resolves them. Resolves once started or failed. */
  startConnector(name: string, config: ConfigMap, target: TargetState): Promise<void>;
  stopConnector(name: string): Promise<void>;
  setConnectorTarget(name: string, target: TargetState): Promise<void>;
  connectors(): readonly string[];
  /** Complete task configs (`task.class`, `name`… added as Kafka does). Throws ConnectError. */
  taskConfigs(name: string): Promise<readonly ConfigMap[]>;
  /** `taskCount`: how many tasks the connector has now. Resolves once the task is launched. */
  startTask(id: TaskId, connectorConfig: ConfigMap, taskConfig: ConfigMap, taskCount: number, target: TargetState): Promise<void>;
  /** Waits up to `task.shutdown.graceful.timeout.ms`, then replaces the thread. */
  stopTasks(ids: readonly TaskId[]): Promise<void>;
  setTaskTarget(id: TaskId, target: TargetState): Promise<void>;
  tasks(): readonly TaskId[];
  /** Puts a question to a task of this worker. Throws ConnectError when it refuses or is not running. */
  ask(id: TaskId, command: BackfillCommand): Promise<unknown>;
  /** Source: partitions and offsets from the offset store. Sink: the consumer group's, in Kafka's REST shape. */
  offsets(name: string, config: ConfigMap): Promise<readonly OffsetEntry[]>;
  /**
   * Null: reset all. Returns the message of Kafka's answer. The connector is STOPPED. Throws
   * ConnectError: with the javaClass of BadRequestException where Kafka answers 400, else 500.
   */
  alterOffsets(name: string, config: ConfigMap, offsets: readonly RequestedOffset[] | null): Promise<string>;
  /** Counters as they stand. */
  snapshot(): readonly TaskSnapshot[];
  /** The status of a running task says why it does not get on, unless the task says so itself; null: it gets on again. */
  tellStalled(id: TaskId, reason: string | null): void;
  start(listener: WorkerListener): Promise<void>;
  close(): Promise<void>;
}

/**
 * Class names to plugins: full Java names, simple names and aliases. Lazy, so that a task thread imports only what its
 * connector uses. Null: there is no such plugin.
 */
export interface PluginCatalog {
  connector(className: string): Promise<ConnectorPlugin | null>;
  transform(className: string): Promise<TransformPlugin | null>;
  predicate(className: string): Promise<PredicatePlugin | null>;
  converter(className: string): Promise<ConverterPlugin | null>;
  headerConverter(className: string): Promise<HeaderConverterPlugin | null>;
  configProvider(className: string): Promise<ConfigProviderPlugin | null>;
}
/** A plugin of others, as `plugin.path` showed it. Can be cloned, so that each thread loads it for itself. */
export interface ThirdPartyPlugin {
  readonly kind: "source" | "sink" | "transform" | "predicate" | "converter" | "header-converter";
  readonly name: string;
  readonly classes: readonly string[];
  readonly version: string;
  /** File URL. */
  readonly module: string;
  /** Name of the export; with several plugins in it (an array), the one of this name. */
  readonly export: string;
}
/** Modules (file URLs) that a task thread imports for itself, because functions cannot travel between threads. */
export interface ThreadModules {
  /** Exports `catalog: PluginCatalog`, and `addThirdParty` where `plugins` are given. */
  readonly catalog: string;
  readonly plugins?: readonly ThirdPartyPlugin[];
  /** Exports `kafkaClients(clock: Clock, log: Logger): KafkaClients`. Absent: our own client. */
  readonly clients?: string;
}
export interface WorkerDeps {
  readonly clients: KafkaClients;
  readonly catalog: PluginCatalog;
  readonly threadModules: ThreadModules;
  /** The worker's offset store; connectors with `offsets.storage.topic` get their own. */
  readonly offsets: OffsetStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Absent: `log`. Lines of connectors and tasks. */
  readonly connectorLog?: Logger;
}
/** Where source offsets live. Partitions compare by content, whatever the order of their keys. */
export interface OffsetStore {
  start(): Promise<void>;
  /** As of now: everything written before the call, by whomever, is seen. */
  read(connector: string, partitions: readonly SourcePartition[]): Promise<readonly (SourceOffset | null)[]>;
  /** Resolves when durable. A null offset removes the partition's entry. */
  write(connector: string, entries: readonly OffsetEntry[]): Promise<void>;
  /** All partitions of the connector that have an offset. */
  list(connector: string): Promise<readonly OffsetEntry[]>;
  close(): Promise<void>;
}
/** Counters of a running task, for `/metrics`. Rates and averages are the reader's business. */
export interface TaskSnapshot {
  readonly id: TaskId;
  readonly kind: "source" | "sink";
  readonly state: ExecutionState;
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number | string }[];
  /** A failed task that waits to be started again by itself; `cause` is its class. Null or absent: it does not. */
  readonly restart?: { readonly attempt: number; readonly inMs: number; readonly cause: string } | null;
}
