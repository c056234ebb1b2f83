import { expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { ConfigError } from "#connect/api/errors";
import { openTopicLog, type TopicLog } from "#connect/store/topic-log";
import { fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";

function open(cluster: FakeCluster, seen: string[], partitions = 3): Promise<TopicLog> {
  return openTopicLog({
    clients: fakeKafkaClients(cluster),
    topic: { name: "log", partitions, replicationFactor: 1 },
    setting: "some.topic",
    purpose: "things",
    adminConfig: {},
    producerConfig: {},
    consumerConfig: {},
    apply: (r) => seen.push(`${Buffer.from(r.key ?? []).toString()}=${r.value === null ? "" : Buffer.from(r.value).toString()}`),
    clock: systemClock,
    log: silentLogger,
  });
}
test("creates a compacted topic, and applies everything before it opens again", async () => {
  const cluster = new FakeCluster();
  const first = await open(cluster, []);
  expect(cluster.topic("log").configs["cleanup.policy"]).toBe("compact");
  expect(first.partitions).toBe(3);
  for (let i = 0; i < 20; i++) await first.send(Buffer.from(`k${i % 5}`), i === 19 ? null : Buffer.from(String(i)));
  const seen: string[] = [];
  const second = await open(cluster, seen);
  expect(seen).toHaveLength(20);
  // In order within a key.
  expect(seen.filter((s) => s.startsWith("k4="))).toEqual(["k4=4", "k4=9", "k4=14", "k4="]);
  await first.send(Buffer.from("late"), Buffer.from("1"));
  await second.readToEnd();
  expect(seen.at(-1)).toBe("late=1");
  await first.close();
  await second.close();
});
test("refuses a topic that loses state", async () => {
  const cluster = new FakeCluster();
  cluster.create({ name: "log", partitions: 1, replicationFactor: 1, configs: { "cleanup.policy": "delete" } });
  await expect(open(cluster, [])).rejects.toThrow(ConfigError);
  await expect(open(cluster, [])).rejects.toThrow(/'some.topic' property is required to have 'cleanup.policy=compact'/);
});
