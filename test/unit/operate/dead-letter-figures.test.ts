import { expect, test } from "vitest";
import type { Clock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import type { Admin } from "#broker/client/types";
import { deadLetterFigures, DeadLetterWatch, queueOf } from "#connect/operate/dead-letter-figures";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";
import { fakeKafkaClients } from "../../fakes/kafka-clients.ts";

async function admin(more: Partial<Admin> = {}): Promise<Admin> {
  const cluster = new FakeCluster();
  const made = await fakeKafkaClients(cluster).admin({});
  await made.createTopics([{ name: "q", partitions: 3, replicationFactor: 1 }]);
  return {
    ...made,
    beginningOffsets: async (partitions) => partitions.map(() => 5),
    endOffsets: async (partitions) => partitions.map((p) => 5 + p.partition),
    recordTimes: async (partitions, which) =>
      partitions.map((p) => (p.partition === 0 ? null : p.partition * 100 + (which === "first" ? 0 : 7))),
    ...more,
  };
}
test("records and ages over all partitions; a topic that is not there yet is empty; brokers that cannot tell the newest", async () => {
  const figures = await deadLetterFigures(await admin(), ["q", "absent"]);
  expect([...figures.values()]).toEqual([
    { topic: "q", depth: 3, oldest_ms: 100, newest_ms: 207 },
    { topic: "absent", depth: 0, oldest_ms: null, newest_ms: null },
  ]);
  const old = await admin({
    recordTimes: async (partitions, which) => {
      if (which === "highest") throw new Error("UNSUPPORTED_VERSION");
      return partitions.map(() => 9);
    },
  });
  expect((await deadLetterFigures(old, ["q"])).get("q")).toEqual({ topic: "q", depth: 3, oldest_ms: 9, newest_ms: null });
});
test("a source has a queue only where it is asked for", () => {
  const config = { "errors.deadletterqueue.topic.name": " q " };
  expect([queueOf("sink", config), queueOf("sink", {}), queueOf("source", config)]).toEqual(["q", null, null]);
  expect(queueOf("source", { ...config, "errors.deadletterqueue.source.enable": "true" })).toBe("q");
});
test("scrapes share what was asked; queues of the same brokers are asked together; those that do not answer are left out", async () => {
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, after: () => ({ cancel() {} }), sleep: () => new Promise(() => {}) };
  const opened: unknown[] = [];
  const watch = new DeadLetterWatch({
    admin: async (config) => {
      opened.push(config["bootstrap.servers"]);
      if (config["bootstrap.servers"] === "gone:1") throw new Error("no broker");
      return admin();
    },
    clock,
    log: silentLogger,
  });
  const queue = (connector: string, servers: string) => ({
    connector,
    topic: "q",
    admin: { "bootstrap.servers": servers, "client.id": connector },
  });
  const queues = async () => [queue("a", "here:1"), queue("b", "gone:1"), queue("c", "here:1")];
  expect([...(await watch.figures(queues)).keys()]).toEqual(["a", "c"]);
  expect(opened.map(String).toSorted((a, b) => a.localeCompare(b))).toEqual(["gone:1", "here:1"]);
  nowMs = 4_000;
  await watch.figures(queues);
  expect(opened).toHaveLength(2);
  nowMs = 6_000;
  await watch.figures(queues);
  expect(opened).toHaveLength(4);
});
