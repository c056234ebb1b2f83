/** Operation over the wire: quotas hold a client up, numbers and readiness over HTTP, log levels, a data folder that failed. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { startBroker } from "#broker/broker";
import {
  alterClientQuotas,
  createTopics,
  describeConfigs,
  describeLogDirs,
  fetch as fetchApi,
  incrementalAlterConfigs,
  produce,
} from "#broker/protocol/messages/index";
import { WireClient } from "../wire/wire-client.ts";
import { batchOf, get, makeTopic, propertiesFor, put, startTestBroker, valuesOf } from "./broker-fixture.ts";

const root = mkdtempSync(join(tmpdir(), "broker-operation-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const STORAGE_ERROR = 56;
const THROTTLING_QUOTA_EXCEEDED = 89;

describe("quotas", () => {
  test("are told in the answer and kept by not reading; without one nothing waits", async () => {
    const started = await startTestBroker({ "quota.window.num": "2" });
    const { client } = started;
    await makeTopic(client, "t");
    const quota = async (key: string, value: number, remove = false): Promise<void> => {
      const entity = [{ entityType: "client-id", entityName: null }];
      await client.send(alterClientQuotas, 1, { entries: [{ entity, ops: [{ key, value, remove }] }] });
    };
    const produced = async (): Promise<number> => {
      const topicData = [{ name: "t", partitionData: [{ index: 0, records: batchOf(["x".repeat(10_000)]) }] }];
      return (await client.send(produce, 9, { acks: -1, timeoutMs: 1000, topicData })).throttleTimeMs;
    };
    expect(await produced()).toBe(0);
    await quota("producer_byte_rate", 20_000);
    expect(await produced()).toBe(0);
    expect(await produced()).toBeLessThan(100);
    const throttledMs = await produced();
    expect(throttledMs).toBeGreaterThan(300);
    const before = performance.now();
    await quota("producer_byte_rate", 0, true);
    expect(performance.now() - before).toBeGreaterThan(throttledMs * 0.8);
    expect(await produced()).toBe(0);

    await quota("consumer_byte_rate", 30_000);
    const topics = [{ topic: "t", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }];
    const fetched = () => client.send(fetchApi, 11, { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, sessionEpoch: -1, topics });
    const first = await fetched();
    const second = await fetched();
    // What does not fit is not sent, and not lost: it comes when the time is over.
    expect([first.throttleTimeMs, valuesOf(first.responses[0]?.partitions[0]).length > 0]).toEqual([0, true]);
    expect([second.throttleTimeMs > 0, second.responses.length]).toEqual([true, 0]);
    expect(valuesOf((await fetched()).responses[0]?.partitions[0]).length).toBeGreaterThan(0);
    await started.stop();
  });
  test("of controller mutations refuse what is too much", async () => {
    const started = await startTestBroker({ "controller.quota.window.num": "1" });
    const { client } = started;
    const entity = [{ entityType: "client-id", entityName: null }];
    const ops = [{ key: "controller_mutation_rate", value: 2, remove: false }];
    await client.send(alterClientQuotas, 1, { entries: [{ entity, ops }] });
    const create = (name: string) =>
      client.send(createTopics, 7, { topics: [{ name, numPartitions: 4, replicationFactor: 1, assignments: [], configs: [] }] });
    expect((await create("a")).topics[0]?.errorCode).toBe(0);
    const { throttleTimeMs, topics } = await create("b");
    expect([topics[0]?.errorCode, topics[0]?.errorMessage]).toEqual([THROTTLING_QUOTA_EXCEEDED, "The throttling quota has been exceeded."]);
    expect(throttleTimeMs).toBeGreaterThan(500);
    await started.stop();
  });
});

test("connections beyond max.connections wait for a place", async () => {
  const started = await startTestBroker({ "max.connections": "2" });
  const { broker, client } = started;
  const second = await WireClient.open(broker.port);
  const third = await WireClient.open(broker.port);
  let answered = false;
  const waiting = makeTopic(third, "t").then(() => (answered = true));
  await makeTopic(client, "other");
  expect([answered, broker.metrics().connections]).toEqual([false, 2]);
  second.close();
  await waiting;
  expect(answered).toBe(true);
  third.close();
  await started.stop();
});

test("metrics, health and readiness over HTTP", async () => {
  const started = await startTestBroker({ "metrics.listeners": "http://127.0.0.1:0" });
  const { broker, client } = started;
  await makeTopic(client, "m", 2);
  await put(client, "m", batchOf(["a", "b"]));
  await get(client, "m", 0);
  const base = `http://127.0.0.1:${broker.metricsPort}`;
  const text = await (await fetch(`${base}/metrics`)).text();
  const value = (line: string): number => Number(new RegExp(`^${line.replaceAll(/[{}".]/g, "\\$&")} (.*)$`, "m").exec(text)?.[1]);
  expect(value('kafka_server_brokertopicmetrics_messagesin_total{topic="m"}')).toBe(2);
  expect(value("kafka_server_brokertopicmetrics_messagesin_total")).toBe(2);
  expect(value('kafka_log_log_logendoffset{topic="m",partition="0"}')).toBe(2);
  expect(value('kafka_log_log_size{topic="m",partition="1"}')).toBe(0);
  expect(value('kafka_server_brokertopicmetrics_bytesout_total{topic="m"}')).toBe(value('kafka_log_log_size{topic="m",partition="0"}'));
  expect(value("kafka_server_replicamanager_partitioncount")).toBe(2);
  expect(value("kafka_controller_kafkacontroller_activecontrollercount")).toBe(1);
  expect(value('kafka_network_requestmetrics_requests_total{request="Produce",version="9"}')).toBe(1);
  expect(text.split("\n").filter((line) => line !== "" && !/^(# (HELP|TYPE) )?[a-z_]+(\{[^}]*\})? ?/.test(line))).toEqual([]);
  expect(await (await fetch(`${base}/ready`)).json()).toEqual({ status: "ready" });
  expect((await fetch(`${base}/health`)).status).toBe(200);
  expect((await fetch(`${base}/x`)).status).toBe(404);
  await started.stop();
});

test("log levels are settings of a resource of their own", async () => {
  const started = await startTestBroker();
  const { client } = started;
  const set = async (name: string, value: string | null, configOperation = 0) => {
    const configs = [{ name, value, configOperation }];
    const { responses } = await client.send(incrementalAlterConfigs, 1, { resources: [{ resourceType: 8, resourceName: "1", configs }] });
    return responses[0]?.errorMessage ?? null;
  };
  const level = async (name: string): Promise<string | null | undefined> => {
    const { results } = await client.send(describeConfigs, 4, {
      resources: [{ resourceType: 8, resourceName: "1", configurationKeys: [name] }],
    });
    return results[0]?.configs[0]?.value;
  };
  expect(await level("kafka.network")).toBe("INFO");
  expect(await set("kafka", "DEBUG")).toBeNull();
  expect([await level("kafka.network"), await level("root")]).toEqual(["DEBUG", "INFO"]);
  expect(await set("kafka", null, 1)).toBeNull();
  expect(await level("kafka.network")).toBe("INFO");
  expect(await set("kafka.nothing", "INFO")).toBe("Logger kafka.nothing does not exist!");
  expect(await set("root", "LOUD")).toContain("Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN");
  expect(await set("root", null, 1)).toBe("Removing the log level of the root logger is not allowed");
  await started.stop();
});

test("a data folder that cannot be used at the start: its partitions are offline, the others serve, nothing is made anew", async () => {
  const [a, b] = [join(root, "a"), join(root, "b")];
  const properties = { ...propertiesFor(a), "log.dirs": `${a},${b}` };
  let broker = await startBroker(properties);
  let client = await WireClient.open(broker.port);
  await makeTopic(client, "t", 2);
  for (const partition of [0, 1]) await put(client, "t", batchOf([`of ${partition}`]), -1, partition);
  const lost = broker.logs.ofTopic("t").find(({ logDir }) => logDir === b)?.partition ?? -1;
  client.close();
  await broker.close();
  renameSync(b, `${b}.away`);
  writeFileSync(b, "no folder");

  broker = await startBroker(properties);
  client = await WireClient.open(broker.port);
  expect(lost).toBeGreaterThanOrEqual(0);
  expect((await put(client, "t", batchOf(["x"]), -1, lost)).errorCode).toBe(STORAGE_ERROR);
  expect((await get(client, "t", 0, 0, lost)).errorCode).toBe(STORAGE_ERROR);
  expect((await put(client, "t", batchOf(["x"]), -1, 1 - lost)).errorCode).toBe(0);
  const { results } = await client.send(describeLogDirs, 4, { topics: null });
  expect(results.map(({ logDir, errorCode }) => [logDir, errorCode])).toEqual([
    [a, 0],
    [b, STORAGE_ERROR],
  ]);
  client.close();
  await broker.close();
  rmSync(b);
  renameSync(`${b}.away`, b);

  broker = await startBroker(properties);
  client = await WireClient.open(broker.port);
  expect(valuesOf(await get(client, "t", 0, 0, lost))).toEqual([`of ${lost}`]);
  client.close();
  await broker.close();
});

test("a stop answers what has begun, long polls at once, and takes nothing new", async () => {
  const started = await startTestBroker();
  await makeTopic(started.client, "t");
  const before = performance.now();
  const polled = get(started.client, "t", 0, 30_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stopped = started.broker.close();
  expect((await polled).errorCode).toBe(0);
  await stopped;
  expect(performance.now() - before).toBeLessThan(5000);
  await expect(WireClient.open(started.broker.port)).rejects.toThrow();
  await started.stop();
});
