/** A TaskHost on plain functions, so that tasks run in the test's own thread; and sources and sinks driven by the test. */
import { systemClock } from "#broker/base/clock";
import { type Logger, silentLogger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import type { KafkaClients } from "#broker/client/types";
import type {
  SinkConnectorPlugin,
  SinkTask,
  SinkTaskContext,
  SourceConnectorPlugin,
  SourceTask,
  SourceTaskContext,
} from "#connect/api/connector";
import type { SinkRecord, SourceOffset, SourceRecord } from "#connect/api/record";
import { STRING } from "#connect/api/schema";
import { memoryOffsetStore } from "#connect/store/offset-memory";
import { Counters } from "#connect/worker/counters";
import { QuestionDesk } from "#connect/worker/questions";
import { scrubber } from "#connect/worker/secrets";
import { type TaskHost, TargetSwitch } from "#connect/worker/task-host";
import type { ConfigMap, OffsetEntry, OffsetStore, PluginCatalog } from "#connect/worker/types";
import { testWorkerConfig } from "./plugins.ts";

export interface TestHost extends TaskHost {
  readonly end: AbortController;
  readonly states: string[];
  readonly topics: string[];
  readonly written: OffsetEntry[];
  readonly lines: string[];
}
export function testHost(
  clients: KafkaClients,
  catalog: PluginCatalog,
  config: ConfigMap,
  options: { worker?: ConfigMap; store?: OffsetStore } = {},
): TestHost {
  const end = new AbortController();
  const states: string[] = [];
  const topics: string[] = [];
  const written: OffsetEntry[] = [];
  const lines: string[] = [];
  const store = options.store ?? memoryOffsetStore();
  const log: Logger = { ...silentLogger, error: (m) => void lines.push(`ERROR ${m}`), warn: (m) => void lines.push(`WARN ${m}`) };
  return {
    id: { connector: "c", task: 0 },
    connectorConfig: config,
    taskConfig: config,
    workerConfig: { ...testWorkerConfig, ...options.worker },
    hidden: scrubber(config, config),
    clock: systemClock,
    random: systemRandom,
    log,
    clients,
    catalog,
    counters: new Counters(),
    stop: end.signal,
    target: new TargetSwitch("STARTED"),
    questions: new QuestionDesk(),
    atWork: () => {},
    state: (state) => void states.push(state),
    topicUsed: (topic) => void topics.push(topic),
    gauge: () => {},
    offsets: {
      read: (partitions) => store.read("c", partitions),
      async write(entries) {
        await store.write("c", entries);
        written.push(...entries);
      },
    },
    end,
    states,
    topics,
    written,
    lines,
  };
}

export const textRecord = (value: string | null, position: number, topic = "out", partition = "p"): SourceRecord => ({
  topic,
  partition: null,
  keySchema: null,
  key: null,
  valueSchema: STRING,
  value,
  timestamp: null,
  headers: [],
  sourcePartition: { from: partition },
  sourceOffset: { position },
});

/** A source that sends what the test pushes. */
export class PushedSource {
  readonly durable: { partition: object; offset: SourceOffset }[] = [];
  readonly calls: string[] = [];
  readonly #batches: (readonly SourceRecord[] | Error)[] = [];
  context: SourceTaskContext | null = null;

  push(...records: SourceRecord[]): void {
    this.#batches.push(records);
  }
  fail(error: Error): void {
    this.#batches.push(error);
  }
  get plugin(): SourceConnectorPlugin {
    const task: SourceTask = {
      start: async () => void this.calls.push("start"),
      poll: async () => {
        const next = this.#batches.shift();
        if (next instanceof Error) throw next;
        if (next !== undefined) return next;
        await systemClock.sleep(5, this.context?.signal);
        return [];
      },
      durable: async (offsets) => void this.durable.push(...offsets),
      stop: async () => void this.calls.push("stop"),
    };
    return {
      kind: "source",
      name: "Pushed",
      classes: ["test.PushedSource"],
      taskClass: "test.PushedSourceTask",
      version: "1",
      config: [],
      start: (config) => ({ taskConfigs: () => [config] }),
      task: (_config, context) => {
        this.context = context;
        return task;
      },
    };
  }
}
/** A sink that collects; `onPut` may throw. */
export class CollectingSink {
  readonly records: SinkRecord[] = [];
  readonly calls: string[] = [];
  context: SinkTaskContext | null = null;
  onPut: ((records: readonly SinkRecord[]) => void | Promise<void>) | null = null;
  onFlush: (() => void) | null = null;

  get values(): unknown[] {
    return this.records.map((r) => r.value);
  }
  get plugin(): SinkConnectorPlugin {
    const partitions = (ps: readonly { topic: string; partition: number }[]): string =>
      ps.map((p) => `${p.topic}-${p.partition}`).join(",");
    const task: SinkTask = {
      start: async () => void this.calls.push("start"),
      opened: async (ps) => void this.calls.push(`opened ${partitions(ps)}`),
      closed: async (ps) => void this.calls.push(`closed ${partitions(ps)}`),
      put: async (records) => {
        await this.onPut?.(records);
        this.records.push(...records);
      },
      flush: async () => {
        this.onFlush?.();
        this.calls.push("flush");
      },
      stop: async () => void this.calls.push("stop"),
    };
    return {
      kind: "sink",
      name: "Collecting",
      classes: ["test.CollectingSink"],
      taskClass: "test.CollectingSinkTask",
      version: "1",
      config: [],
      start: (config) => ({ taskConfigs: (max) => Array.from({ length: max }, () => config) }),
      task: (_config, context) => {
        this.context = context;
        return task;
      },
    };
  }
}
/** Waits until the condition holds. */
export async function until(condition: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
