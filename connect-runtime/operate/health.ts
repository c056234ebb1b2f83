/** `GET /connectors/NAME/health`: whether a connector gets on, in one word, with the figures that say so. */
import type { SourcePosition } from "../api/diagnosis.ts";
import type { ConnectorStateInfo, TaskStateInfo } from "../herder/types.ts";
import type { TaskSnapshot } from "../worker/types.ts";
import type { DeadLetterFigures } from "./dead-letter-figures.ts";
import type { Progress } from "./progress.ts";

export type Verdict = "healthy" | "idle" | "waiting" | "stalled" | "paused" | "stopped" | "failed" | "unassigned";
export interface TaskHealth {
  readonly id: number;
  readonly state: TaskStateInfo["state"];
  readonly worker_id: string;
  /** Null where another worker has the task and did not answer. */
  readonly records: number | null;
  readonly last_progress_ms_ago: number | null;
  readonly moving: boolean | null;
  /** How long the source's poll has been running; null: it is not, or the task is a sink or another worker's. */
  readonly in_poll_ms: number | null;
  readonly errors: { readonly failures: number; readonly skipped: number; readonly dead_letters: number } | null;
  /** How often it was started again by itself; null where another worker has the task and did not answer. */
  readonly restarts: number | null;
  /** The next start of a failed task by itself: which one in a row, and the class of the cause. Null: there is none. */
  readonly restart: { readonly attempt: number; readonly in_ms: number; readonly cause: string } | null;
  /** First line of the trace: why it failed, or what it waits for. */
  readonly cause: string | null;
}
export interface ConnectorHealth {
  readonly name: string;
  readonly type: ConnectorStateInfo["type"];
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly position: SourcePosition | SinkLag | null;
  /** Null: it has no dead-letter queue, or its brokers do not answer. */
  readonly dead_letters: DeadLetterFigures | null;
  readonly tasks: readonly TaskHealth[];
}
export interface SinkLag {
  readonly lagRecords: number;
  readonly partitions: readonly { readonly topic: string; readonly partition: number; readonly offset: number; readonly end: number }[];
}
/** With data waiting and nothing moved for so long, a task is not getting on. */
const STALLED_MS = 60_000;
/** Since when poll has been running, by the task's counters. */
export function inPollMs(task: TaskSnapshot, nowMs: number): number | null {
  const since = task.counters["poll-since-ms"] ?? 0;
  return task.state !== "RUNNING" || since === 0 ? null : Math.max(0, Math.round(nowMs - since));
}
const MOVING_MS = 15_000;
/** Before the reason, in the first line of the trace of a task that runs and does not get on. */
const STALLED = "stalled: ";

export function taskHealth(status: TaskStateInfo, task: TaskSnapshot | undefined, progress: Progress | null, nowMs: number): TaskHealth {
  const counters = task?.counters;
  return {
    id: status.id,
    state: status.state,
    worker_id: status.worker_id,
    records: progress?.records ?? null,
    last_progress_ms_ago: progress === null ? null : Math.round(progress.ageMs),
    in_poll_ms: task === undefined ? null : inPollMs(task, nowMs),
    moving: progress === null ? null : !progress.never && progress.ageMs < MOVING_MS,
    errors:
      counters === undefined
        ? null
        : {
            failures: counters["total-record-failures"] ?? 0,
            skipped: counters["total-records-skipped"] ?? 0,
            dead_letters: counters["deadletterqueue-produce-requests"] ?? 0,
          },
    restarts: counters === undefined ? null : (counters["task-restarts-total"] ?? 0),
    restart:
      task?.restart === undefined || task.restart === null
        ? null
        : { attempt: task.restart.attempt, in_ms: task.restart.inMs, cause: task.restart.cause },
    cause: status.trace === undefined ? null : (status.trace.split("\n", 1)[0] ?? null),
  };
}
const nextStart = ({ restart }: TaskHealth): string =>
  restart === null
    ? ""
    : `; it starts again in ${Math.ceil(restart.in_ms / 1000)} s (start ${restart.attempt} in a row, cause: ${restart.cause})`;
/** What there would be to do; null: nothing that is known. */
export function waitingData(position: ConnectorHealth["position"]): string | null {
  if (position === null) return null;
  if ("lagRecords" in position) return position.lagRecords > 0 ? `${position.lagRecords} records wait in its topics` : null;
  const { behindBytes, head, waiting } = position;
  if (waiting !== undefined && waiting !== null) return waiting;
  return behindBytes !== null && behindBytes > 0 ? `the source is ${behindBytes} bytes of log ahead (${head})` : null;
}
/** What the watch tells is of the connector (and not of a task). */
function toldStall({ id, cause }: TaskHealth): string {
  const text = cause?.split(STALLED, 2)[1] ?? "";
  return text.startsWith("RUNNING") ? text : `task ${id}: ${text}`;
}
/** Pure: what the figures mean. */
export function judged(
  status: ConnectorStateInfo,
  tasks: readonly TaskHealth[],
  position: ConnectorHealth["position"],
  stalledMs = STALLED_MS,
): Pick<ConnectorHealth, "verdict" | "reasons"> {
  const failed = tasks.filter((t) => t.state === "FAILED");
  const { state, trace } = status.connector;
  if (state === "FAILED") return { verdict: "failed", reasons: [`the connector has failed: ${trace?.split("\n", 1)[0] ?? "no trace"}`] };
  if (failed.length > 0) {
    return {
      verdict: "failed",
      reasons: failed.map((t) => `task ${t.id} on ${t.worker_id} has failed: ${t.cause ?? "no trace"}${nextStart(t)}`),
    };
  }
  if (state === "STOPPED") return { verdict: "stopped", reasons: ["it was stopped"] };
  if (state === "PAUSED") return { verdict: "paused", reasons: ["it was paused"] };
  if (tasks.length === 0) return { verdict: "unassigned", reasons: ["it has no tasks yet"] };
  const unassigned = tasks.filter((t) => t.state === "UNASSIGNED");
  if (unassigned.length > 0) return { verdict: "unassigned", reasons: unassigned.map((t) => `task ${t.id} has no worker`) };
  const hung = tasks.filter((t) => (t.in_poll_ms ?? 0) >= stalledMs);
  if (hung.length > 0) {
    const reasons = hung.map((t) => `task ${t.id}: the source has not come back from poll for ${Math.round((t.in_poll_ms ?? 0) / 1000)} s`);
    return { verdict: "stalled", reasons };
  }
  const stalled = tasks.filter((t) => t.cause?.includes(STALLED) === true);
  if (stalled.length > 0) return { verdict: "stalled", reasons: [...new Set(stalled.map(toldStall))] };
  const waiting = tasks.filter((t) => t.cause !== null);
  if (waiting.length > 0) return { verdict: "waiting", reasons: waiting.map((t) => `task ${t.id} waits: ${t.cause ?? ""}`) };
  const data = waitingData(position);
  const still = tasks.filter((t) => t.last_progress_ms_ago !== null && t.last_progress_ms_ago >= stalledMs);
  if (data !== null && still.length === tasks.length) {
    const age = Math.round(Math.min(...still.map((t) => t.last_progress_ms_ago ?? 0)) / 1000);
    return { verdict: "stalled", reasons: [`RUNNING, but nothing has moved for ${age} s although ${data}`] };
  }
  if (tasks.some((t) => t.moving === true)) return { verdict: "healthy", reasons: data === null ? [] : [data] };
  return { verdict: data === null ? "idle" : "healthy", reasons: [data ?? "nothing to do at the moment"] };
}
