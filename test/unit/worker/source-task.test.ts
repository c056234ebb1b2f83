import { beforeEach, describe, expect, test } from "vitest";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { RetriableError } from "#connect/api/errors";
import { causeClassOf } from "#connect/worker/cause-class";
import { runSourceTask } from "#connect/worker/source-task";
import { traceOf } from "#connect/worker/trace";
import type { ConfigMap, OffsetStore } from "#connect/worker/types";
import { memoryOffsetStore } from "#connect/store/offset-memory";
import { type FakeClients, fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";
import { testCatalog, textConverter } from "../../fakes/plugins.ts";
import { PushedSource, type TestHost, testHost, textRecord, until } from "../../fakes/task-host.ts";

let cluster: FakeCluster;
let clients: FakeClients;
let source: PushedSource;
beforeEach(() => {
  cluster = new FakeCluster();
  clients = fakeKafkaClients(cluster);
  source = new PushedSource();
});
function hostFor(config: ConfigMap = {}, options: { worker?: ConfigMap; store?: OffsetStore; retries?: number } = {}): TestHost {
  const catalog = testCatalog([source.plugin], textConverter(options.retries ?? 0));
  return testHost(clients, catalog, { name: "c", "connector.class": "Pushed", ...config }, options);
}
const messages = (trace: string): string[] => trace.split("\n").filter((l) => l !== "" && !l.startsWith("\tat"));
async function failureOf(run: Promise<void>): Promise<string> {
  try {
    await run;
  } catch (error) {
    return traceOf(error);
  }
  return "no failure";
}

describe("a source task", () => {
  test("writes records in order, commits their offsets, then tells the source", async () => {
    const host = hostFor();
    const run = runSourceTask(host);
    source.push(textRecord("a", 1), textRecord("b", 2));
    source.push(textRecord(null, 3));
    await until(() => source.durable.length > 0 && host.written.length > 0 && cluster.topics.has("out"), "offsets are durable");
    await until(() => host.written.at(-1)?.offset?.["position"] === 3, "all offsets are written");
    host.end.abort();
    await run;
    expect(cluster.values("out")).toEqual(["a", "b", null]);
    expect(host.written.at(-1)).toEqual({ partition: { from: "p" }, offset: { position: 3 } });
    expect(source.durable.at(-1)).toEqual({ partition: { from: "p" }, offset: { position: 3 } });
    expect(source.calls).toEqual(["start", "stop"]);
    expect(host.states).toEqual(["RUNNING"]);
    expect(host.topics).toEqual(["out"]);
    expect(host.counters.get("source-record-write-total")).toBe(3);
    expect(clients.producers.every((p) => p.closed)).toBe(true);
  });

  test("never passes an unacknowledged record, and commits it once it is acknowledged", async () => {
    cluster.holdAcks = true;
    const host = hostFor();
    const run = runSourceTask(host);
    source.push(textRecord("a", 1));
    await until(() => clients.producers[0] !== undefined && clients.producers[0].bufferedBytes > 0, "the record is sent");
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(host.written).toEqual([]);
    expect(source.durable).toEqual([]);
    cluster.release();
    await until(() => source.durable.length === 1, "the offset is durable");
    host.end.abort();
    await run;
  });

  test("an offset write that fails is made again, and the source hears nothing before", async () => {
    const memory = memoryOffsetStore();
    let failures = 2;
    const store: OffsetStore = {
      ...memory,
      write: (c, entries) => (failures-- > 0 ? Promise.reject(new Error("store away")) : memory.write(c, entries)),
    };
    const host = hostFor({}, { store });
    const run = runSourceTask(host);
    source.push(textRecord("a", 7));
    await until(() => host.counters.get("offset-commit-failure-total") === 2, "two writes have failed");
    expect(source.durable).toEqual([]);
    await until(() => source.durable.length === 1, "the third succeeds");
    expect(await memory.read("c", [{ from: "p" }])).toEqual([{ position: 7 }]);
    host.end.abort();
    await run;
  });

  test("a producer error fails the task; the offsets before it are committed, none after", async () => {
    const host = hostFor({ "producer.override.batch.size": "10" });
    const run = failureOf(runSourceTask(host));
    source.push(textRecord("a", 1));
    await until(() => host.written.length === 1, "the first is committed");
    cluster.produceError = () => new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    source.push(textRecord("b", 2));
    expect(messages(await run)).toEqual([
      "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback",
      "Caused by: org.apache.kafka.common.errors.TopicAuthorizationFailedException: TOPIC_AUTHORIZATION_FAILED",
    ]);
    expect(host.written).toEqual([{ partition: { from: "p" }, offset: { position: 1 } }]);
    expect(source.calls).toEqual(["start", "stop"]);
  });

  test.each([
    [ErrorCode.MESSAGE_TOO_LARGE, "data"],
    [ErrorCode.TOPIC_AUTHORIZATION_FAILED, "config"],
    [ErrorCode.NOT_ENOUGH_REPLICAS, "transient"],
  ] as const)("whether it starts again after error %i of the producer is decided by the class %s", async (code, causeClass) => {
    cluster.produceError = () => new KafkaError(code);
    source.push(textRecord("a", 1));
    const failure: unknown = await runSourceTask(hostFor()).catch((error: unknown) => error);
    expect(causeClassOf(failure)).toBe(causeClass);
  });

  test("a record that a converter refuses fails the task after the ones before it were written and committed", async () => {
    const host = hostFor();
    source.push(textRecord("a", 1), textRecord("bad", 2), textRecord("c", 3));
    expect(messages(await failureOf(runSourceTask(host)))).toEqual([
      "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler",
      "Caused by: org.apache.kafka.connect.errors.DataException: the value is bad",
    ]);
    expect(cluster.values("out")).toEqual(["a"]);
    expect(host.written).toEqual([{ partition: { from: "p" }, offset: { position: 1 } }]);
  });

  test("errors.tolerance=all skips it, counts it, and does not commit its own offset", async () => {
    const host = hostFor({ "errors.tolerance": "all", "errors.log.enable": "true" });
    const run = runSourceTask(host);
    source.push(textRecord("bad", 1));
    await until(() => host.counters.get("total-records-skipped") === 1, "it is skipped");
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(host.written).toEqual([]);
    source.push(textRecord("b", 2));
    await until(() => host.written.length === 1, "the next is committed");
    expect(cluster.values("out")).toEqual(["b"]);
    expect(host.lines).toContain("ERROR Error encountered in task c-0. Executing stage 'VALUE_CONVERTER' with class 'test.TextConverter'.");
    host.end.abort();
    await run;
  });

  test("errors.retry.timeout repeats a retriable failure of the stage", async () => {
    const host = hostFor({ "errors.retry.timeout": "60000", "errors.retry.delay.max.ms": "20" }, { retries: 3 });
    const run = runSourceTask(host);
    source.push(textRecord("later", 1));
    await until(() => host.written.length === 1, "it went through");
    expect(host.counters.get("total-retries")).toBe(3);
    expect(cluster.values("out")).toEqual(["later"]);
    host.end.abort();
    await run;
  });

  test("transforms run in order with their predicates; a dropped record's offset is committed", async () => {
    const host = hostFor({
      transforms: "one, two",
      "transforms.one.type": "test.Suffix$Value",
      "transforms.one.suffix": "1",
      "transforms.one.predicate": "isA",
      "transforms.two.type": "test.Suffix$Value",
      "transforms.two.suffix": "2",
      "transforms.two.predicate": "isA",
      "transforms.two.negate": "true",
      predicates: "isA",
      "predicates.isA.type": "StartsWith",
      "predicates.isA.prefix": "a",
    });
    const run = runSourceTask(host);
    source.push(textRecord("a", 1), textRecord("b", 2), textRecord("drop", 3));
    await until(() => host.written.at(-1)?.offset?.["position"] === 3, "the dropped one is committed");
    expect(cluster.values("out")).toEqual(["a1", "b2"]);
    host.end.abort();
    await run;
  });

  test("polls again after a RetriableError, and fails on another", async () => {
    const host = hostFor();
    const run = failureOf(runSourceTask(host));
    source.fail(new RetriableError("database away"));
    source.push(textRecord("a", 1));
    await until(() => host.written.length === 1, "the record after the pause is committed");
    source.fail(new Error("broken"));
    expect(messages(await run)).toEqual(["Error: broken"]);
    expect(source.calls).toEqual(["start", "stop"]);
  });

  test("pauses and resumes; a task created paused does not start", async () => {
    const host = hostFor();
    host.target.set("PAUSED");
    const run = runSourceTask(host);
    await until(() => host.states.includes("PAUSED"), "it is paused");
    expect(source.calls).toEqual([]);
    host.target.set("STARTED");
    source.push(textRecord("a", 1));
    await until(() => cluster.topics.has("out") && cluster.values("out").length === 1, "it runs");
    host.target.set("PAUSED");
    await until(() => host.states.length === 3, "it is paused again");
    source.push(textRecord("b", 2));
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(cluster.values("out")).toEqual(["a"]);
    host.target.set("STARTED");
    await until(() => cluster.values("out").length === 2, "it goes on");
    expect(host.states).toEqual(["PAUSED", "RUNNING", "PAUSED", "RUNNING"]);
    host.end.abort();
    await run;
  });

  test("waits for room in the producer, and stops while waiting without passing what it did not send", async () => {
    cluster.holdAcks = true;
    const host = hostFor({ "producer.override.buffer.memory": "200", "producer.override.batch.size": "50" });
    const run = runSourceTask(host);
    source.push(...Array.from({ length: 100 }, (_, i) => textRecord(`record-${i}`, i)));
    await until(() => (clients.producers[0]?.bufferedBytes ?? 0) >= 200, "the buffer is full");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(clients.producers[0]?.bufferedBytes).toBeLessThan(300);
    host.end.abort();
    await run;
    expect(host.written).toEqual([]);
  });
});

describe("topics of a source task", () => {
  test("are created with the group that takes them (KIP-158), once", async () => {
    const host = hostFor({
      "topic.creation.default.replication.factor": "1",
      "topic.creation.default.partitions": "2",
      "topic.creation.groups": "big",
      "topic.creation.big.include": "big.*",
      "topic.creation.big.partitions": "5",
      "topic.creation.big.cleanup.policy": "compact",
    });
    const run = runSourceTask(host);
    source.push(textRecord("a", 1, "bigger"), textRecord("b", 2, "small"), textRecord("c", 3, "bigger"));
    await until(() => host.written.at(-1)?.offset?.["position"] === 3, "all are committed");
    expect(cluster.topic("bigger").partitions.length).toBe(5);
    expect(cluster.topic("bigger").configs).toEqual({ "cleanup.policy": "compact" });
    expect(cluster.topic("bigger").replicationFactor).toBe(1);
    expect(cluster.topic("small").partitions.length).toBe(2);
    host.end.abort();
    await run;
  });
});
