/**
 * The seam between herder (decides) and worker (executes). The herder calls; the worker reports states through the
 * listener. Connectors run in the main thread, tasks in worker threads.
 */
import type { SourceOffset, SourcePartition } from "../api/record.ts";

export type TargetState = "STARTED" | "PAUSED" | "STOPPED";
export type ExecutionState = "UNASSIGNED" | "RUNNING" | "PAUSED" | "FAILED" | "DESTROYED" | "RESTARTING" | "STOPPED";
export interface TaskId {
  readonly connector: string;
  readonly task: number;
}
export type ConfigMap = Readonly<Record<string, string>>;

export interface WorkerListener {
  /** `trace`: code, cause and next step first, then the stack; null unless FAILED. */
  connectorState(connector: string, state: ExecutionState, trace: string | null): void;
  taskState(id: TaskId, state: ExecutionState, trace: string | null): void;
  /** The connector asked for new task configs. */
  reconfigurationRequested(connector: string): void;
  /** First record of this connector in this topic (KIP-558). */
  topicUsed(connector: string, topic: string, taskId: number): void;
}
/** As in `GET /connectors/{name}/offsets`. */
export interface OffsetEntry {
  readonly partition: SourcePartition;
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
  /** Source: partitions and offsets from the offset store. Sink: the consumer group's, in Kafka's REST shape. */
  offsets(name: string, config: ConfigMap): Promise<readonly OffsetEntry[]>;
  /** Null: reset all. Returns the message of Kafka's answer. Throws ConnectError. The connector is STOPPED. */
  alterOffsets(name: string, config: ConfigMap, offsets: readonly OffsetEntry[] | null): Promise<string>;
  start(listener: WorkerListener): Promise<void>;
  close(): Promise<void>;
}
