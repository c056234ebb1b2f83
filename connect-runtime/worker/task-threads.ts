/**
 * Task threads: a piscina pool in which one task is one long job. A thread ends with its task; one that throws, exits, outgrows
 * its heap or stops answering fails its own task only.
 */
import { MessageChannel } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import type { Clock, Timer } from "#broker/base/clock";
import { ConnectError } from "../api/errors.ts";
import { numberOf } from "./settings.ts";
import type { FromThread, TaskEnd, TaskJob, ToThread } from "./thread-port.ts";
import { traceOf } from "./trace.ts";
import type { ConfigMap } from "./types.ts";

/** Null: ended as asked. Else the trace. */
type TaskOutcome = string | null;
export interface TaskThread {
  send(message: ToThread): void;
  /** Never rejects. */
  readonly ended: Promise<TaskOutcome>;
  /** Ends the thread at once. */
  kill(why: Error): void;
}
export type TaskJobData = Omit<TaskJob, "port" | "heartbeat" | "postedAtMs">;

/** More tasks than this in one process are refused: each has a thread of its own. */
const THREADS_MAX = 1_024;
/** The checks between two beats: a process that was suspended is not taken for a stuck thread. */
const CHECKS = 4;

export class TaskThreads {
  readonly #pool: Piscina<TaskJob, TaskEnd>;
  readonly #clock: Clock;
  readonly #unresponsiveMs: number;
  #running = 0;

  /**
   * `task.thread.heap.mb`: the heap a task may use (default 512). `task.unresponsive.timeout.ms`: how long its event loop may
   * stand still (default 60,000).
   */
  constructor(workerConfig: ConfigMap, clock: Clock) {
    this.#clock = clock;
    this.#unresponsiveMs = numberOf(workerConfig, "task.unresponsive.timeout.ms", 60_000);
    this.#pool = new Piscina<TaskJob, TaskEnd>({
      filename: fileURLToPath(new URL("./task-thread.ts", import.meta.url)),
      minThreads: 0,
      maxThreads: THREADS_MAX,
      // A thread is not used again: what a task left behind in it must not reach the next one.
      idleTimeout: 0,
      atomics: "disabled",
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: numberOf(workerConfig, "task.thread.heap.mb", 512) },
      env: threadEnvironment(workerConfig),
    });
    // Errors of a thread without a job have nobody to go to: the job's own promise carries the others.
    this.#pool.on("error", () => {});
  }
  /** Throws ConnectError when there are too many tasks. */
  start(data: TaskJobData, onMessage: (message: FromThread) => void): TaskThread {
    if (this.#running >= THREADS_MAX) {
      throw new ConnectError(`This worker runs ${THREADS_MAX} tasks already; start another worker`, { causeClass: "config" });
    }
    this.#running++;
    const { port1, port2 } = new MessageChannel();
    port1.on("message", onMessage);
    const heartbeat = new SharedArrayBuffer(4);
    const killed = new AbortController();
    const watch = this.#watch(new Int32Array(heartbeat), (why) => killed.abort(why));
    const job: TaskJob = { ...data, port: port2, heartbeat, postedAtMs: Date.now() };
    // piscina's type for the list says what Node's newest overload takes; it wants an array.
    const transferList: object = [port2];
    const ended = this.#pool
      .run(job, { transferList, signal: killed.signal })
      .then(
        (end) => end.failed,
        (error: unknown) => traceOf(causeOfDeath(data, error, killed.signal)),
      )
      .finally(() => {
        this.#running--;
        watch.cancel();
        port1.close();
      });
    return { send: (message) => port1.postMessage(message), ended, kill: (why) => killed.abort(why) };
  }
  close(): Promise<void> {
    return this.#pool.destroy();
  }
  /** Kills a thread whose event loop has not turned for the whole time-out, seen by several checks in a row. */
  #watch(beats: Int32Array, kill: (why: Error) => void): Timer {
    let last = -1;
    let still = 0;
    let timer: Timer;
    const check = (): void => {
      const now = Atomics.load(beats, 0);
      still = now === last ? still + 1 : 0;
      last = now;
      if (still >= CHECKS) {
        kill(
          new ConnectError(
            `The task's thread did not answer for ${this.#unresponsiveMs} ms (task.unresponsive.timeout.ms): it is busy without pause. Its thread was ended`,
          ),
        );
        return;
      }
      timer = this.#clock.after(this.#unresponsiveMs / CHECKS, check);
    };
    timer = this.#clock.after(this.#unresponsiveMs / CHECKS, check);
    return { cancel: () => timer.cancel() };
  }
}

/**
 * Run from TypeScript sources, each thread would load Node's type stripper (15 MB and 60 ms); with the compile cache it finds
 * stripped code on disk. The cache lies beside the packages, where only the owner of the installation writes.
 */
export function threadEnvironment(workerConfig: ConfigMap): NodeJS.ProcessEnv {
  const env = { ...process.env };
  const roots = workerConfig["file.connector.roots"];
  if (roots !== undefined) env["MILLRACE_FILE_ROOTS"] = roots;
  if (import.meta.url.endsWith(".ts"))
    env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url));
  return env;
}
function causeOfDeath(data: TaskJobData, error: unknown, killed: AbortSignal): Error {
  const name = `${data.id.connector}-${data.id.task}`;
  if (killed.aborted && killed.reason instanceof Error) return killed.reason;
  if (error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new ConnectError(
      `The thread of task ${name} ran out of memory; raise task.thread.heap.mb, or lower the sizes of batches and queues`,
      {
        causeClass: "bug",
        cause: error,
      },
    );
  }
  return new ConnectError(`The thread of task ${name} died`, { causeClass: "bug", cause: error });
}
