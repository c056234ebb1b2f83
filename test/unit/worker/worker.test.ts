import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { type Logger, silentLogger } from "#broker/base/logger";
import { memoryOffsetStore } from "#connect/store/offset-memory";
import type { ConfigMap, OffsetStore, Worker, WorkerListener } from "#connect/worker/types";
import { createWorker } from "#connect/worker/worker";
import { fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";
import { testWorkerConfig } from "../../fakes/plugins.ts";
import { until } from "../../fakes/task-host.ts";
import { catalog } from "../../fakes/thread-plugins.ts";

const modules = new URL("../../fakes/thread-plugins.ts", import.meta.url).href;
let worker: Worker;
let store: OffsetStore;
let cluster: FakeCluster;
let events: string[];
let traces: Map<string, string>;
let lines: string[];

async function begin(config: ConfigMap = {}): Promise<void> {
  events = [];
  lines = [];
  traces = new Map();
  store = memoryOffsetStore();
  cluster = new FakeCluster();
  const seen = (what: string, state: string, trace: string | null): void => {
    events.push(`${what} ${state}`);
    if (trace !== null) traces.set(what, trace);
  };
  const log: Logger = { ...silentLogger, info: (m) => void lines.push(m), child: () => log };
  const listener: WorkerListener = {
    connectorState: seen,
    taskState: (id, state, trace) => seen(`${id.connector}-${id.task}`, state, trace),
    reconfigurationRequested: () => {},
    topicUsed: (connector, topic, task) => void events.push(`${connector}-${task} uses ${topic}`),
  };
  worker = createWorker(
    { ...testWorkerConfig, ...config },
    {
      clients: fakeKafkaClients(cluster),
      catalog,
      threadModules: { catalog: modules, clients: modules },
      offsets: store,
      clock: systemClock,
      log,
    },
  );
  await worker.start(listener);
}
const connectorConfig = (more: ConfigMap = {}): ConfigMap => ({
  name: "c",
  "connector.class": "test.Misbehaving",
  "tasks.max": "2",
  ...more,
});
async function launch(config: ConfigMap, tasks = 1): Promise<void> {
  await worker.startConnector("c", config, "STARTED");
  const configs = await worker.taskConfigs("c");
  for (let task = 0; task < tasks; task++) {
    await worker.startTask({ connector: "c", task }, config, configs[task] ?? {}, configs.length, "STARTED");
  }
}
afterEach(() => worker.close());

describe("a worker", () => {
  beforeEach(() => begin());

  test("runs tasks in threads, keeps their offsets, and starts again from them", async () => {
    await launch(connectorConfig(), 2);
    await until(() => events.includes("c-0 uses out") && events.includes("c-1 uses out"), "both write", 20_000);
    let offset = 0;
    await until(() => {
      void store.read("c", [{ from: "1" }]).then(([o]) => void (offset = Number(o?.["position"] ?? 0)));
      return offset > 1;
    }, "offsets are kept");
    expect(worker.snapshot().map((s) => [s.state, (s.counters["source-record-write-total"] ?? 0) > 0])).toEqual([
      ["RUNNING", true],
      ["RUNNING", true],
    ]);
    await worker.setTaskTarget({ connector: "c", task: 0 }, "PAUSED");
    await until(() => events.includes("c-0 PAUSED"), "it is paused");
    await worker.stopTasks(worker.tasks());
    expect(events.slice(-2).sort()).toEqual(["c-0 UNASSIGNED", "c-1 UNASSIGNED"]);
    expect(worker.tasks()).toEqual([]);
    const [stored] = await store.read("c", [{ from: "1" }]);
    const config = connectorConfig();
    await worker.startTask({ connector: "c", task: 1 }, config, { ...config, n: "1" }, 2, "STARTED");
    await until(() => (worker.snapshot()[0]?.gauges.length ?? 0) > 0, "it has started again", 20_000);
    expect(worker.snapshot()[0]?.gauges).toEqual([{ name: "StartedAt", labels: { task: "1" }, value: stored?.["position"] }]);
    expect(lines).toContain("started");
  });

  test("composes task configurations as Kafka Connect does", async () => {
    await worker.startConnector("c", connectorConfig(), "STARTED");
    expect(await worker.taskConfigs("c")).toEqual([
      { ...connectorConfig(), n: "0", "task.class": "test.MisbehavingTask" },
      { ...connectorConfig(), n: "1", "task.class": "test.MisbehavingTask" },
    ]);
    await worker.setConnectorTarget("c", "PAUSED");
    await worker.setConnectorTarget("c", "STARTED");
    await worker.stopConnector("c");
    expect(events).toEqual(["c RUNNING", "c PAUSED", "c RUNNING", "c UNASSIGNED"]);
  });

  test("reports connectors that refuse or do not exist, and too many tasks", async () => {
    await worker.startConnector("c", connectorConfig({ mode: "refuse" }), "STARTED");
    expect(traces.get("c")).toMatch(/^org\.apache\.kafka\.common\.config\.ConfigException: refused by the connector\n/);
    await worker.startConnector("d", { "connector.class": "Nowhere" }, "STARTED");
    expect(events).toEqual(["c FAILED", "d FAILED"]);
    await worker.startConnector("e", connectorConfig({ tasks: "3" }), "STARTED");
    await expect(worker.taskConfigs("e")).rejects.toThrow("The connector e has generated 3 tasks, which is greater than 2");
  });

  test.each([
    ["throws outside of the loop", "throwLater", /Task c-0 threw an error that nothing caught\n[^]*Caused by: Error: thrown from a timer/],
    ["exits", "exit", /process\.exit\(3\) was called: a task is ended through its connector/],
  ])("a task that %s fails alone", async (_what, mode, trace) => {
    const healthy = connectorConfig();
    await worker.startTask({ connector: "healthy", task: 0 }, healthy, healthy, 1, "STARTED");
    await until(() => events.includes("healthy-0 RUNNING"), "the neighbour runs", 20_000);
    await launch(connectorConfig({ mode }));
    await until(() => events.includes("c-0 FAILED"), "the failure is seen", 20_000);
    expect(traces.get("c-0")).toMatch(trace);
    const before = worker.snapshot()[0]?.counters["source-record-write-total"] ?? 0;
    await until(() => (worker.snapshot()[0]?.counters["source-record-write-total"] ?? 0) > before, "the neighbour goes on");
    await worker.stopTasks([{ connector: "c", task: 0 }]);
    expect(events).not.toContain("c-0 UNASSIGNED");
  });
});

describe("a thread", () => {
  test("that spins is ended and its task reported", async () => {
    await begin({ "task.unresponsive.timeout.ms": "1200" });
    await launch(connectorConfig({ mode: "spin" }));
    await until(() => events.includes("c-0 FAILED"), "the failure is seen", 20_000);
    expect(traces.get("c-0")).toContain("did not answer for 1200 ms");
  });

  test("that outgrows its heap is ended and its task reported", async () => {
    await begin({ "task.thread.heap.mb": "32" });
    await launch(connectorConfig({ mode: "leak" }));
    await until(() => events.includes("c-0 FAILED"), "the failure is seen", 20_000);
    expect(traces.get("c-0")).toContain("ran out of memory; raise task.thread.heap.mb");
  });

  test("that does not stop in time is ended", async () => {
    await begin({ "task.shutdown.graceful.timeout.ms": "300" });
    await launch(connectorConfig({ mode: "slow-stop" }));
    await until(() => events.includes("c-0 uses out"), "it runs", 20_000);
    const started = Date.now();
    await worker.stopTasks(worker.tasks());
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(events.at(-1)).toBe("c-0 UNASSIGNED");
  });
});
