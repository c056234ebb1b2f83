/**
 * The language between the main thread and task threads: a control port for each thread, a port for each task in it. Everything can
 * be cloned.
 */
import type { MessagePort } from "node:worker_threads";
import type { BackfillCommand } from "../api/backfill.ts";
import type { MetricValue } from "../api/connector.ts";
import type { CauseClass } from "../api/errors.ts";
import type { SourceOffset, SourcePartition } from "../api/record.ts";
import type { TaskAnswer } from "./questions.ts";
import type { ConfigMap, ExecutionState, OffsetEntry, TargetState, TaskId, ThreadModules } from "./types.ts";

/** What a thread is started with: the job of the pool. */
export interface ThreadJob {
  readonly control: MessagePort;
  readonly modules: ThreadModules;
  readonly pulse: SharedArrayBuffer;
}
/** Int32 positions in a thread's pulse. */
export const PULSE = {
  /** Counted up while the event loop turns. */
  beat: 0,
  /** Share of time that the event loop was busy since the last beat, in thousandths. */
  busy: 1,
  /** Number of the task that last said it was at work. */
  atWork: 2,
  /** Share of its heap that was taken at the last beat, in percent. */
  heap: 3,
  size: 4,
} as const;
export type ToThreadControl = { readonly type: "run"; readonly job: TaskJob } | { readonly type: "close" };

/** What a task is started with. */
export interface TaskJob {
  /** Within its thread. */
  readonly number: number;
  readonly id: TaskId;
  readonly kind: "source" | "sink";
  readonly connectorConfig: ConfigMap;
  readonly taskConfig: ConfigMap;
  readonly workerConfig: ConfigMap;
  /** Values that must not stand in what others may read. */
  readonly secrets: readonly string[];
  readonly target: TargetState;
  readonly port: MessagePort;
  readonly counters: SharedArrayBuffer;
  /** Date.now() when the job was posted, to measure its start. */
  readonly postedAtMs: number;
}
/** How a task ended: as asked, or with a trace and the class of its cause. */
export type TaskEnd = { readonly failed: null } | { readonly failed: string; readonly causeClass: CauseClass };

export type LogLevel = "debug" | "info" | "warn" | "error";
export type ToThread =
  | { readonly type: "target"; readonly target: TargetState }
  | { readonly type: "stop" }
  | { readonly type: "offsets"; readonly request: number; readonly offsets: readonly (SourceOffset | null)[] }
  | { readonly type: "written"; readonly request: number }
  | { readonly type: "refused"; readonly request: number; readonly message: string }
  | { readonly type: "question"; readonly question: number; readonly command: BackfillCommand };
/** What a running task has to say; TaskThreads keeps `ended` for itself. */
export type FromTask =
  | { readonly type: "state"; readonly state: ExecutionState; readonly trace: string | null }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string; readonly fields: object | null }
  | { readonly type: "topic"; readonly topic: string }
  | { readonly type: "answer"; readonly question: number; readonly answer: TaskAnswer }
  | { readonly type: "gauge"; readonly name: string; readonly value: MetricValue; readonly labels: Readonly<Record<string, string>> }
  | { readonly type: "read-offsets"; readonly request: number; readonly partitions: readonly SourcePartition[] }
  | { readonly type: "write-offsets"; readonly request: number; readonly entries: readonly OffsetEntry[] };
export type FromThread = FromTask | { readonly type: "ended"; readonly end: TaskEnd };
