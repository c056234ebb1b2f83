import { expect, test } from "vitest";
import { silentLogger } from "#broker/base/logger";
import type { TopicRecord } from "#connect/api/connector";
import { topicReaderConfig } from "#connect/worker/client-config";
import { topicRecords } from "#connect/worker/topic-reader";
import { fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";
import { until } from "../../fakes/task-host.ts";

test("the committed position never passes a record that is not done", async () => {
  const cluster = new FakeCluster();
  cluster.create({ name: "s", partitions: 1, replicationFactor: 1 });
  const clients = fakeKafkaClients(cluster);
  const producer = await clients.producer({});
  for (const value of ["a", "ü", "c"]) await producer.send("s", 0, Buffer.from("k"), Buffer.from(value));
  const committed = (): number | undefined => cluster.offsetsOf("g").get("s-0")?.offset;

  const run = (stop: AbortController, seen: TopicRecord[]): Promise<void> =>
    (async () => {
      for await (const record of topicRecords(clients, { "group.id": "g" }, "s", stop.signal, silentLogger)) seen.push(record);
    })();
  const stop = new AbortController(),
    seen: TopicRecord[] = [];
  const running = run(stop, seen);
  await until(() => seen.length === 3, "all are read");
  expect(seen.map((r) => [r.key, r.value])).toEqual([
    ["k", "a"],
    ["k", "ü"],
    ["k", "c"],
  ]);
  seen[0]?.done();
  seen[2]?.done();
  await until(() => committed() === 1, "the first is committed");
  stop.abort();
  await running;
  expect(committed()).toBe(1);

  const again = new AbortController(),
    rest: TopicRecord[] = [];
  const rerun = run(again, rest);
  await until(() => rest.length === 2, "what was not done comes again");
  expect(rest.map((r) => r.value)).toEqual(["ü", "c"]);
  for (const record of rest) record.done();
  again.abort();
  await rerun;
  expect(committed()).toBe(3);
});

test("the worker's settings apply unless other brokers are named", () => {
  const worker = { "bootstrap.servers": "w:1", "consumer.security.protocol": "SSL" };
  const id = { connector: "c", task: 0 };
  expect(topicReaderConfig(worker, { "group.id": "g" }, id)).toEqual({
    "bootstrap.servers": "w:1",
    "security.protocol": "SSL",
    "client.id": "connector-reader-c-0",
    "group.id": "g",
  });
  expect(topicReaderConfig(worker, { "bootstrap.servers": "o:1" }, id)).toEqual({
    "bootstrap.servers": "o:1",
    "client.id": "connector-reader-c-0",
  });
});
