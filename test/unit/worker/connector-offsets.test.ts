import { beforeEach, describe, expect, test } from "vitest";
import { javaClassOf } from "#connect/worker/trace";
import type { Admin } from "#broker/client/types";
import { memoryOffsetStore } from "#connect/store/offset-memory";
import { alterSinkOffsets, alterSourceOffsets, resetSinkOffsets, sinkOffsets } from "#connect/worker/connector-offsets";
import type { OffsetStore, RequestedOffset } from "#connect/worker/types";
import { fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";
import { CollectingSink, PushedSource } from "../../fakes/task-host.ts";

const EXTERNAL = "However, if this connector manages offsets externally";
const sink = new CollectingSink().plugin;
let cluster: FakeCluster;
let admin: Admin;
beforeEach(async () => {
  cluster = new FakeCluster();
  admin = await fakeKafkaClients(cluster).admin({});
  cluster.create({ name: "t", partitions: 2, replicationFactor: 1 });
});

describe("offsets of sinks", () => {
  const alter = (...offsets: RequestedOffset[]): Promise<string> => alterSinkOffsets("c", {}, sink, admin, offsets);
  const at = (partition: number | string, offset: number | string | null): RequestedOffset => ({
    partition: { kafka_topic: "t", kafka_partition: partition },
    offset: offset === null ? null : { kafka_offset: offset },
  });
  test("are set, removed and shown; numbers may come as text; the last of several wins", async () => {
    expect(await alter(at(0, 1), at("1", "5"), at(0, 2))).toContain(EXTERNAL);
    expect(await sinkOffsets("c", {}, admin)).toEqual([
      { partition: { kafka_partition: 0, kafka_topic: "t" }, offset: { kafka_offset: 2 } },
      { partition: { kafka_partition: 1, kafka_topic: "t" }, offset: { kafka_offset: 5 } },
    ]);
    await alter(at(0, null));
    expect(await sinkOffsets("c", {}, admin)).toHaveLength(1);
    expect(await alterSinkOffsets("c", {}, { ...sink, alterOffsets: () => true }, admin, [at(0, 1)])).toBe(
      "The offsets for this connector have been altered successfully",
    );
  });
  test.each<[string, RequestedOffset]>([
    ["The partition for a sink connector offset cannot be null or missing", { partition: null, offset: { kafka_offset: 1 } }],
    ["must contain the keys 'kafka_topic' and 'kafka_partition'", { partition: { kafka_topic: "t" }, offset: { kafka_offset: 1 } }],
    ["Failed to parse the following Kafka partition value in the provided offsets: 'x'", at("x", 1)],
    ["Failed to parse the following Kafka offset value in the provided offsets: 'x'", at(0, "x")],
    [
      "should either be null or contain the key 'kafka_offset'",
      { partition: { kafka_topic: "t", kafka_partition: 0 }, offset: { other: 1 } },
    ],
  ])("a client's mistake is answered as one: %s", async (message, offset) => {
    const error: unknown = await alter(offset).catch((e: unknown) => e);
    expect(String(error)).toContain(message);
    expect(javaClassOf(error)).toBe("org.apache.kafka.connect.runtime.rest.errors.BadRequestException");
  });
  test("what the group refuses is told with Kafka's sentences", async () => {
    await expect(alter(at(0, -5))).rejects.toThrow("Failed to modify offsets for sink connector c");
    await expect(alter(at(7, 1))).rejects.toThrow(/^Failed to alter consumer group offsets for connector c$/);
    cluster.groups.set("connect-c", [{ topics: ["t"], rebalance: () => {} }]);
    await expect(alter(at(0, 1))).rejects.toThrow("either because its tasks haven't stopped completely yet");
  });
  test("a reset of nothing is fine; the group's name may be overridden", async () => {
    const config = { "consumer.override.group.id": "mine" };
    await alterSinkOffsets("c", config, sink, admin, [at(0, 3)]);
    expect(cluster.offsetsOf("mine").size).toBe(1);
    await resetSinkOffsets("c", config, sink, admin);
    expect(await resetSinkOffsets("c", config, sink, admin)).toContain("have been reset successfully");
    expect(cluster.offsetsOf("mine").size).toBe(0);
  });
});

describe("offsets of sources", () => {
  const plugin = new PushedSource().plugin;
  let store: OffsetStore;
  beforeEach(async () => {
    store = memoryOffsetStore();
    await store.write("c", [{ partition: { p: 1 }, offset: { o: 1 } }]);
  });
  test("are set and reset; the message depends on whether the connector vouches for them", async () => {
    expect(await alterSourceOffsets("c", {}, plugin, store, [{ partition: { p: 2 }, offset: { o: 9 } }])).toContain(EXTERNAL);
    expect(await store.list("c")).toHaveLength(2);
    const vouching = { ...plugin, alterOffsets: () => true };
    expect(await alterSourceOffsets("c", {}, vouching, store, null)).toBe("The offsets for this connector have been reset successfully");
    expect(await store.list("c")).toEqual([]);
  });
  test("a connector's refusal leaves them as they are", async () => {
    const refusing = {
      ...plugin,
      alterOffsets: () => {
        throw new Error("no");
      },
    };
    await expect(alterSourceOffsets("c", {}, refusing, store, null)).rejects.toThrow("no");
    expect(await store.list("c")).toHaveLength(1);
  });
});
