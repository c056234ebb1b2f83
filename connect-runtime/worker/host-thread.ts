/** One task thread as the main thread sees it: the tasks in it, its pulse, its end. */
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Piscina } from "piscina";
import type { Clock, Timer } from "#broker/base/clock";
import { ConnectError } from "../api/errors.ts";
import {
  type FromTask,
  type FromThread,
  PULSE,
  type TaskEnd,
  type TaskJob,
  type ThreadJob,
  type ToThread,
  type ToThreadControl,
} from "./thread-port.ts";
import type { ThreadModules } from "./types.ts";

export type TaskJobData = Omit<TaskJob, "port" | "number" | "postedAtMs">;
/**
 * `displaced`: the thread ended under the task, whose own fault that may not be, or the task is to have a thread of its own: it is to
 * be started again, alone if it is under suspicion or busy.
 */
export type TaskOutcome = TaskEnd | { readonly displaced: Error | null; readonly alone: boolean };
export interface TaskThread {
  send(message: ToThread): void;
  /** Never rejects. */
  readonly ended: Promise<TaskOutcome>;
  /** Ends the thread at once; other tasks in it are displaced. */
  kill(why: Error): void;
}
interface Hosted {
  readonly job: TaskJob;
  readonly port: MessagePort;
  readonly settle: (outcome: TaskOutcome) => void;
  /** Asked to end here and start elsewhere. */
  moving: boolean;
}
export interface HostThreadOptions {
  readonly pool: Piscina<ThreadJob, void>;
  readonly modules: ThreadModules;
  readonly clock: Clock;
  readonly unresponsiveMs: number;
  /** The trace of a death that one task is to answer for. */
  readonly deathOf: (job: TaskJob, error: Error) => TaskEnd;
  readonly gone: (thread: HostThread) => void;
}
/** The checks between two beats: a process that was suspended is not taken for a stuck thread. */
const CHECKS = 4;
/** Percent above which a thread that stands still is short of memory. */
const HEAP_FULL = 75;

export class HostThread {
  readonly #o: HostThreadOptions;
  readonly #tasks = new Map<number, Hosted>();
  readonly #control: MessagePort;
  readonly #pulse: Int32Array;
  readonly #killed = new AbortController();
  readonly #watch: Timer;
  #next = 1;
  /** When it was last given a task, monotonic ms. */
  startedAt = Number.NEGATIVE_INFINITY;
  /** No more tasks are taken. */
  #closing = false;

  constructor(options: HostThreadOptions) {
    this.#o = options;
    const { port1, port2 } = new MessageChannel();
    this.#control = port1;
    const pulse = new SharedArrayBuffer(PULSE.size * 4);
    this.#pulse = new Int32Array(pulse);
    this.#watch = this.#watched();
    // piscina's type for the list says what Node's newest overload takes; it wants an array.
    const transferList: object = [port2];
    const job: ThreadJob = { control: port2, modules: options.modules, pulse };
    void options.pool
      .run(job, { transferList, signal: this.#killed.signal })
      .then(
        () => this.#died(new ConnectError("The thread ended without having been asked to")),
        (error: unknown) => this.#died(error instanceof Error ? error : new Error(String(error))),
      )
      .finally(() => this.#control.close());
  }
  get size(): number {
    return this.#tasks.size;
  }
  get accepting(): boolean {
    return !this.#closing;
  }
  /** Thousandths of the last beat in which its event loop was busy. */
  get busy(): number {
    return Atomics.load(this.#pulse, PULSE.busy);
  }
  run(data: TaskJobData, onMessage: (message: FromTask) => void): TaskThread {
    const { port1, port2 } = new MessageChannel();
    const number = this.#next++;
    this.startedAt = this.#o.clock.monotonic();
    const job: TaskJob = { ...data, number, port: port2, postedAtMs: Date.now() };
    const ended = new Promise<TaskOutcome>((settle) => this.#tasks.set(number, { job, port: port1, settle, moving: false }));
    port1.on("message", (message: FromThread) => {
      if (message.type === "ended") this.#taskEnded(number, message.end);
      else onMessage(message);
    });
    this.#post({ type: "run", job }, [port2]);
    return { send: (message) => port1.postMessage(message), ended, kill: (why) => this.#kill(number, why) };
  }
  /** The counters of each task that is not on the move, by its number. */
  counters(): ReadonlyMap<number, SharedArrayBuffer> {
    return new Map([...this.#tasks].filter(([, t]) => !t.moving).map(([number, t]) => [number, t.job.counters]));
  }
  /** Ends a task as a stop does; its outcome is that it has to be started alone. */
  move(number: number): void {
    const task = this.#tasks.get(number);
    if (task === undefined || task.moving) return;
    task.moving = true;
    task.port.postMessage({ type: "stop" } satisfies ToThread);
  }
  #taskEnded(number: number, end: TaskEnd): void {
    const task = this.#tasks.get(number);
    if (task === undefined) return;
    this.#tasks.delete(number);
    task.port.close();
    task.settle(task.moving && end.failed === null ? { displaced: null, alone: true } : end);
    if (this.#tasks.size === 0) this.#close();
  }
  #post(message: ToThreadControl, transfer: MessagePort[] = []): void {
    this.#control.postMessage(message, transfer);
  }
  #close(): void {
    this.#closing = true;
    this.#watch.cancel();
    this.#o.gone(this);
    this.#post({ type: "close" });
  }
  /** One task is to answer for it, by name: it did not stop in time. */
  #kill(number: number, why: Error): void {
    const task = this.#tasks.get(number);
    if (task === undefined) return;
    this.#tasks.delete(number);
    task.port.close();
    task.settle(this.#o.deathOf(task.job, why));
    this.#died(why, false);
    this.#killed.abort(why);
  }
  /** Everything in the thread is gone. Of several tasks, the one that last said it was at work starts alone from now on. */
  #died(error: Error, suspect = true): void {
    if (!this.#closing) this.#o.gone(this);
    this.#closing = true;
    this.#watch.cancel();
    const atWork = Atomics.load(this.#pulse, PULSE.atWork);
    const only = this.#tasks.size === 1 && suspect;
    for (const [number, task] of this.#tasks) {
      task.port.close();
      task.settle(only ? this.#o.deathOf(task.job, error) : { displaced: error, alone: suspect && number === atWork });
    }
    this.#tasks.clear();
  }
  #busyWith(): string {
    const heap = Atomics.load(this.#pulse, PULSE.heap);
    return heap < HEAP_FULL
      ? "it is busy without pause"
      : `${heap} % of its heap were taken when it last did, it has been collecting garbage since then; raise task.thread.heap.mb, or lower the sizes of batches and queues`;
  }
  /** Kills a thread whose event loop has not turned for the whole time-out, seen by several checks in a row. */
  #watched(): Timer {
    const { clock, unresponsiveMs } = this.#o;
    let last = -1;
    let still = 0;
    let timer: Timer;
    const check = (): void => {
      const now = Atomics.load(this.#pulse, PULSE.beat);
      still = now === last ? still + 1 : 0;
      last = now;
      if (still < CHECKS) {
        timer = clock.after(unresponsiveMs / CHECKS, check);
        return;
      }
      const why = new ConnectError(
        `The task's thread did not answer for ${unresponsiveMs} ms (task.unresponsive.timeout.ms): ${this.#busyWith()}. Its thread was ended`,
      );
      this.#died(why);
      this.#killed.abort(why);
    };
    timer = clock.after(unresponsiveMs / CHECKS, check);
    return { cancel: () => timer.cancel() };
  }
}
