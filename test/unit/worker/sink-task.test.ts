import { beforeEach, describe, expect, test } from "vitest";
import { ConnectError, RetriableError } from "#connect/api/errors";
import { runSinkTask } from "#connect/worker/sink-task";
import { traceOf } from "#connect/worker/trace";
import type { ConfigMap } from "#connect/worker/types";
import { type FakeClients, fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";
import { testCatalog, textConverter } from "../../fakes/plugins.ts";
import { CollectingSink, type TestHost, testHost, until } from "../../fakes/task-host.ts";

let cluster: FakeCluster;
let clients: FakeClients;
let sink: CollectingSink;
beforeEach(() => {
  cluster = new FakeCluster();
  clients = fakeKafkaClients(cluster);
  sink = new CollectingSink();
  cluster.create({ name: "in", partitions: 2, replicationFactor: 1 });
});
function hostFor(config: ConfigMap = {}, worker: ConfigMap = {}, retries = 0): TestHost {
  const catalog = testCatalog([sink.plugin], textConverter(retries));
  return testHost(clients, catalog, { name: "c", "connector.class": "Collecting", topics: "in", ...config }, { worker });
}
const committed = (partition = 0): number | undefined => cluster.offsetsOf("connect-c").get(`in-${partition}`)?.offset;
const messages = (trace: string): string[] => trace.split("\n").filter((l) => l !== "" && !l.startsWith("\tat"));
async function failureOf(run: Promise<void>): Promise<string> {
  try {
    await run;
  } catch (error) {
    return traceOf(error);
  }
  return "no failure";
}
async function stopped(host: TestHost, run: Promise<void>): Promise<void> {
  host.end.abort();
  await run;
}

describe("a sink task", () => {
  test("puts records with their origin, flushes, then commits", async () => {
    const host = hostFor();
    const run = runSinkTask(host);
    cluster.produce("in", "k", "v", 1, [{ key: "h", value: Buffer.from("x") }]);
    await until(() => committed(1) === 1, "the offset is committed");
    expect(sink.records).toMatchObject([
      { topic: "in", partition: 1, offset: 0, key: "k", value: "v", timestamp: 1_700_000_000_000, originalTopic: "in", originalOffset: 0 },
    ]);
    expect(sink.records[0]?.headers).toMatchObject([{ key: "h", value: "x" }]);
    await stopped(host, run);
    expect(sink.calls).toEqual(["start", "opened in-0,in-1", "flush", "closed in-0,in-1", "stop"]);
    expect(host.topics).toEqual(["in"]);
    const config = clients.configs.find((c) => c.kind === "consumer")?.config;
    expect(config).toMatchObject({ "group.id": "connect-c", "enable.auto.commit": "false", "auto.offset.reset": "earliest" });
  });

  test("commits what was put when it is stopped before the interval", async () => {
    const host = hostFor({}, { "offset.flush.interval.ms": "60000" });
    const run = runSinkTask(host);
    cluster.produce("in", null, "v");
    await until(() => sink.records.length === 1, "it was put");
    expect(committed()).toBeUndefined();
    await until(() => host.counters.get("sink-record-active-count") === 1, "it counts as not committed yet");
    await stopped(host, run);
    expect(committed()).toBe(1);
    expect(host.counters.get("sink-record-active-count")).toBe(0);
  });

  test("RetriableError: the same batch again after a pause, later records wait, nothing is committed meanwhile", async () => {
    let refusals = 2;
    const attempts: unknown[][] = [];
    sink.onPut = (records) => {
      attempts.push(records.map((r) => r.value));
      if (refusals-- > 0) throw new RetriableError("destination away");
    };
    const host = hostFor();
    const run = runSinkTask(host);
    cluster.produce("in", null, "a");
    await until(() => attempts.length === 1, "the first attempt");
    cluster.produce("in", null, "b");
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(committed()).toBeUndefined();
    await until(() => committed() === 2, "both are committed");
    expect(attempts).toEqual([["a"], ["a"], ["a"], ["b"]]);
    expect(host.counters.get("total-retries")).toBe(2);
    await stopped(host, run);
  });

  test("another error of put fails the task with Kafka's sentence and commits nothing of that batch", async () => {
    sink.onPut = (records) => {
      if (records.some((r) => r.value === "b")) throw new ConnectError("no such table");
    };
    const host = hostFor();
    const run = failureOf(runSinkTask(host));
    cluster.produce("in", null, "a");
    await until(() => sink.records.length === 1, "the first was put");
    cluster.produce("in", null, "b");
    expect(messages(await run)).toEqual([
      "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.",
      "Caused by: org.apache.kafka.connect.errors.ConnectException: no such table",
    ]);
    expect(committed()).toBe(1);
    expect(sink.calls.at(-1)).toBe("stop");
  });

  test("a flush that fails brings back everything since the last commit", async () => {
    let failures = 1;
    sink.onFlush = () => {
      if (failures-- > 0) throw new Error("disk full");
    };
    const host = hostFor();
    const run = runSinkTask(host);
    cluster.produce("in", null, "a");
    await until(() => committed() === 1, "it is committed in the end");
    expect(sink.values).toEqual(["a", "a"]);
    await stopped(host, run);
  });

  test("none: the first bad record fails the task, and nothing of its poll is put", async () => {
    cluster.produce("in", null, "good");
    cluster.produce("in", null, "bad");
    expect(messages(await failureOf(runSinkTask(hostFor())))).toEqual([
      "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler",
      "Caused by: org.apache.kafka.connect.errors.DataException: the value is bad",
    ]);
    expect(sink.records).toEqual([]);
    expect(committed()).toBeUndefined();
  });

  test("pauses and resumes", async () => {
    const host = hostFor();
    const run = runSinkTask(host);
    await until(() => sink.calls.length === 2, "it has partitions");
    host.target.set("PAUSED");
    await until(() => host.states.includes("PAUSED"), "it is paused");
    cluster.produce("in", null, "a");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sink.records).toEqual([]);
    host.target.set("STARTED");
    await until(() => sink.records.length === 1, "it goes on");
    expect(host.states).toEqual(["RUNNING", "PAUSED", "RUNNING"]);
    await stopped(host, run);
  });

  test("gives partitions up to another member after committing them", async () => {
    const host = hostFor({}, { "offset.flush.interval.ms": "60000" });
    const run = runSinkTask(host);
    cluster.produce("in", null, "a", 1);
    await until(() => sink.records.length === 1, "it was put");
    const other = new CollectingSink();
    const catalog = testCatalog([other.plugin]);
    const second = testHost(clients, catalog, { name: "c", "connector.class": "Collecting", topics: "in" });
    const secondRun = runSinkTask(second);
    await until(() => sink.calls.includes("closed in-1"), "the partition is given up");
    expect(committed(1)).toBe(1);
    await until(() => other.calls.includes("opened in-1"), "the other has it");
    cluster.produce("in", null, "b", 1);
    await until(() => other.records.length === 1, "the other goes on");
    expect(other.values).toEqual(["b"]);
    await stopped(second, secondRun);
    await stopped(host, run);
  });

  test("seek takes effect after the put", async () => {
    let sought = false;
    sink.onPut = () => {
      if (!sought) sink.context?.seek({ topic: "in", partition: 0 }, 0);
      sought = true;
    };
    const host = hostFor();
    const run = runSinkTask(host);
    cluster.produce("in", null, "a");
    await until(() => sink.records.length === 2, "it comes again");
    await until(() => committed() === 1, "and is committed");
    await stopped(host, run);
  });
});

