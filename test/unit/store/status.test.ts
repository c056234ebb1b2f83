import { describe, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { OwnWrites } from "#connect/store/own-writes";
import { memoryStatusStore } from "#connect/store/memory";
import { mayReplace, openStatusStore, type StatusStore } from "#connect/store/status";
import { SkippedRecords } from "#connect/store/skipped-records";
import type { Status } from "#connect/store/status-records";
import { fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";

const status = (state: Status["state"], workerId = "w1", generation = 1): Status => ({
  state,
  trace: null,
  workerId,
  generation,
  version: null,
});
const open = (cluster: FakeCluster): Promise<StatusStore> =>
  openStatusStore({
    clients: fakeKafkaClients(cluster),
    topic: { name: "statuses", partitions: 2, replicationFactor: 1 },
    adminConfig: {},
    producerConfig: {},
    consumerConfig: {},
    skipped: new SkippedRecords(silentLogger),
    clock: systemClock,
    log: silentLogger,
  });

test("an UNASSIGNED of a former owner does not overwrite a newer owner's state", () => {
  expect(mayReplace(null, status("UNASSIGNED"))).toBe(true);
  expect(mayReplace(status("RUNNING", "w2", 5), status("UNASSIGNED", "w1", 4))).toBe(false);
  expect(mayReplace(status("RUNNING", "w2", 5), status("UNASSIGNED", "w1", 5))).toBe(true);
  expect(mayReplace(status("RUNNING", "w1", 5), status("UNASSIGNED", "w1", 4))).toBe(true);
});
describe.each([
  ["memory", async () => memoryStatusStore()],
  ["topic", async () => open(new FakeCluster())],
])("the status store in %s", (_kind, make) => {
  test("keeps states, removes what is DESTROYED, sorts tasks by number", async () => {
    const store = await make();
    store.putConnector("a", status("RUNNING"));
    for (const task of [10, 2]) store.putTask({ connector: "a", task }, status("RUNNING"));
    store.putTopic({ topic: "t", connector: "a", task: 2, discoveredMs: 5 });
    expect(store.connector("a")?.state).toBe("RUNNING");
    expect(store.tasks("a").map((t) => t.id.task)).toEqual([2, 10]);
    expect(store.topics("a")).toEqual([{ topic: "t", connector: "a", task: 2, discoveredMs: 5 }]);
    store.putTaskSafe({ connector: "a", task: 2 }, status("UNASSIGNED", "w0", 0));
    expect(store.task({ connector: "a", task: 2 })?.state).toBe("RUNNING");
    store.putTask({ connector: "a", task: 2 }, status("DESTROYED"));
    store.deleteTopic("a", "t");
    store.putConnector("a", status("DESTROYED"));
    expect(store.connectors()).toEqual(["a"]);
    store.putTask({ connector: "a", task: 10 }, status("DESTROYED"));
    expect(store.connectors()).toEqual([]);
    await store.flush();
    await store.close();
  });
});
test("two workers see each other's states, and a new one reads all of them", async () => {
  const cluster = new FakeCluster();
  const [one, two] = [await open(cluster), await open(cluster)];
  one.putConnector("a", status("RUNNING", "w1"));
  await one.flush();
  await expect.poll(() => two.connector("a")?.workerId).toBe("w1");
  two.putConnector("a", status("FAILED", "w2", 2));
  await two.flush();
  await expect.poll(() => one.connector("a")?.state).toBe("FAILED");
  const three = await open(cluster);
  expect(three.connector("a")).toEqual(status("FAILED", "w2", 2));
  for (const store of [one, two, three]) await store.close();
});
test("what a topic still says from before one's own write is no news", () => {
  const own = new OwnWrites();
  const [a, b] = [Buffer.from("a"), Buffer.from("b")];
  own.sent("k", a);
  own.sent("k", b);
  expect(own.isNews("other", a)).toBe(true);
  expect(own.isNews("k", Buffer.from("older"))).toBe(false);
  expect(own.isNews("k", Buffer.from("a"))).toBe(false);
  expect(own.isNews("k", Buffer.from("foreign"))).toBe(false);
  expect(own.isNews("k", Buffer.from("b"))).toBe(false);
  expect(own.isNews("k", Buffer.from("later"))).toBe(true);
  own.sent("k", null);
  own.failed("k", null);
  expect(own.isNews("k", a)).toBe(true);
});
