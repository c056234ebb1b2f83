/** A worker that only remembers: connectors start at once, their task configs are what the test says. */
import type { ConfigMap, TaskId, Worker, WorkerListener } from "#connect/worker/types";

export interface FakeWorker extends Worker {
  /** What was called, in order: `start a`, `stop a`, `start a-0 {config}`, `stop a-0`. */
  readonly calls: string[];
  /** Task configs per connector; default: as many copies of nothing as `tasks.max` says. */
  readonly taskConfigsOf: Map<string, readonly ConfigMap[]>;
  readonly failing: Set<string>;
  listener: WorkerListener | null;
}
const key = (id: TaskId): string => `${id.connector}-${id.task}`;

export function fakeWorker(): FakeWorker {
  const connectors = new Map<string, ConfigMap>();
  const tasks = new Map<string, TaskId>();
  const worker: FakeWorker = {
    calls: [],
    taskConfigsOf: new Map(),
    failing: new Set(),
    listener: null,
    async start(listener) {
      worker.listener = listener;
    },
    async startConnector(name, config, target) {
      worker.calls.push(`start ${name}`);
      if (worker.failing.has(name)) return worker.listener?.connectorState(name, "FAILED", "no");
      connectors.set(name, config);
      worker.listener?.connectorState(name, target === "STARTED" ? "RUNNING" : target, null);
    },
    async stopConnector(name) {
      if (!connectors.delete(name)) return;
      worker.calls.push(`stop ${name}`);
      worker.listener?.connectorState(name, "UNASSIGNED", null);
    },
    async setConnectorTarget(name, target) {
      worker.calls.push(`target ${name} ${target}`);
      worker.listener?.connectorState(name, target === "STARTED" ? "RUNNING" : target, null);
    },
    ask: async (id, command) => {
      worker.calls.push(`ask ${key(id)} ${command.do}`);
      return [];
    },
    connectors: () => [...connectors.keys()],
    async taskConfigs(name) {
      const given = worker.taskConfigsOf.get(name);
      if (given !== undefined) return given;
      return Array.from({ length: Number(connectors.get(name)?.["tasks.max"] ?? 1) }, (_, task) => ({ task: String(task) }));
    },
    async startTask(id, _connectorConfig, config, _count, target) {
      worker.calls.push(`start ${key(id)} ${JSON.stringify(config)}`);
      tasks.set(key(id), id);
      worker.listener?.taskState(id, target === "STARTED" ? "RUNNING" : target, null);
    },
    async stopTasks(ids) {
      for (const id of ids) {
        if (!tasks.delete(key(id))) continue;
        worker.calls.push(`stop ${key(id)}`);
        worker.listener?.taskState(id, "UNASSIGNED", null);
      }
    },
    async setTaskTarget(id, target) {
      worker.calls.push(`target ${key(id)} ${target}`);
      worker.listener?.taskState(id, target === "STARTED" ? "RUNNING" : target, null);
    },
    tasks: () => [...tasks.values()],
    offsets: async () => [],
    alterOffsets: async (_name, _config, offsets) => (offsets === null ? "reset" : "altered"),
    snapshot: () => [],
    tellStalled: () => {},
    close: async () => {},
  };
  return worker;
}
