import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { decodeHashMap } from "#connect/store/java-hash-map";
import { fileOffsetStore } from "#connect/store/offset-file";
import { offsetKey } from "#connect/store/offset-json";
import { memoryOffsetStore } from "#connect/store/offset-memory";
import { topicOffsetStore } from "#connect/store/offset-topic";
import type { OffsetStore } from "#connect/worker/types";
import { fakeKafkaClients } from "../../fakes/kafka-clients.ts";
import { FakeCluster } from "../../fakes/kafka-cluster.ts";

const topicStore = (cluster: FakeCluster): OffsetStore =>
  topicOffsetStore({
    clients: fakeKafkaClients(cluster),
    topic: "offsets",
    partitions: 3,
    replicationFactor: 1,
    setting: "offset.storage.topic",
    adminConfig: {},
    producerConfig: {},
    consumerConfig: {},
    clock: systemClock,
    log: silentLogger,
  });
async function fileIn(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "offsets-")), "connect.offsets");
}

describe.each([
  ["memory", async () => memoryOffsetStore()],
  ["file", async () => fileOffsetStore(await fileIn())],
  ["topic", async () => topicStore(new FakeCluster())],
])("the %s offset store", (_name, open) => {
  test("reads what was written, by content of the partition, and forgets what was removed", async () => {
    const store = await open();
    await store.start();
    await store.write("c", [
      { partition: { server: "a", database: "b" }, offset: { lsn: 9007199254740993n, snapshot: true } },
      { partition: { server: "z" }, offset: { lsn: 1 } },
    ]);
    await store.write("other", [{ partition: { server: "z" }, offset: { lsn: 2 } }]);
    expect(await store.read("c", [{ database: "b", server: "a" }, { server: "?" }])).toEqual([
      { lsn: 9007199254740993n, snapshot: true },
      null,
    ]);
    expect(await store.list("c")).toHaveLength(2);
    await store.write("c", [{ partition: { server: "z" }, offset: null }]);
    expect(await store.list("c")).toEqual([
      { partition: { server: "a", database: "b" }, offset: { lsn: 9007199254740993n, snapshot: true } },
    ]);
    expect(await store.list("other")).toHaveLength(1);
    await store.close();
  });
});

describe("the topic's format", () => {
  test("is Kafka Connect's, and the key bytes of another writer are kept", async () => {
    const cluster = new FakeCluster();
    cluster.create({ name: "offsets", partitions: 1, replicationFactor: 1, configs: { "cleanup.policy": "compact" } });
    cluster.produce("offsets", '["c",{"z":1,"a":"x"}]', '{"pos":1}');
    const store = topicStore(cluster);
    await store.start();
    expect(await store.read("c", [{ a: "x", z: 1 }])).toEqual([{ pos: 1 }]);
    await store.write("c", [
      { partition: { a: "x", z: 1 }, offset: { pos: 2 } },
      { partition: { filename: "/f" }, offset: { position: 12345678901234567890n } },
    ]);
    const records = cluster.topic("offsets").partitions[0] ?? [];
    expect(records.slice(1).map((r) => [r.key?.toString(), r.value?.toString()])).toEqual([
      ['["c",{"z":1,"a":"x"}]', '{"pos":2}'],
      ['["c",{"filename":"/f"}]', '{"position":12345678901234567890}'],
    ]);
    await store.close();
  });

  test("records that are no offsets are passed over", async () => {
    const cluster = new FakeCluster();
    cluster.create({ name: "offsets", partitions: 1, replicationFactor: 1, configs: { "cleanup.policy": "compact" } });
    cluster.produce("offsets", "garbage", "1");
    cluster.produce("offsets", '["c",{"p":1}]', '{"o":{"nested":1}}');
    cluster.produce("offsets", '["c",{"p":2}]', '{"o":1}');
    const store = topicStore(cluster);
    await store.start();
    expect(await store.list("c")).toEqual([{ partition: { p: 2 }, offset: { o: 1 } }]);
    await store.close();
  });
});

describe("the offset file", () => {
  test("survives a restart", async () => {
    const path = await fileIn();
    const store = fileOffsetStore(path);
    await store.start();
    await store.write("c", [{ partition: { p: "],{" }, offset: { o: "x" } }]);
    await store.close();
    const again = fileOffsetStore(path);
    await again.start();
    expect(await again.list("c")).toEqual([{ partition: { p: "],{" }, offset: { o: "x" } }]);
  });
  test("is a Java worker's serialised map; what is no offset in it is kept", async () => {
    const path = await fileIn();
    // Written by java.io.ObjectOutputStream: {["c",{"p":1}] -> {"o":2}, "foreign" -> null}.
    const java =
      "rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcAUH2sHDFmDRAwACRgAKbG9hZEZhY3RvckkACXRocmVzaG9sZHhwP0AAAAAAAAx3CAAAABAAAAACdXIAAltCrPMX+AYIVOACAAB4cAAAAAdmb3JlaWducHVxAH4AAgAAAA1bImMiLHsicCI6MX1ddXEAfgACAAAAB3sibyI6Mn14";
    await writeFile(path, Buffer.from(java, "base64"));
    const store = fileOffsetStore(path);
    await store.start();
    expect(await store.list("c")).toEqual([{ partition: { p: 1 }, offset: { o: 2 } }]);
    await store.write("c", [{ partition: { p: 1 }, offset: { o: 3 } }]);
    const pairs = decodeHashMap(await readFile(path)).map(([k, v]) => [k.toString(), v?.toString() ?? null]);
    expect(new Map(pairs.map(([k, v]) => [k, v]))).toEqual(
      new Map([
        ["foreign", null],
        ['["c",{"p":1}]', '{"o":3}'],
      ]),
    );
  });
  test("of a former version, JSON lines, is read", async () => {
    const path = await fileIn();
    await writeFile(path, '[["c",{"p":1}],{"o":2}]\n');
    const store = fileOffsetStore(path);
    await store.start();
    expect(await store.list("c")).toEqual([{ partition: { p: 1 }, offset: { o: 2 } }]);
  });
  test("that is damaged is refused and left as it is", async () => {
    const path = await fileIn();
    await writeFile(path, Buffer.from([0xac, 0xed, 0, 5]));
    await expect(fileOffsetStore(path).start()).rejects.toThrow("is damaged");
    await writeFile(path, "half a li");
    await expect(fileOffsetStore(path).start()).rejects.toThrow("is damaged at: half a li");
    expect(await readFile(path, "utf8")).toBe("half a li");
  });
});

test("a key has the order of java.util.HashMap whatever the order of the partition's members", () => {
  const wanted = '["c",{"server":"s","database":"d"}]';
  expect(offsetKey("c", { server: "s", database: "d" })).toBe(wanted);
  expect(offsetKey("c", { database: "d", server: "s" })).toBe(wanted);
  expect(offsetKey("c", { cluster: "k", topic: "t", partition: 0 })).toBe('["c",{"cluster":"k","partition":0,"topic":"t"}]');
});
