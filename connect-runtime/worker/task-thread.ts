/**
 * The entry of a task thread: runs the tasks that it is given until it is told to close. Each task has its own port, its own clients
 * and its own async context, by which an error that nobody caught finds the task that it belongs to. Imports are kept few and lazy:
 * what is loaded here is paid for by every thread in time and memory.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { flushCompileCache } from "node:module";
import { getHeapStatistics } from "node:v8";
import { systemClock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import type { KafkaClients } from "#broker/client/types";
import type { BackfillCommand } from "../api/backfill.ts";
import { ConnectError } from "../api/errors.ts";
import type { SourceOffset } from "../api/record.ts";
import { causeClassOf } from "./cause-class.ts";
import { Counters } from "./counters.ts";
import { settleWhenIdle } from "./idle-memory.ts";
import { QuestionDesk } from "./questions.ts";
import { type TaskHost, TargetSwitch } from "./task-host.ts";
import {
  type FromTask,
  type FromThread,
  type LogLevel,
  PULSE,
  type TaskEnd,
  type TaskJob,
  type ThreadJob,
  type ToThread,
  type ToThreadControl,
} from "./thread-port.ts";
import { hiding } from "./secrets.ts";
import { traceOf } from "./trace.ts";
import type { PluginCatalog, ThirdPartyPlugin, ThreadModules } from "./types.ts";

const HEARTBEAT_MS = 250;
const CACHE_AFTER_MS = 500;

interface Waiter {
  resolve(offsets: readonly (SourceOffset | null)[]): void;
  reject(error: Error): void;
}
/** Log fields have to survive cloning: errors become their traces, functions vanish. */
function cloneable(fields: object | undefined): object | null {
  if (fields === undefined) return null;
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value instanceof Error) plain[key] = traceOf(value);
    else if (typeof value === "object" && value !== null)
      plain[key] = JSON.stringify(value, (_k, v: unknown) => (typeof v === "bigint" ? v.toString() : v));
    else if (typeof value !== "function" && typeof value !== "symbol") plain[key] = value;
  }
  return plain;
}
function portLogger(post: (message: FromTask) => void, bound: object = {}): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: object): void =>
      post({ type: "log", level, message, fields: cloneable({ ...bound, ...fields }) });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => portLogger(post, { ...bound, ...fields }),
  };
}
/** Requests to the offset store in the main thread, by number. */
class OffsetRequests {
  readonly #waiting = new Map<number, Waiter>();
  #next = 1;

  ask(send: (request: number) => void): Promise<readonly (SourceOffset | null)[]> {
    const request = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      send(request);
    });
  }
  answer(message: ToThread): void {
    if (message.type !== "offsets" && message.type !== "written" && message.type !== "refused") return;
    const waiter = this.#waiting.get(message.request);
    this.#waiting.delete(message.request);
    if (message.type === "refused") waiter?.reject(new Error(message.message));
    else waiter?.resolve(message.type === "offsets" ? message.offsets : []);
  }
}

type ClientsModule = { kafkaClients(clock: typeof systemClock, log: Logger): KafkaClients };
async function loadClients(modules: ThreadModules, log: Logger): Promise<KafkaClients> {
  const module: ClientsModule = modules.clients === undefined ? await import("./thread-clients.ts") : await import(modules.clients);
  return module.kafkaClients(systemClock, log);
}
interface CatalogModule {
  readonly catalog: PluginCatalog;
  addThirdParty?(plugins: readonly ThirdPartyPlugin[]): void;
}
let loadingCatalog: Promise<PluginCatalog> | null = null;
const loadCatalog = (modules: ThreadModules): Promise<PluginCatalog> =>
  (loadingCatalog ??= import(modules.catalog).then((module: CatalogModule) => {
    if (modules.plugins !== undefined && modules.plugins.length > 0) module.addThirdParty?.(modules.plugins);
    return module.catalog;
  }));
