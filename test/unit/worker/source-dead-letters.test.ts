import { beforeEach, expect, test } from "vitest";
import { runSourceTask } from "#connect/worker/source-task";
import type { ConfigMap } from "#connect/worker/types";
import { jsonConverter } from "#plugins/converters/json-converter";
import { type FakeClients, fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";
import { testCatalog } from "../../fakes/plugins.ts";
import { PushedSource, type TestHost, testHost, textRecord, until } from "../../fakes/task-host.ts";

let cluster: FakeCluster;
let clients: FakeClients;
let source: PushedSource;
beforeEach(() => {
  cluster = new FakeCluster();
  clients = fakeKafkaClients(cluster);
  source = new PushedSource();
});
const QUEUE = {
  "errors.tolerance": "all",
  "errors.deadletterqueue.topic.name": "dlq",
  "errors.deadletterqueue.topic.replication.factor": "1",
  "errors.deadletterqueue.context.headers.enable": "true",
};
function hostFor(config: ConfigMap): TestHost {
  const small = testCatalog([source.plugin]);
  const catalog = { ...small, converter: async (c: string) => (c.endsWith(".JsonConverter") ? jsonConverter : small.converter(c)) };
  return testHost(clients, catalog, {
    name: "c",
    "connector.class": "Pushed",
    transforms: "t",
    "transforms.t.type": "test.Suffix$Value",
    ...config,
  });
}
const dead = () => cluster.topics.get("dlq")?.partitions[0] ?? [];

test("what a transform or converter of a source refuses goes to its queue, with the ten headers, and its offset after it", async () => {
  const host = hostFor({ ...QUEUE, "errors.deadletterqueue.source.enable": "true" });
  const run = runSourceTask(host);
  source.push(textRecord("a", 1), textRecord("poison", 2), textRecord("bad", 3));
  await until(() => host.written.at(-1)?.offset?.["position"] === 3, "all offsets are written");
  host.end.abort();
  await run;
  expect(cluster.values("out")).toEqual(["a"]);
  expect(dead().map((r) => JSON.parse(r.value?.toString() ?? ""))).toEqual([
    { schema: { type: "string", optional: false }, payload: "poison" },
    { schema: { type: "string", optional: false }, payload: "bad" },
  ]);
  const headers = dead().map((r) =>
    Object.fromEntries(r.headers.map((h) => [h.key.replace("__connect.errors.", ""), h.value?.toString()])),
  );
  expect(headers[0]).toMatchObject({
    topic: "out",
    partition: '{"from":"p"}',
    offset: '{"position":2}',
    "connector.name": "c",
    "task.id": "0",
    stage: "TRANSFORMATION",
    "class.name": "test.Suffix$Value",
    "exception.class.name": "org.apache.kafka.connect.errors.DataException",
    "exception.message": "poison",
  });
  expect(headers[0]?.["exception.stacktrace"]).toMatch(/^org\.apache\.kafka\.connect\.errors\.DataException: poison\n\tat /);
  expect(Object.keys(headers[1] ?? {})).toHaveLength(10);
  expect(headers[1]).toMatchObject({ stage: "VALUE_CONVERTER", "class.name": "test.TextConverter", offset: '{"position":3}' });
  expect(host.counters.get("deadletterqueue-produce-requests")).toBe(2);
  expect(host.counters.get("total-records-skipped")).toBe(2);
});
test("a record's offset waits until the queue has it", async () => {
  const host = hostFor({ ...QUEUE, "errors.deadletterqueue.source.enable": "true" });
  const run = runSourceTask(host);
  source.push(textRecord("a", 1));
  await until(() => host.written.length === 1, "the first is written");
  cluster.holdAcks = true;
  source.push(textRecord("poison", 2));
  await until(() => host.counters.get("deadletterqueue-produce-requests") === 1, "it is sent");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(host.written.at(-1)?.offset).toEqual({ position: 1 });
  cluster.release();
  await until(() => host.written.at(-1)?.offset?.["position"] === 2, "the offset follows");
  host.end.abort();
  await run;
});
test("without the setting a source skips as Kafka Connect does; with it, the queue needs a name", async () => {
  const host = hostFor(QUEUE);
  const run = runSourceTask(host);
  source.push(textRecord("poison", 1), textRecord("a", 2));
  await until(() => host.written.at(-1)?.offset?.["position"] === 2, "it goes on");
  host.end.abort();
  await run;
  expect(cluster.topics.has("dlq")).toBe(false);
  await expect(runSourceTask(hostFor({ "errors.deadletterqueue.source.enable": "true" }))).rejects.toThrow(
    "errors.deadletterqueue.source.enable needs errors.deadletterqueue.topic.name",
  );
});
