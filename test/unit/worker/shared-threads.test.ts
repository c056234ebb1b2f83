/** Light tasks share threads: what one of them does to its thread is seen, and the others go on; and failed tasks start again. */
import { afterEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { memoryOffsetStore } from "#connect/store/offset-memory";
import type { ConfigMap, TaskSnapshot, Worker } from "#connect/worker/types";
import { createWorker } from "#connect/worker/worker";
import { fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";
import { testWorkerConfig } from "../../fakes/plugins.ts";
import { until } from "../../fakes/task-host.ts";
import { catalog } from "../../fakes/thread-plugins.ts";

const modules = new URL("../../fakes/thread-plugins.ts", import.meta.url).href;
let worker: Worker;
let events: string[] = [];
let traces = new Map<string, string>();

async function begin(config: ConfigMap, clock: Clock = systemClock): Promise<void> {
  events = [];
  traces = new Map();
  worker = createWorker(
    { ...testWorkerConfig, ...config },
    {
      clients: fakeKafkaClients(new FakeCluster()),
      catalog,
      threadModules: { catalog: modules, clients: modules },
      offsets: memoryOffsetStore(),
      clock,
      log: silentLogger,
    },
  );
  await worker.start({
    connectorState: () => {},
    taskState(id, state, trace) {
      events.push(`${id.connector} ${state}`);
      if (trace !== null) traces.set(id.connector, trace);
    },
    reconfigurationRequested: () => {},
    topicUsed: () => {},
  });
}
async function launch(connector: string, more: ConfigMap = {}): Promise<void> {
  const config = { name: connector, "connector.class": "test.Misbehaving", n: connector, ...more };
  await worker.startTask({ connector, task: 0 }, config, config, 1, "STARTED");
}
const task = (connector: string): TaskSnapshot | undefined => worker.snapshot().find((s) => s.id.connector === connector);
const written = (connector: string): number => task(connector)?.counters["source-record-write-total"] ?? 0;
async function goesOn(connector: string): Promise<void> {
  const before = written(connector);
  await until(() => written(connector) > before, `${connector} goes on`, 20_000);
}
/** Time that the worker's own timers run through so many times as fast. */
const hurried = (factor: number): Clock => ({ ...systemClock, after: (ms, run) => systemClock.after(ms / factor, run) });
afterEach(() => worker.close());

const STILL = { "task.restart.causes": "" };
describe("tasks that share a thread", () => {
  test.each([
    ["spins", "spin", { "task.unresponsive.timeout.ms": "1200" }, "did not answer for 1200 ms"],
    ["outgrows the heap", "leak", { "task.thread.heap.mb": "32" }, "ran out of memory"],
    ["throws from a timer", "throwLater", {}, "threw an error that nothing caught"],
  ])("go on when one of them %s, and that one is reported", async (_what, mode, config, trace) => {
    await begin({ ...config, ...STILL });
    for (const name of ["a", "b"]) await launch(name);
    await until(() => written("a") > 0 && written("b") > 0, "both run", 20_000);
    await launch("bad", { mode });
    await until(() => events.includes("bad FAILED"), "the culprit is reported", 30_000);
    expect(traces.get("bad")).toContain(trace);
    await goesOn("a");
    await goesOn("b");
    expect(events.filter((e) => /^[ab] /.test(e) && !e.endsWith("RUNNING"))).toEqual([]);
    await worker.stopTasks([{ connector: "bad", task: 0 }]);
    await goesOn("a");
  });

  test("give way to one that keeps the thread busy: it moves out, and nobody fails", async () => {
    await begin({ "task.unresponsive.timeout.ms": "3000000" }, hurried(25));
    for (const name of ["a", "b"]) await launch(name);
    await until(() => written("a") > 0 && written("b") > 0, "both run", 20_000);
    await launch("hungry", { mode: "busy" });
    // The second RUNNING is that of the thread of its own.
    await until(() => events.filter((e) => e === "hungry RUNNING").length === 2, "it has moved", 30_000);
    await goesOn("hungry");
    await goesOn("a");
    expect(events.filter((e) => e.endsWith("FAILED"))).toEqual([]);
  });

  test("do not share where the settings say so", async () => {
    await begin({ ...STILL, "task.thread.heap.mb": "32", "task.thread.tasks.max": "1" });
    await launch("a");
    await until(() => written("a") > 0, "it runs", 20_000);
    await launch("bad", { mode: "leak" });
    await until(() => events.includes("bad FAILED"), "the culprit is reported", 30_000);
    expect(events.filter((e) => e.startsWith("a "))).toEqual(["a RUNNING"]);
    await launch("c", { "task.thread": "elsewhere" });
    expect(traces.get("c")).toContain("Invalid value elsewhere for configuration task.thread: own or shared");
  });
});

describe("a failed task", () => {
  const soon = { "task.restart.backoff.ms": "200", "task.restart.attempts.max": "2" };

  test("that could not reach its peer starts again, with growing pauses, and is FAILED with its trace while it waits", async () => {
    await begin(soon);
    await launch("a", { mode: "away" });
    await until(() => task("a")?.restart?.attempt === 1, "it waits", 20_000);
    expect(task("a")).toMatchObject({ state: "FAILED", restart: { cause: "transient" } });
    expect(traces.get("a")).toContain("ECONNREFUSED");
    await until(() => task("a")?.restart?.attempt === 2, "it has failed again", 20_000);
    expect(task("a")?.restart?.inMs).toBeGreaterThan(200);
    await until(() => events.filter((e) => e === "a FAILED").length === 3, "it gives up", 20_000);
    expect(task("a")).toMatchObject({ state: "FAILED", restart: null, counters: { "task-restarts-total": 2 } });
    expect(events).toEqual(["a RUNNING", "a FAILED", "a RUNNING", "a FAILED", "a RUNNING", "a FAILED"]);
  });

  test.each([
    ["a wrong setting", "setting"],
    ["data", "data"],
  ])("stays so when the cause is %s, whatever the settings say", async (_what, mode) => {
    await begin({ ...soon, "task.restart.causes": mode === "data" ? "transient,bug" : "transient,bug,config" });
    await launch("a", { mode });
    await until(() => events.includes("a FAILED"), "it fails", 20_000);
    expect(task("a")?.restart).toBeNull();
  });

  test("is not started any more once somebody stops it, and a connector may ask not to be", async () => {
    await begin(soon);
    await launch("a", { mode: "broken" });
    await launch("b", { mode: "broken", "task.restart.causes": "transient" });
    await until(() => task("a")?.restart?.cause === "bug" && events.includes("b FAILED"), "both have failed", 20_000);
    expect(task("b")?.restart).toBeNull();
    await worker.stopTasks([{ connector: "a", task: 0 }]);
    const seen = events.length;
    await systemClock.sleep(500);
    expect(events.length).toBe(seen);
  });
});