interface TaskControl {
  readonly stop: AbortSignal;
  readonly target: TargetSwitch;
  readonly offsets: OffsetRequests;
  readonly questions: QuestionDesk;
  readonly atWork: () => void;
}
async function buildHost(job: TaskJob, modules: ThreadModules, control: TaskControl): Promise<TaskHost> {
  const { stop, target, offsets, questions, atWork } = control;
  const post = (message: FromTask): void => job.port.postMessage(message);
  const log = portLogger(post);
  const [clients, catalog] = await Promise.all([loadClients(modules, log), loadCatalog(modules)]);
  return {
    id: job.id,
    connectorConfig: job.connectorConfig,
    taskConfig: job.taskConfig,
    workerConfig: job.workerConfig,
    hidden: hiding(job.secrets),
    clock: systemClock,
    random: systemRandom,
    log,
    clients,
    catalog,
    counters: new Counters(job.counters),
    stop,
    target,
    questions,
    atWork,
    state: (state, waitingFor) => post({ type: "state", state, trace: waitingFor === undefined ? null : traceOf(waitingFor) }),
    topicUsed: (topic) => post({ type: "topic", topic }),
    gauge: (name, value, labels) => post({ type: "gauge", name, value, labels }),
    offsets: {
      read: (partitions) => offsets.ask((request) => post({ type: "read-offsets", request, partitions })),
      async write(entries) {
        await offsets.ask((request) => post({ type: "write-offsets", request, entries }));
      },
    },
  };
}

/** One task of this thread, from its job to its end. */
class ThreadTask {
  readonly #job: TaskJob;
  readonly #stop = new AbortController();
  #ended = false;

  constructor(job: TaskJob) {
    this.#job = job;
  }
  async run(modules: ThreadModules, pulse: Int32Array): Promise<void> {
    const job = this.#job;
    const target = new TargetSwitch(job.target);
    const offsets = new OffsetRequests();
    const questions = new QuestionDesk();
    job.port.on("message", (message: ToThread) => {
      if (message.type === "stop") this.#stop.abort();
      else if (message.type === "target") target.set(message.target);
      else if (message.type === "question") void this.#answer(questions, message.question, message.command);
      else offsets.answer(message);
    });
    const atWork = (): void => void Atomics.store(pulse, PULSE.atWork, job.number);
    try {
      const host = await buildHost(job, modules, { stop: this.#stop.signal, target, offsets, questions, atWork });
      host.counters.set("thread-start-ms", Date.now() - job.postedAtMs);
      if (job.kind === "source") await (await import("./source-task.ts")).runSourceTask(host);
      else await (await import("./sink-task.ts")).runSinkTask(host);
      this.#end({ failed: null });
    } catch (error) {
      this.#end({ failed: traceOf(error), causeClass: causeClassOf(error) });
    }
  }
  async #answer(questions: QuestionDesk, question: number, command: BackfillCommand): Promise<void> {
    const answer = await questions.answered(command);
    if (!this.#ended) this.#job.port.postMessage({ type: "answer", question, answer } satisfies FromTask);
  }
  /** An error that came from nowhere in particular: a timer, an event, a promise nobody waits for. */
  fail(error: unknown): void {
    const { connector, task } = this.#job.id;
    const wrapped = new ConnectError(`Task ${connector}-${task} threw an error that nothing caught`, { causeClass: "bug", cause: error });
    this.#end({ failed: traceOf(wrapped), causeClass: causeClassOf(wrapped) });
    this.#stop.abort();
  }
  #end(end: TaskEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    const ended: FromThread = { type: "ended", end };
    this.#job.port.postMessage(ended);
    this.#job.port.close();
  }
}

/** The pool's job. Resolves when the thread is to end. */
export default async function hostTasks({ control, modules, pulse: shared }: ThreadJob): Promise<void> {
  const pulse = new Int32Array(shared);
  const running = new AsyncLocalStorage<ThreadTask>();
  const closed = Promise.withResolvers<void>();
  process.on("uncaughtException", (error) => {
    const task = running.getStore();
    // Nobody's: the thread is not to be trusted any more.
    if (task === undefined) closed.reject(error);
    else task.fail(error);
  });
  process.exit = (code) => {
    throw new ConnectError(`process.exit(${code ?? ""}) was called: a task is ended through its connector`);
  };
  let before = performance.eventLoopUtilization();
  const beating = setInterval(() => {
    Atomics.add(pulse, PULSE.beat, 1);
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    Atomics.store(pulse, PULSE.heap, Math.round((100 * used) / limit));
    const now = performance.eventLoopUtilization();
    Atomics.store(pulse, PULSE.busy, Math.round(performance.eventLoopUtilization(now, before).utilization * 1000));
    before = now;
  }, HEARTBEAT_MS);
  // Written now, because a thread that is ended from outside would leave nothing for the next ones.
  systemClock.after(CACHE_AFTER_MS, () => flushCompileCache());
  const settling = settleWhenIdle(systemClock);
  control.on("message", (message: ToThreadControl) => {
    if (message.type === "close") return closed.resolve();
    const task = new ThreadTask(message.job);
    running.run(task, () => void task.run(modules, pulse));
  });
  try {
    await closed.promise;
  } finally {
    clearInterval(beating);
    settling.close();
    control.close();
  }
}
