/** What REST asks of a herder. Answers have the members of Kafka Connect's JSON. */
import type { Status } from "../store/status-records.ts";
import type { RestartRequest } from "../store/config-records.ts";
import type { ConfigMap, OffsetEntry, RequestedOffset, TargetState, TaskId } from "../worker/types.ts";

export type ConnectorType = "source" | "sink" | "unknown";
export interface ConnectorInfo {
  readonly name: string;
  readonly config: ConfigMap;
  readonly tasks: readonly TaskId[];
  readonly type: ConnectorType;
}
export interface StateInfo {
  readonly state: Status["state"];
  readonly worker_id: string;
  readonly trace?: string;
  readonly version?: string;
}
export interface TaskStateInfo extends StateInfo {
  readonly id: number;
}
export interface ConnectorStateInfo {
  readonly name: string;
  readonly connector: StateInfo;
  readonly tasks: readonly TaskStateInfo[];
  readonly type: ConnectorType;
}
export interface TaskInfo {
  readonly id: TaskId;
  readonly config: ConfigMap;
}
export interface Created {
  readonly created: boolean;
  readonly info: ConnectorInfo;
}
/** Of a request between workers (KIP-507). */
export interface RequestSignature {
  readonly algorithm: string;
  /** Base64. */
  readonly signature: string;
  readonly body: Uint8Array;
}
/** A config as posted: null values are refused by validation. */
export type PostedConfig = Readonly<Record<string, string | null>>;

/** All methods throw RestError (or ElsewhereError: forward it). */
export interface Herder {
  /** Null until the worker has joined its group. */
  ready(): boolean;
  clusterId(): string | null;
  connectors(): readonly string[];
  info(name: string): ConnectorInfo;
  config(name: string): ConfigMap;
  status(name: string): ConnectorStateInfo;
  taskStatus(id: TaskId): TaskStateInfo;
  tasks(name: string): readonly TaskInfo[];
  put(name: string, config: PostedConfig, target: TargetState | null, allowReplace: boolean): Promise<Created>;
  patch(name: string, patch: PostedConfig): Promise<Created>;
  remove(name: string): Promise<void>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  restartWithTasks(request: RestartRequest): Promise<ConnectorStateInfo>;
  restartTask(id: TaskId): Promise<void>;
  offsets(name: string): Promise<readonly OffsetEntry[]>;
  /** Null: reset. Answers Kafka's message. */
  alterOffsets(name: string, offsets: readonly RequestedOffset[] | null): Promise<string>;
  topics(name: string): readonly string[];
  resetTopics(name: string): void;
  putTaskConfigs(name: string, configs: readonly ConfigMap[], signature: RequestSignature | null): Promise<void>;
  fence(name: string, signature: RequestSignature | null): Promise<void>;
  /** Sets the level on all workers. */
  setClusterLogLevel(namespace: string, level: string): Promise<void>;
}
