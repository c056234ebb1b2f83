/**
 * The entry of a task thread: builds the host from its port and runs one task to its end. Imports are kept few and lazy: what
 * is loaded here is paid for by every task in time and memory.
 */
import { flushCompileCache } from "node:module";
import { systemClock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import type { KafkaClients } from "#broker/client/types";
import type { SourceOffset } from "../api/record.ts";
import { Counters } from "./counters.ts";
import { type TaskHost, TargetSwitch } from "./task-host.ts";
import type { FromThread, LogLevel, TaskEnd, TaskJob, ToThread } from "./thread-port.ts";
import { traceOf } from "./trace.ts";
import type { PluginCatalog } from "./types.ts";

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
function portLogger(post: (message: FromThread) => void, bound: object = {}): Logger {
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

async function loadClients(job: TaskJob, log: Logger): Promise<KafkaClients> {
  if (job.modules.clients === undefined) return (await import("./thread-clients.ts")).kafkaClients(systemClock, log);
  const module: { kafkaClients(clock: typeof systemClock, log: Logger): KafkaClients } = await import(job.modules.clients);
  return module.kafkaClients(systemClock, log);
}
async function buildHost(job: TaskJob, stop: AbortSignal, target: TargetSwitch, offsets: OffsetRequests): Promise<TaskHost> {
  const post = (message: FromThread): void => job.port.postMessage(message);
  const log = portLogger(post);
  const [clients, catalogModule]: [KafkaClients, { catalog: PluginCatalog }] = await Promise.all([
    loadClients(job, log),
    import(job.modules.catalog),
  ]);
  return {
    id: job.id,
    connectorConfig: job.connectorConfig,
    taskConfig: job.taskConfig,
    workerConfig: job.workerConfig,
    clock: systemClock,
    random: systemRandom,
    log,
    clients,
    catalog: catalogModule.catalog,
    counters: new Counters(job.counters),
    stop,
    target,
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

export default async function runTask(job: TaskJob): Promise<TaskEnd> {
  const stop = new AbortController();
  const target = new TargetSwitch(job.target);
  const offsets = new OffsetRequests();
  const beats = new Int32Array(job.heartbeat);
  const beating = setInterval(() => Atomics.add(beats, 0, 1), HEARTBEAT_MS);
  job.port.on("message", (message: ToThread) => {
    if (message.type === "stop") stop.abort();
    else if (message.type === "target") target.set(message.target);
    else offsets.answer(message);
  });
  try {
    const host = await buildHost(job, stop.signal, target, offsets);
    host.counters.set("thread-start-ms", Date.now() - job.postedAtMs);
    // Written now, because a thread that is ended from outside would leave nothing for the next ones.
    systemClock.after(CACHE_AFTER_MS, () => flushCompileCache());
    if (job.kind === "source") await (await import("./source-task.ts")).runSourceTask(host);
    else await (await import("./sink-task.ts")).runSinkTask(host);
    return { failed: null };
  } catch (error) {
    return { failed: traceOf(error) };
  } finally {
    clearInterval(beating);
    job.port.close();
  }
}
