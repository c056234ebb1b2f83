/** The language between the main thread and a task thread: one MessagePort for each task. Everything can be cloned. */
import type { MessagePort } from "node:worker_threads";
import type { SourceOffset, SourcePartition } from "../api/record.ts";
import type { ConfigMap, ExecutionState, OffsetEntry, TargetState, TaskId, ThreadModules } from "./types.ts";

/** What the job is started with. */
export interface TaskJob {
  readonly id: TaskId;
  readonly kind: "source" | "sink";
  readonly connectorConfig: ConfigMap;
  readonly taskConfig: ConfigMap;
  readonly workerConfig: ConfigMap;
  readonly target: TargetState;
  readonly modules: ThreadModules;
  readonly port: MessagePort;
  readonly counters: SharedArrayBuffer;
  /** One Int32 that the thread counts up while its event loop turns. */
  readonly heartbeat: SharedArrayBuffer;
  /** Date.now() when the job was posted, to measure the start of the thread. */
  readonly postedAtMs: number;
}
/** How the job ended. A thread that dies rejects instead. */
export type TaskEnd = { readonly failed: null } | { readonly failed: string };

export type LogLevel = "debug" | "info" | "warn" | "error";
export type ToThread =
  | { readonly type: "target"; readonly target: TargetState }
  | { readonly type: "stop" }
  | { readonly type: "offsets"; readonly request: number; readonly offsets: readonly (SourceOffset | null)[] }
  | { readonly type: "written"; readonly request: number }
  | { readonly type: "refused"; readonly request: number; readonly message: string };
export type FromThread =
  | { readonly type: "state"; readonly state: ExecutionState; readonly trace: string | null }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string; readonly fields: object | null }
  | { readonly type: "topic"; readonly topic: string }
  | { readonly type: "gauge"; readonly name: string; readonly value: number; readonly labels: Readonly<Record<string, string>> }
  | { readonly type: "read-offsets"; readonly request: number; readonly partitions: readonly SourcePartition[] }
  | { readonly type: "write-offsets"; readonly request: number; readonly entries: readonly OffsetEntry[] };
