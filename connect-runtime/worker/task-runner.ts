/** One task as the main thread sees it: its thread, its state, its requests to the offset store. */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import { ConnectError } from "../api/errors.ts";
import { Counters } from "./counters.ts";
import type { TaskJobData, TaskThread, TaskThreads } from "./task-threads.ts";
import type { FromThread } from "./thread-port.ts";
import { messageOf, traceOf } from "./trace.ts";
import type { ExecutionState, OffsetStore, TargetState, TaskId, TaskSnapshot, WorkerListener } from "./types.ts";

export interface TaskRunnerOptions {
  readonly id: TaskId;
  /** `task.shutdown.graceful.timeout.ms` */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener: WorkerListener;
}
type Gauge = TaskSnapshot["gauges"][number];
const GAUGES_MAX = 1_000;

export class TaskRunner {
  readonly #o: TaskRunnerOptions;
  readonly #counters = new Counters();
  readonly #gauges = new Map<string, Gauge>();
  #kind: "source" | "sink" = "source";
  #thread: TaskThread | null = null;
  #ended: Promise<void> = Promise.resolve();
  #state: ExecutionState = "UNASSIGNED";
  #stopping = false;
  #hidden: (text: string) => string = (text) => text;

  constructor(options: TaskRunnerOptions) {
    this.#o = options;
  }
  get id(): TaskId {
    return this.#o.id;
  }
  /** `hidden` takes the task's secrets out of a text. */
  launch(threads: TaskThreads, store: OffsetStore, data: Omit<TaskJobData, "id" | "counters">, hidden: (text: string) => string): void {
    if (this.#stopping) return;
    this.#hidden = hidden;
    this.#kind = data.kind;
    const job: TaskJobData = { ...data, id: this.id, counters: this.#counters.buffer };
    const thread = threads.start(job, (message) => this.#heard(message, store));
    this.#thread = thread;
    this.#ended = thread.ended.then((trace) => {
      if (trace !== null && !this.#stopping) this.#report("FAILED", trace);
      else if (trace !== null) this.#o.log.warn(`task ${this.#name} failed while it was stopping`, { trace: this.#hidden(trace) });
      else if (!this.#stopping) this.#report("FAILED", traceOf(new ConnectError(`Task ${this.#name} ended without having been asked to`)));
    });
  }
  /** The task could not even be launched. */
  failed(error: unknown): void {
    this.#report("FAILED", traceOf(error));
  }
  target(target: TargetState): void {
    this.#thread?.send({ type: "target", target });
  }
  /** Waits for the task to end, at most the grace; then its thread is ended for it. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#thread?.send({ type: "stop" });
    }
    const late = this.#o.clock.after(this.#o.graceMs, () => {
      this.#o.log.error(
        `task ${this.#name} did not stop within ${this.#o.graceMs} ms (task.shutdown.graceful.timeout.ms); ending its thread`,
      );
      this.#thread?.kill(new ConnectError("The task did not stop in time"));
    });
    await this.#ended;
    late.cancel();
    if (this.#state !== "FAILED") this.#report("UNASSIGNED", null);
  }
  snapshot(): TaskSnapshot {
    return { id: this.id, kind: this.#kind, state: this.#state, counters: this.#counters.all(), gauges: [...this.#gauges.values()] };
  }
  get #name(): string {
    return `${this.id.connector}-${this.id.task}`;
  }
  #report(state: ExecutionState, trace: string | null): void {
    if (state === "FAILED") this.#o.log.error(`task ${this.#name} failed`, { trace: trace === null ? null : this.#hidden(trace) });
    else if (state !== this.#state) this.#o.log.info(`task ${this.#name} is ${state}`);
    this.#state = state;
    this.#o.listener.taskState(this.id, state, trace === null ? null : this.#hidden(trace));
  }
  #heard(message: FromThread, store: OffsetStore): void {
    switch (message.type) {
      case "state":
        if (!this.#stopping) this.#report(message.state, message.trace);
        return;
      case "log":
        this.#o.log[message.level](this.#hidden(message.message), this.#hiddenFields(message.fields));
        return;
      case "topic":
        this.#o.listener.topicUsed(this.id.connector, message.topic, this.id.task);
        return;
      case "gauge": {
        const key = message.name + JSON.stringify(message.labels);
        if (this.#gauges.size < GAUGES_MAX || this.#gauges.has(key)) {
          this.#gauges.set(key, { name: message.name, labels: message.labels, value: message.value });
        }
        return;
      }
      default:
        void this.#serveOffsets(message, store);
    }
  }
  #hiddenFields(fields: object | null): object | undefined {
    if (fields === null) return undefined;
    return Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, typeof v === "string" ? this.#hidden(v) : v]));
  }
  async #serveOffsets(message: Extract<FromThread, { readonly request: number }>, store: OffsetStore): Promise<void> {
    const { request } = message;
    try {
      if (message.type === "read-offsets") {
        const offsets = await store.read(this.id.connector, message.partitions);
        this.#thread?.send({ type: "offsets", request, offsets });
      } else {
        await store.write(this.id.connector, message.entries);
        this.#thread?.send({ type: "written", request });
      }
    } catch (error) {
      this.#thread?.send({ type: "refused", request, message: messageOf(error) });
    }
  }
}