describe("the dead letter queue", () => {
  const dlq: ConfigMap = {
    "errors.tolerance": "all",
    "errors.deadletterqueue.topic.name": "dlq",
    "errors.deadletterqueue.topic.replication.factor": "1",
    "errors.deadletterqueue.context.headers.enable": "true",
  };
  test("gets the raw record with its headers and Kafka's ten; the good ones go on", async () => {
    const host = hostFor(dlq);
    const run = runSinkTask(host);
    cluster.produce("in", "k", "bad", 0, [{ key: "orig", value: Buffer.from("h") }]);
    cluster.produce("in", "k", "good");
    await until(() => committed() === 2, "both are passed");
    expect(sink.values).toEqual(["good"]);
    const record = cluster.topic("dlq").partitions[0]?.[0];
    expect(record?.value?.toString()).toBe("bad");
    expect(record?.timestamp).toBe(1_700_000_000_000);
    const headers = (record?.headers ?? []).map((h) => [h.key, Buffer.from(h.value ?? []).toString()]);
    expect(headers.slice(0, 10)).toEqual([
      ["orig", "h"],
      ["__connect.errors.topic", "in"],
      ["__connect.errors.partition", "0"],
      ["__connect.errors.offset", "0"],
      ["__connect.errors.connector.name", "c"],
      ["__connect.errors.task.id", "0"],
      ["__connect.errors.stage", "VALUE_CONVERTER"],
      ["__connect.errors.class.name", "test.TextConverter"],
      ["__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"],
      ["__connect.errors.exception.message", "the value is bad"],
    ]);
    expect(headers[10]?.[1]).toMatch(/^org\.apache\.kafka\.connect\.errors\.DataException: the value is bad\n\tat /);
    await stopped(host, run);
  });

  test("gets the failing record also where errors.tolerance is none", async () => {
    cluster.produce("in", null, "bad");
    await failureOf(runSinkTask(hostFor({ ...dlq, "errors.tolerance": "none" })));
    expect(cluster.values("dlq")).toEqual(["bad"]);
    expect(committed()).toBeUndefined();
  });

  test("takes what the sink reports; the offset waits for it", async () => {
    sink.onPut = async (records) => {
      for (const r of records) await sink.context?.reportErrant?.(r, new ConnectError("refused by the table"));
    };
    const host = hostFor(dlq);
    const run = runSinkTask(host);
    cluster.produce("in", "k", "v");
    await until(() => committed() === 1, "it is passed");
    const headers = cluster.topic("dlq").partitions[0]?.[0]?.headers ?? [];
    const stage = headers.find((h) => h.key === "__connect.errors.stage");
    expect(Buffer.from(stage?.value ?? []).toString()).toBe("TASK_PUT");
    await stopped(host, run);
  });

  test("that cannot be written fails the task, and the offset is not passed", async () => {
    cluster.produceError = (topic) => (topic === "dlq" ? new Error("no space") : null);
    const host = hostFor(dlq);
    const run = failureOf(runSinkTask(host));
    cluster.produce("in", "k", "bad");
    expect(messages(await run)[0]).toBe("org.apache.kafka.connect.errors.ConnectException: Could not write to dead letter queue dlq");
    expect(committed()).toBeUndefined();
  });
});
