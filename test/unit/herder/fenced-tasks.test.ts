import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { systemRandom } from "#broker/base/random";
import { HerderCommands } from "#connect/herder/commands";
import { type HerderLoop, openHerderLoop } from "#connect/herder/distributed";
import { FencedTasks } from "#connect/herder/fenced-tasks";
import { LoneMembership } from "#connect/herder/lone-membership";
import { memoryConfigStore, memoryStatusStore } from "#connect/store/memory";
import { type FakeWorker, fakeWorker } from "../../fakes/fake-worker.ts";

const TRACE =
  "org.apache.kafka.connect.errors.ConnectException: no\nCaused by: org.apache.kafka.common.errors.InvalidProducerEpochException: t-0";
const ID = { connector: "a", task: 0 };
let worker: FakeWorker;
let loop: HerderLoop;
let herder: HerderCommands;

beforeEach(async () => {
  worker = fakeWorker();
  loop = await openHerderLoop({
    worker,
    openStores: async (changed) => ({ config: memoryConfigStore(changed), statuses: memoryStatusStore() }),
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
  await herder.put("a", { "connector.class": "X", "tasks.max": "1", name: "a" }, null, false);
  await expect.poll(starts).toBe(1);
});
afterEach(() => loop.close());
const starts = (): number => worker.calls.filter((c) => c.startsWith("start a-0")).length;
const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

test("a task that is fenced and still this worker's is started again, but not for ever", async () => {
  const listener = new FencedTasks(loop, 5).watching(loop.listener);
  for (let round = 1; round <= 5; round++) {
    listener.taskState(ID, "FAILED", TRACE);
    await expect.poll(starts).toBe(1 + round);
  }
  listener.taskState(ID, "FAILED", TRACE);
  await pause(50);
  expect(starts()).toBe(6);
  expect(herder.taskStatus(ID).state).toBe("FAILED");
});
test("not for other failures, nor when it has been started by something else meanwhile", async () => {
  const listener = new FencedTasks(loop, 20).watching(loop.listener);
  listener.taskState(ID, "FAILED", "org.apache.kafka.connect.errors.ConnectException: disk");
  await pause(40);
  expect(starts()).toBe(1);
  listener.taskState(ID, "FAILED", TRACE);
  await herder.restartTask(ID);
  await pause(40);
  expect(starts()).toBe(2);
});
