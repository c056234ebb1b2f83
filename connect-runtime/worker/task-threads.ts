/**
 * Task threads: a piscina pool in which one thread is one long job that runs several tasks. A thread of its own costs a task some 20
 * MB and the start of an isolate, so light tasks share; who is busy, under suspicion, or declared heavy by its connector is alone.
 * A thread that exits, outgrows its heap or stops answering is replaced, and the tasks that were in it with the culprit go on in
 * another one.
 */
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import type { Clock, Timer } from "#broker/base/clock";
import { ConnectError } from "../api/errors.ts";
import { causeClassOf } from "./cause-class.ts";
import { Counters } from "./counters.ts";
import { HostThread, type TaskJobData, type TaskThread } from "./host-thread.ts";
import { numberOf } from "./settings.ts";
import type { FromTask, TaskEnd, TaskJob, ThreadJob } from "./thread-port.ts";
import { traceOf } from "./trace.ts";
import type { ConfigMap, ThreadModules } from "./types.ts";

/** More threads than this in one process are refused. */
const THREADS_MAX = 1_024;
const LOOK_MS = 5_000;
/** A thread as busy as this, in thousandths, gets no more tasks; after so many looks its busiest task moves out. */
const BUSY = 500;
const CROWDED = 700;
const CROWDED_LOOKS = 3;
/** So long after a task was started in it a thread is busy with that start, which says nothing about its load. */
const STARTING_MS = 2_000;

export type Placement = "shared" | "alone";
interface Shared {
  crowded: number;
  /** Records of each task at the last look. */
  records: Map<number, number>;
}

export class TaskThreads {
  readonly #pool: Piscina<ThreadJob, void>;
  readonly #clock: Clock;
  readonly #unresponsiveMs: number;
  readonly #tasksMax: number;
  readonly #shared = new Map<HostThread, Shared>();
  #threads = 0;
  #looking: Timer | null = null;

  /**
   * `task.thread.heap.mb`: the heap of a thread (default 512). `task.unresponsive.timeout.ms`: how long its event loop may stand
   * still (default 60,000). `task.thread.tasks.max`: how many light tasks share a thread (default 100; 1: none).
   */
  constructor(workerConfig: ConfigMap, clock: Clock) {
    this.#clock = clock;
    this.#unresponsiveMs = numberOf(workerConfig, "task.unresponsive.timeout.ms", 60_000);
    this.#tasksMax = numberOf(workerConfig, "task.thread.tasks.max", 100);
    this.#pool = new Piscina<ThreadJob, void>({
      filename: fileURLToPath(new URL("./task-thread.ts", import.meta.url)),
      minThreads: 0,
      maxThreads: THREADS_MAX,
      // A thread is not used again: what tasks left behind in it must not reach the next ones.
      idleTimeout: 0,
      atomics: "disabled",
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: numberOf(workerConfig, "task.thread.heap.mb", 512) },
      env: threadEnvironment(workerConfig),
    });
    // Errors of a thread without a job have nobody to go to: the job's own promise carries the others.
    this.#pool.on("error", () => {});
  }
  /** Throws ConnectError when there are too many threads. */
  start(data: TaskJobData, modules: ThreadModules, placement: Placement, onMessage: (message: FromTask) => void): TaskThread {
    const roomy = placement === "shared" && this.#tasksMax > 1 ? this.#roomy() : null;
    return (roomy ?? this.#open(modules, placement)).run(data, onMessage);
  }
  close(): Promise<void> {
    this.#looking?.cancel();
    return this.#pool.destroy();
  }
  /** The fullest thread that still has room, so that few stay. */
  #roomy(): HostThread | null {
    let best: HostThread | null = null;
    for (const thread of this.#shared.keys()) {
      if (!thread.accepting || thread.size >= this.#tasksMax) continue;
      const starting = this.#clock.monotonic() - thread.startedAt < STARTING_MS;
      if (thread.busy > BUSY && !starting) continue;
      if (best === null || thread.size > best.size) best = thread;
    }
    return best;
  }
  #open(modules: ThreadModules, placement: Placement): HostThread {
    if (this.#threads >= THREADS_MAX) {
      throw new ConnectError(`This worker has ${THREADS_MAX} task threads already; start another worker`, { causeClass: "config" });
    }
    this.#threads++;
    const thread = new HostThread({
      pool: this.#pool,
      modules,
      clock: this.#clock,
      unresponsiveMs: this.#unresponsiveMs,
      deathOf,
      gone: (gone) => {
        this.#threads--;
        this.#shared.delete(gone);
      },
    });
    if (placement === "shared") {
      this.#shared.set(thread, { crowded: 0, records: new Map() });
      this.#looking ??= this.#clock.after(LOOK_MS, () => this.#look());
    }
    return thread;
  }
  /** Where several tasks want more than one thread has, the one that moves the most records moves out. */
  #look(): void {
    this.#looking = this.#shared.size === 0 ? null : this.#clock.after(LOOK_MS, () => this.#look());
    for (const [thread, seen] of this.#shared) {
      seen.crowded = thread.busy >= CROWDED && thread.size > 1 ? seen.crowded + 1 : 0;
      const before = seen.records;
      seen.records = new Map([...thread.counters()].map(([number, counters]) => [number, recordsOf(new Counters(counters))]));
      if (seen.crowded < CROWDED_LOOKS) continue;
      let busiest: number | null = null;
      let most = 0;
      for (const [number, records] of seen.records) {
        const moved = records - (before.get(number) ?? records);
        if (moved > most) [busiest, most] = [number, moved];
      }
      seen.crowded = 0;
      if (busiest !== null) thread.move(busiest);
    }
  }
}
const recordsOf = (counters: Counters): number => counters.get("source-record-poll-total") + counters.get("sink-record-read-total");

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
function deathOf(job: TaskJob, error: Error): TaskEnd {
  const name = `${job.id.connector}-${job.id.task}`;
  const described = describedDeath(name, error);
  return { failed: traceOf(described), causeClass: causeClassOf(described) };
}
function describedDeath(name: string, error: Error): Error {
  if (error instanceof ConnectError) return error;
  if ("code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new ConnectError(
      `The thread of task ${name} ran out of memory; raise task.thread.heap.mb, or lower the sizes of batches and queues`,
      { causeClass: "bug", cause: error },
    );
  }
  return new ConnectError(`The thread of task ${name} died`, { causeClass: "bug", cause: error });
}
