/** One task as the main thread sees it: its thread, its state, its restarts, its requests to the offset store. */
import type { Clock, Timer } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { BackfillCommand } from "../api/backfill.ts";
import { type CauseClass, ConnectError } from "../api/errors.ts";
import { causeClassOf } from "./cause-class.ts";
import { Counters } from "./counters.ts";
import { OpenQuestions } from "./questions.ts";
import type { TaskJobData, TaskOutcome, TaskThread } from "./host-thread.ts";
import { type RestartPolicy, shareOf } from "./restart-policy.ts";
import type { Placement, TaskThreads } from "./task-threads.ts";
import type { FromTask } from "./thread-port.ts";
import { causeIn, javaClassOf, messageOf, traceOf } from "./trace.ts";
import type { ExecutionState, OffsetStore, TargetState, TaskId, TaskSnapshot, ThreadModules, WorkerListener } from "./types.ts";

export interface TaskRunnerOptions {
  readonly id: TaskId;
  /** `task.shutdown.graceful.timeout.ms` */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener: WorkerListener;
}
export interface TaskLaunch {
  readonly threads: TaskThreads;
  readonly modules: ThreadModules;
  readonly store: OffsetStore;
  readonly data: Omit<TaskJobData, "id" | "counters">;
  readonly placement: Placement;
  readonly restarts: RestartPolicy;
  /** Takes the task's secrets out of a text. */
  readonly hidden: (text: string) => string;
}
type Gauge = TaskSnapshot["gauges"][number];
/** The database is asked before a backfill is taken. */
const ANSWER_MS = 60_000;
const GAUGES_MAX = 10_000;
/** A task whose thread died so often with others in it gets one of its own. */
const DISPLACED_MAX = 2;

export class TaskRunner {
  readonly #o: TaskRunnerOptions;
  readonly #counters = new Counters();
  readonly #gauges = new Map<string, Gauge>();
  #launched: TaskLaunch | null = null;
  #placement: Placement = "shared";
  #target: TargetState = "STARTED";
  #thread: TaskThread | null = null;
  #ended: Promise<void> = Promise.resolve();
  #state: ExecutionState = "UNASSIGNED";
  readonly #questions = new OpenQuestions();
  #stopping = false;
  #displaced = 0;
  #runningSince: number | null = null;
  #restart: { readonly timer: Timer; readonly atMs: number; readonly cause: CauseClass } | null = null;
  #hidden: (text: string) => string = (text) => text;
  /** What the task itself last told with its state. */
  #trace: string | null = null;

