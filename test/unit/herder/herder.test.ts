import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import { HerderCommands } from "#connect/herder/commands";
import { type HerderLoop, openHerderLoop } from "#connect/herder/distributed";
import { RestError } from "#connect/herder/errors";
import { LoneMembership } from "#connect/herder/lone-membership";
import { memoryConfigStore, memoryStatusStore } from "#connect/store/memory";
import type { Status } from "#connect/store/status-records";
import type { StatusStore } from "#connect/store/status";
import { type FakeWorker, fakeWorker } from "../../fakes/fake-worker.ts";

let worker: FakeWorker;
let loop: HerderLoop;
let herder: HerderCommands;
/** States in the order in which they were written, `a RUNNING`, `a-0 RUNNING`. */
let written: string[];

function noted(store: StatusStore): StatusStore {
  const note = (name: string, status: Status): void => void written.push(`${name} ${status.state}`);
  return {
    ...store,
    putConnector: (name, s) => (note(name, s), store.putConnector(name, s)),
    putConnectorSafe: (name, s) => (note(name, s), store.putConnectorSafe(name, s)),
    putTask: (id, s) => (note(`${id.connector}-${id.task}`, s), store.putTask(id, s)),
    putTaskSafe: (id, s) => (note(`${id.connector}-${id.task}`, s), store.putTaskSafe(id, s)),
  };
}
beforeEach(async () => {
  worker = fakeWorker();
  written = [];
  loop = await openHerderLoop({
    worker,
    openStores: async (changed) => ({ config: memoryConfigStore(changed), statuses: noted(memoryStatusStore()) }),
    membership: (state, _refresh, events) => new LoneMembership("http://w:1/", state, events),
    classes: { typeOf: () => "source", versionOf: () => "1.0" },
    workerId: "w:1",
    settings: null,
    trackTopics: true,
    requestWorker: () => Promise.reject(new Error("nobody to ask")),
    loggerLevel: () => {},
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  herder = new HerderCommands({ loop, clusterId: null, validate: async () => {}, fencing: null });
});
afterEach(() => loop.close());

const config = (tasks = 1): Record<string, string> => ({ "connector.class": "X", "tasks.max": String(tasks), name: "a" });
async function running(tasks: number): Promise<void> {
  await expect
    .poll(() => {
      const status = loop.stores.statuses.connector("a") === null ? null : herder.status("a");
      return [status?.connector.state, ...(status?.tasks.map((t) => t.state) ?? [])].join(" ");
    })
    .toBe(["RUNNING", ...Array.from({ length: tasks }, () => "RUNNING")].join(" "));
}
/** Runs, and gives what happened meanwhile. */
async function during(run: () => Promise<unknown>, settled: () => Promise<void>): Promise<{ calls: string[]; states: string[] }> {
  const calls = worker.calls.length;
  const states = written.length;
  await run();
  await settled();
  return { calls: worker.calls.slice(calls), states: written.slice(states) };
}

describe("the herder", () => {
  test("a new connector runs with its tasks, and its answer is Kafka Connect's", async () => {
    const created = await herder.put("a", config(2), null, false);
    expect(created).toEqual({ created: true, info: { name: "a", config: config(2), tasks: [], type: "source" } });
    await running(2);
    expect(worker.calls).toEqual(["start a", 'start a-0 {"task":"0"}', 'start a-1 {"task":"1"}']);
    expect(herder.status("a").connector).toEqual({ state: "RUNNING", worker_id: "w:1", version: "1.0" });
    await expect(herder.put("a", config(), null, false)).rejects.toThrow(new RestError(409, "Connector a already exists"));
  });
  test("a connector that is stopped while it makes its task configs has no tasks afterwards", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const make = (name: string): Promise<readonly Record<string, string>[]> => Promise.resolve([{ task: name }]);
    worker.taskConfigs = async (name) => {
      asked.resolve();
      await answer.promise;
      return make(name);
    };
    await herder.put("a", config(), null, false);
    await asked.promise;
    const stopping = herder.stop("a");
    answer.resolve();
    await stopping;
    await expect.poll(() => herder.status("a").connector.state).toBe("STOPPED");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(loop.stores.config.snapshot().taskCounts.get("a") ?? 0).toBe(0);
    expect(worker.calls.filter((c) => c.startsWith("start a-"))).toEqual([]);
  });
  test("a changed config bounces the connector, and its tasks only if theirs have changed", async () => {
    await herder.put("a", config(), null, false);
    await running(1);
    const same = await during(
      () => herder.put("a", config(), null, true),
      () => running(1),
    );
    expect(same.calls).toEqual(["stop a", "start a"]);
    worker.taskConfigsOf.set("a", [{ other: "1" }]);
    const changed = await during(
      () => herder.put("a", { ...config(), other: "1" }, null, true),
      () => expect.poll(() => worker.calls.at(-1)).toBe('start a-0 {"other":"1"}'),
    );
    expect(changed.calls).toEqual(["stop a", "start a", "stop a-0", 'start a-0 {"other":"1"}']);
  });
  test("pause, resume, stop: stopping takes the tasks away, resuming makes new ones", async () => {
    await herder.put("a", config(), null, false);
    await running(1);
    await herder.pause("a");
    await expect.poll(() => herder.status("a").tasks[0]?.state).toBe("PAUSED");
    await herder.resume("a");
    await running(1);
    const stopped = await during(
      () => herder.stop("a"),
      () => expect.poll(() => herder.status("a").tasks).toEqual([]),
    );
    expect(stopped.states.filter((s) => s.startsWith("a-0"))).toEqual(["a-0 UNASSIGNED", "a-0 DESTROYED"]);
    await expect.poll(() => herder.status("a").connector.state).toBe("STOPPED");
    await expect(herder.restartTask({ connector: "a", task: 0 })).rejects.toThrow("since it is not assigned");
    expect(await herder.alterOffsets("a", null)).toBe("reset");
    await herder.resume("a");
    await running(1);
    await expect(herder.alterOffsets("a", null)).rejects.toThrow("Connectors must be in the STOPPED state");
  });
  test("restarts write what Kafka Connect writes", async () => {
    await herder.put("a", config(), null, false);
    await running(1);
    const plain = await during(
      () => herder.restart("a"),
      () => running(1),
    );
    expect(plain.states).toEqual(["a UNASSIGNED", "a RUNNING"]);
    const answers: unknown[] = [];
    const all = await during(
      async () => answers.push(await herder.restartWithTasks({ connector: "a", includeTasks: true, onlyFailed: false })),
      () => running(1),
    );
    expect(answers).toMatchObject([{ connector: { state: "RESTARTING" }, tasks: [{ id: 0, state: "RESTARTING" }] }]);
    expect(all.states.filter((s) => s.startsWith("a "))).toEqual(["a UNASSIGNED", "a RESTARTING", "a RUNNING"]);
    expect(all.states.filter((s) => s.startsWith("a-0"))).toEqual(["a-0 UNASSIGNED", "a-0 RESTARTING", "a-0 RUNNING"]);
    const failedOnly = await herder.restartWithTasks({ connector: "a", includeTasks: true, onlyFailed: true });
    expect(failedOnly.connector.state).toBe("RUNNING");
    const task = await during(
      () => herder.restartTask({ connector: "a", task: 0 }),
      () => running(1),
    );
    expect(task.states).toEqual(["a-0 UNASSIGNED", "a-0 RUNNING"]);
    await expect(herder.restartTask({ connector: "a", task: 7 })).rejects.toThrow("Unknown task: a-7");
    await expect(herder.restart("nope")).rejects.toThrow("Unknown connector: nope");
  });
  test("removal forgets statuses and topics", async () => {
    await herder.put("a", config(2), null, false);
    await running(2);
    worker.listener?.topicUsed("a", "t", 0);
    worker.listener?.topicUsed("a", "t", 1);
    expect(herder.topics("a")).toEqual(["t"]);
    await herder.remove("a");
    expect(herder.connectors()).toEqual([]);
    await expect.poll(() => loop.stores.statuses.connectors()).toEqual([]);
    expect(herder.topics("a")).toEqual([]);
    expect(worker.calls.filter((c) => c.startsWith("stop")).toSorted((x, y) => x.localeCompare(y))).toEqual([
      "stop a",
      "stop a-0",
      "stop a-1",
    ]);
    await expect(herder.remove("a")).rejects.toThrow("Connector a not found");
  });
  test("a connector that asks for new task configs gets another number of tasks", async () => {
    await herder.put("a", config(1), null, false);
    await running(1);
    worker.taskConfigsOf.set("a", [{ n: "0" }, { n: "1" }, { n: "2" }]);
    worker.listener?.reconfigurationRequested("a");
    await running(3);
    worker.taskConfigsOf.set("a", [{ n: "0" }]);
    worker.listener?.reconfigurationRequested("a");
    await running(1);
    expect(herder.tasks("a")).toEqual([{ id: { connector: "a", task: 0 }, config: { n: "0" } }]);
  });
  test("a connector that fails to start has no tasks until it is restarted", async () => {
    worker.failing.add("a");
    await herder.put("a", config(), null, false);
    await expect.poll(() => loop.stores.statuses.connector("a")?.state).toBe("FAILED");
    expect(herder.status("a").connector.trace).toBe("no");
    expect(herder.status("a").tasks).toEqual([]);
    worker.failing.clear();
    await herder.restartWithTasks({ connector: "a", includeTasks: false, onlyFailed: true });
    await running(1);
  });
  test("an initial state is in force from the start", async () => {
    await herder.put("a", config(), "STOPPED", false);
    await expect.poll(() => loop.stores.statuses.connector("a")?.state).toBe("STOPPED");
    await herder.resume("a");
    await running(1);
  });
  test("a patch sets and removes keys", async () => {
    await herder.put("a", { ...config(), x: "1" }, null, false);
    expect((await herder.patch("a", { x: null, y: "2" })).info.config).toEqual({ ...config(), y: "2" });
    await expect(herder.patch("b", {})).rejects.toThrow("Connector b not found");
  });
});
