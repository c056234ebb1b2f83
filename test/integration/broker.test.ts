import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  apiVersions,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeConfigs,
  describeTopicPartitions,
  type DescribeTopicPartitionsResponse,
  fetch,
  incrementalAlterConfigs,
  listOffsets,
  metadata,
  produce,
} from "#broker/protocol/messages/index";
import { batchOf, get, makeTopic, put, startTestBroker, type TestBroker, valuesOf } from "./broker-fixture.ts";

let it: TestBroker;
beforeAll(async () => {
  it = await startTestBroker();
});
afterAll(() => it.stop());

describe("broker", () => {
  test("announces what it serves, and Produce from 0 on", async () => {
    const { apiKeys, finalizedFeatures } = await it.client.send(apiVersions, 4, { clientSoftwareName: "t", clientSoftwareVersion: "1" });
    expect(apiKeys.find(({ apiKey }) => apiKey === 0)).toEqual({ apiKey: 0, minVersion: 0, maxVersion: 13 });
    expect(apiKeys.find(({ apiKey }) => apiKey === 1)).toEqual({ apiKey: 1, minVersion: 4, maxVersion: 18 });
    expect(finalizedFeatures.find(({ name }) => name === "metadata.version")?.maxVersionLevel).toBe(27);
  });
  test("records come back as they were sent, in order", async () => {
    await makeTopic(it.client, "round");
    expect(await put(it.client, "round", batchOf(["a", "b"]))).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await put(it.client, "round", batchOf(["c"]), 1)).toMatchObject({ errorCode: 0, baseOffset: 2 });
    const first = await get(it.client, "round", 0);
    expect([valuesOf(first), first.highWatermark, first.logStartOffset]).toEqual([["a", "b", "c"], 3, 0]);
    expect((await get(it.client, "round", 9)).errorCode).toBe(1);
    expect((await get(it.client, "none", 0)).errorCode).toBe(3);
  });
  test("a fetch waits for data and is woken by it", async () => {
    await makeTopic(it.client, "wait");
    const other = await import("../wire/wire-client.ts").then(({ WireClient }) => WireClient.open(it.broker.port));
    const began = performance.now();
    const waiting = get(other, "wait", 0, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await put(it.client, "wait", batchOf(["now"]));
    expect(valuesOf(await waiting)).toEqual(["now"]);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(valuesOf(await get(other, "wait", 1, 30))).toEqual([]);
    other.close();
  });
  test("Produce and Fetch by topic id; an unknown id is told", async () => {
    const topicId = await makeTopic(it.client, "ids");
    const send = (id: string) =>
      it.client.send(produce, 13, {
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ topicId: id, partitionData: [{ index: 0, records: batchOf(["x"]) }] }],
      });
    expect((await send(topicId)).responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    expect((await send("AAAAAAAAAAAAAAAAAAAAZg")).responses[0]?.partitionResponses[0]?.errorCode).toBe(100);
    const read = (id: string, sessionId: number, sessionEpoch: number) =>
      it.client.send(fetch, 13, {
        maxWaitMs: 0,
        minBytes: 1,
        sessionId,
        sessionEpoch,
        topics: sessionEpoch > 0 ? [] : [{ topicId: id, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
      });
    const full = await read(topicId, 0, 0);
    expect(valuesOf(full.responses[0]?.partitions[0])).toEqual(["x"]);
    expect(full.sessionId).toBeGreaterThan(0);
    // The client did not move on: in a session the same data come again, and nothing else.
    expect((await read(topicId, full.sessionId, 1)).responses).toHaveLength(1);
    expect((await read("AAAAAAAAAAAAAAAAAAAAZg", 0, -1)).responses[0]?.partitions[0]?.errorCode).toBe(100);
  });
  test("a topic that is asked for is made, unless the client forbids it or the name is bad", async () => {
    const ask = (name: string, allowAutoTopicCreation: boolean) =>
      it.client.send(metadata, 12, { topics: [{ topicId: undefined, name }], allowAutoTopicCreation }).then(({ topics }) => topics[0]);
    expect(await ask("auto", false)).toMatchObject({ errorCode: 3 });
    expect(await ask("auto", true)).toMatchObject({ errorCode: 0, name: "auto", partitions: [{ leaderId: 1 }] });
    expect(await ask("a b", true)).toMatchObject({ errorCode: 17 });
  });
  test("what a producer does wrong is refused with the right code", async () => {
    await makeTopic(it.client, "compacted", 1, { "cleanup.policy": "compact" });
    await makeTopic(it.client, "small", 1, { "max.message.bytes": "200" });
    expect((await put(it.client, "compacted", batchOf(["no key"]))).errorCode).toBe(87);
    expect((await put(it.client, "compacted", batchOf(["v"], "k"))).errorCode).toBe(0);
    expect((await put(it.client, "small", batchOf(["x".repeat(500)]))).errorCode).toBe(10);
    expect((await put(it.client, "small", batchOf(["x"]), 7)).errorCode).toBe(21);
    expect((await put(it.client, "small", Buffer.alloc(0))).errorCode).toBe(87);
    expect((await put(it.client, "small", Buffer.concat([batchOf(["x"]), batchOf(["y"])]))).errorCode).toBe(87);
    const corrupt = batchOf(["x"]);
    corrupt[corrupt.length - 1] = 0x7f;
    expect((await put(it.client, "small", corrupt)).errorCode).toBe(2);
    expect((await put(it.client, "__consumer_offsets", batchOf(["x"]))).errorCode).toBe(17);
    expect((await get(it.client, "small", 0)).highWatermark).toBe(0);
  });
  test("offsets by time; deleted records are gone", async () => {
    await makeTopic(it.client, "offsets");
    await put(it.client, "offsets", batchOf(["1", "2", "3", "4"]));
    const at = async (timestamp: number) => {
      const { topics } = await it.client.send(listOffsets, 7, {
        replicaId: -1,
        topics: [{ name: "offsets", partitions: [{ partitionIndex: 0, timestamp }] }],
      });
      return topics[0]?.partitions[0]?.offset;
    };
    expect([await at(-2), await at(-1), await at(0), await at(Date.now() + 60_000)]).toEqual([0, 4, 0, -1]);
    const gone = await it.client.send(deleteRecords, 2, {
      topics: [{ name: "offsets", partitions: [{ partitionIndex: 0, offset: 2 }] }],
      timeoutMs: 1000,
    });
    expect(gone.topics[0]?.partitions[0]).toMatchObject({ lowWatermark: 2, errorCode: 0 });
    expect([await at(-2), (await get(it.client, "offsets", 1)).errorCode]).toEqual([2, 1]);
  });
  test("settings are altered step by step and take effect", async () => {
    await makeTopic(it.client, "settings");
    const alter = (name: string, configOperation: number, value: string | null) =>
      it.client
        .send(incrementalAlterConfigs, 1, {
          resources: [{ resourceType: 2, resourceName: "settings", configs: [{ name, configOperation, value }] }],
        })
        .then(({ responses }) => [responses[0]?.errorCode, responses[0]?.errorMessage]);
    const see = async (name: string) => {
      const { results } = await it.client.send(describeConfigs, 4, {
        resources: [{ resourceType: 2, resourceName: "settings", configurationKeys: [name] }],
        includeSynonyms: true,
      });
      const found = results[0]?.configs[0];
      return [found?.value, found?.configSource];
    };
    expect(await see("cleanup.policy")).toEqual(["delete", 5]);
    expect(await alter("cleanup.policy", 2, "compact")).toEqual([0, null]);
    expect(await see("cleanup.policy")).toEqual(["delete,compact", 1]);
    expect(await alter("cleanup.policy", 3, "delete")).toEqual([0, null]);
    expect((await put(it.client, "settings", batchOf(["no key"]))).errorCode).toBe(87);
    expect(await alter("cleanup.policy", 1, null)).toEqual([0, null]);
    expect((await put(it.client, "settings", batchOf(["no key"]))).errorCode).toBe(0);
    expect(await alter("retention.ms", 0, "soon")).toEqual([
      40,
      "Invalid value soon for configuration retention.ms: Not a number of type LONG",
    ]);
    expect(await alter("retention.ms", 2, "1")).toEqual([40, "Can't APPEND to key retention.ms because its type is not LIST."]);
    expect(await alter("nope", 0, "1")).toEqual([40, "Unknown topic config name: nope"]);
  });
  test("topics are described in pages", async () => {
    await makeTopic(it.client, "pages", 5);
    const seen: number[] = [];
    let cursor: DescribeTopicPartitionsResponse["nextCursor"] = null;
    do {
      const page: DescribeTopicPartitionsResponse = await it.client.send(describeTopicPartitions, 0, {
        topics: [{ name: "pages" }],
        responsePartitionLimit: 2,
        cursor,
      });
      seen.push(...(page.topics[0]?.partitions.map(({ partitionIndex }) => partitionIndex) ?? []));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });
  test("everything is there after a restart; a deleted topic made again is empty and has another id", async () => {
    const id = await makeTopic(it.client, "kept", 2, { "retention.ms": "86400000" });
    await put(it.client, "kept", batchOf(["still here"]), -1, 1);
    const { clusterId } = it.broker;
    await it.restart();
    expect(it.broker.clusterId).toBe(clusterId);
    expect(valuesOf(await get(it.client, "kept", 0, 0, 1))).toEqual(["still here"]);
    expect(
      (await it.client.send(deleteTopics, 6, { topics: [{ name: "kept", topicId: undefined }], timeoutMs: 1000 })).responses[0],
    ).toMatchObject({ errorCode: 0, topicId: id });
    expect((await get(it.client, "kept", 0)).errorCode).toBe(3);
    const again = await makeTopic(it.client, "kept", 2);
    expect(again).not.toBe(id);
    expect((await get(it.client, "kept", 0, 0, 1)).highWatermark).toBe(0);
    await it.restart();
    expect((await get(it.client, "kept", 0, 0, 1)).highWatermark).toBe(0);
  });
  test("validate_only changes nothing", async () => {
    const topics = [{ name: "only-asked", numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
    const answer = await it.client.send(createTopics, 7, { topics, timeoutMs: 1000, validateOnly: true });
    expect(answer.topics[0]?.errorCode).toBe(0);
    expect(it.broker.controller.image.topics.has("only-asked")).toBe(false);
  });
});