  constructor(options: TaskRunnerOptions) {
    this.#o = options;
  }
  get id(): TaskId {
    return this.#o.id;
  }
  launch(launched: TaskLaunch): void {
    if (this.#stopping) return;
    this.#launched = launched;
    this.#hidden = launched.hidden;
    this.#placement = launched.placement;
    this.#target = launched.data.target;
    this.#begin(launched);
  }
  #begin(launched: TaskLaunch): void {
    const { threads, modules, data, store } = launched;
    const job: TaskJobData = { ...data, target: this.#target, id: this.id, counters: this.#counters.buffer };
    this.#runningSince = null;
    const thread = threads.start(job, modules, this.#placement, (message) => this.#heard(message, store));
    this.#thread = thread;
    this.#ended = thread.ended.then((outcome) => this.#over(outcome, launched));
  }
  #over(outcome: TaskOutcome, launched: TaskLaunch): void {
    this.#thread = null;
    this.#questions.close();
    if (this.#stopping) {
      const trace = "failed" in outcome ? outcome.failed : null;
      if (trace !== null) this.#o.log.warn(`task ${this.#name} failed while it was stopping`, { trace: this.#hidden(trace) });
    } else if ("displaced" in outcome) {
      this.#displace(outcome, launched);
    } else if (outcome.failed === null) {
      this.failed(new ConnectError(`Task ${this.#name} ended without having been asked to`));
    } else {
      this.#failedFor(outcome.failed, outcome.causeClass);
    }
  }
  #displace({ displaced, alone }: Extract<TaskOutcome, { readonly alone: boolean }>, launched: TaskLaunch): void {
    if (displaced === null) this.#o.log.info(`task ${this.#name} keeps its thread busy and gets one of its own`);
    else {
      this.#displaced++;
      this.#o.log.warn(`the thread of task ${this.#name} ended under it; it goes on in another one`, { trace: traceOf(displaced) });
    }
    if (alone || this.#displaced >= DISPLACED_MAX) this.#placement = "alone";
    try {
      this.#begin(launched);
    } catch (error) {
      this.failed(error);
    }
  }
  /** The task could not even be launched, or ended for no reason that it gave. */
  failed(error: unknown): void {
    this.#failedFor(traceOf(error), causeClassOf(error));
  }
  #failedFor(trace: string, cause: CauseClass): void {
    const ranMs = this.#runningSince === null ? 0 : this.#o.clock.monotonic() - this.#runningSince;
    const launched = this.#launched;
    const delayMs = launched === null ? null : launched.restarts.next(cause, ranMs, shareOf(this.#name, launched.restarts.attempts));
    const text = this.#hidden(trace);
    // What somebody has to set right says so; where in our code that was found out tells him nothing, and is in the status.
    this.#o.log.error(`task ${this.#name} failed: ${causeIn(text)}`, cause === "config" ? { cause } : { cause, trace: text });
    this.#report("FAILED", trace);
    if (delayMs === null || launched === null) return;
    this.#o.log.warn(`task ${this.#name} starts again in ${delayMs} ms (attempt ${launched.restarts.attempts}, cause: ${cause})`);
    const timer = this.#o.clock.after(delayMs, () => {
      this.#restart = null;
      this.#counters.add("task-restarts-total");
      try {
        this.#begin(launched);
      } catch (error) {
        this.failed(error);
      }
    });
    this.#restart = { timer, atMs: this.#o.clock.monotonic() + delayMs, cause };
  }
  target(target: TargetState): void {
    this.#target = target;
    this.#thread?.send({ type: "target", target });
  }
  tellStalled(reason: string | null): void {
    if (this.#state !== "RUNNING" || this.#stopping || this.#trace !== null) return;
    if (reason !== null) this.#o.log.warn(`task ${this.#name} is stalled: ${reason}`);
    this.#report("RUNNING", reason === null ? null : `${javaClassOf(new ConnectError(reason))}: stalled: ${reason}\n`);
  }
  /** Puts a question to the task. Throws ConnectError when it refuses, is not there, or does not answer. */
  async ask(command: BackfillCommand): Promise<unknown> {
    const thread = this.#thread;
    if (thread === null || this.#stopping) throw new ConnectError(`Task ${this.#name} is not running`);
    return this.#questions.ask((question) => thread.send({ type: "question", question, command }), this.#o.clock, ANSWER_MS);
  }
  /** Waits for the task to end, at most the grace; then its thread is ended for it. */
  async stop(): Promise<void> {
    this.#restart?.timer.cancel();
    this.#restart = null;
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
    const restart = this.#restart;
    return {
      id: this.id,
      kind: this.#launched?.data.kind ?? "source",
      state: this.#state,
      counters: this.#counters.all(),
      gauges: [...this.#gauges.values()],
      restart:
        restart === null
          ? null
          : {
              attempt: this.#launched?.restarts.attempts ?? 0,
              inMs: Math.max(0, Math.round(restart.atMs - this.#o.clock.monotonic())),
              cause: restart.cause,
            },
    };
  }
  get #name(): string {
    return `${this.id.connector}-${this.id.task}`;
  }
  #report(state: ExecutionState, trace: string | null): void {
    if (state !== this.#state) this.#o.log.info(`task ${this.#name} is ${state}`);
    this.#state = state;
    this.#o.listener.taskState(this.id, state, trace === null ? null : this.#hidden(trace));
  }
  #heard(message: FromTask, store: OffsetStore): void {
    switch (message.type) {
      case "state":
        this.#runningSince ??= this.#o.clock.monotonic();
        this.#trace = message.trace;
        if (!this.#stopping) this.#report(message.state, message.trace);
        return;
      case "log":
        this.#o.log[message.level](this.#hidden(message.message), this.#hiddenFields(message.fields));
        return;
      case "topic":
        this.#o.listener.topicUsed(this.id.connector, message.topic, this.id.task);
        return;
      case "answer":
        this.#questions.answered(message.question, message.answer);
        return;
      case "gauge": {
        const key = message.name + JSON.stringify(message.labels);
        if (message.value === null) this.#gauges.delete(key);
        else if (this.#gauges.size < GAUGES_MAX || this.#gauges.has(key)) {
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
  async #serveOffsets(message: Extract<FromTask, { readonly request: number }>, store: OffsetStore): Promise<void> {
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
