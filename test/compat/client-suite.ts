/** Producer, consumer and admin against real brokers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { Admin, ConsumedRecord, Consumer, TopicPartition } from "#broker/client/types";
import { ErrorCode } from "#broker/protocol/errors";
import { type BrokerKind, type TestBroker, title } from "./client-brokers.ts";

const clients = createKafkaClients();
const bytes = (text: string): Buffer => Buffer.from(text);
const text = (value: Uint8Array | null): string | null => (value === null ? null : Buffer.from(value).toString());

/** Reads until `count` records are there (fails after ten seconds). */
async function read(consumer: Consumer, count: number): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  for (const end = Date.now() + 10_000; records.length < count && Date.now() < end; ) records.push(...(await consumer.poll(500)));
  expect(records.length).toBe(count);
  return records;
}

/** `port`: the first of the ports that the broker may use. */
export function clientSuite(kind: BrokerKind, port: number): void {
  describe.skipIf(kind.skipped !== "")(`client over ${title(kind)}`, { timeout: 60_000 }, () => {
    let broker: TestBroker;
    let admin: Admin;
    let base: Record<string, string>;
    let topics = 0;
    const newTopic = async (partitions = 1, configs: Record<string, string> = {}): Promise<string> => {
      const name = `topic-${topics++}`;
      await admin.createTopics([{ name, partitions, replicationFactor: 1, configs }]);
      return name;
    };
    const reader = async (topic: string, partition = 0, more: Record<string, string> = {}): Promise<Consumer> => {
      const consumer = await clients.consumer({ ...base, "auto.offset.reset": "earliest", ...more });
      consumer.assign([{ topic, partition }]);
      return consumer;
    };
    beforeAll(async () => {
      broker = await kind.start(port);
      base = { "bootstrap.servers": broker.bootstrap, "default.api.timeout.ms": "15000", "max.block.ms": "15000" };
      admin = await clients.admin(base);
    }, 60_000);
    afterAll(async () => {
      await admin?.close();
      await broker?.stop();
    });

    test("topics are created, described, listed, deleted", async () => {
      const topic = { name: "made", partitions: 3, replicationFactor: 1, configs: { "cleanup.policy": "compact" } };
      expect(await admin.createTopics([topic])).toEqual(new Map([["made", true]]));
      expect(await admin.createTopics([topic])).toEqual(new Map([["made", false]]));
      const described = await admin.describeTopics(["made", "never-made"]);
      expect([...described.keys()]).toEqual(["made"]);
      expect(described.get("made")?.partitions).toEqual([0, 1, 2].map((partition) => ({ partition, leader: 1, replicas: [1], isr: [1] })));
      expect(await admin.listTopics()).toContain("made");
      await admin.deleteTopics(["made"]);
      await expect(admin.deleteTopics(["made"])).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
      expect(await admin.clusterId()).toMatch(/^.{22}$/);
    });

    test("topic configurations are read and changed one at a time", async () => {
      const topic = await newTopic(1, { "cleanup.policy": "compact" });
      expect((await admin.describeTopicConfigs(topic)).get("cleanup.policy")).toEqual({ value: "compact", isDefault: false });
      expect((await admin.describeTopicConfigs(topic)).get("retention.ms")?.isDefault).toBe(true);
      await admin.alterTopicConfigs(topic, { "retention.ms": "777000" });
      await expect
        .poll(async () => (await admin.describeTopicConfigs(topic)).get("retention.ms"), { timeout: 5000 })
        .toEqual({ value: "777000", isDefault: false });
      expect((await admin.describeTopicConfigs(topic)).get("cleanup.policy")?.value).toBe("compact");
      await expect(admin.describeTopicConfigs("not-there")).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
    });

    test.each(["none", "gzip", "snappy", "lz4", "zstd"])("records go and come with compression %s", async (codec) => {
      const topic = await newTopic();
      const producer = await clients.producer({ ...base, "compression.type": codec, "linger.ms": "20" });
      const headers = [
        { key: "trace", value: bytes("1") },
        { key: "trace", value: null },
        { key: "ключ", value: bytes("") },
      ];
      const at = Date.now();
      await producer.partitions(topic);
      producer.append(topic, 0, bytes("k"), bytes("value ".repeat(1000)), at, headers);
      producer.append(topic, 0, null, null, at + 5, []);
      producer.append(topic, 0, bytes(""), bytes(""), at - 86_400_000, []);
      await producer.flush();
      const sent = await producer.send(topic, 0, bytes("last"), bytes("one"));
      expect(sent).toEqual({ partition: 0, offset: 3 });
      await producer.close();
      const consumer = await reader(topic);
      const [first, second, third] = await read(consumer, 4);
      expect(first).toMatchObject({ topic, partition: 0, offset: 0, timestamp: at, timestampType: "CREATE_TIME" });
      expect([text(first?.key ?? null), text(first?.value ?? null)]).toEqual(["k", "value ".repeat(1000)]);
      expect(first?.headers.map((each) => [each.key, text(each.value)])).toEqual([
        ["trace", "1"],
        ["trace", null],
        ["ключ", ""],
      ]);
      expect([second?.key, second?.value, second?.timestamp]).toEqual([null, null, at + 5]);
      expect([text(third?.key ?? null), text(third?.value ?? null), third?.timestamp]).toEqual(["", "", at - 86_400_000]);
      await consumer.close();
    });

    test("keys go to the partition that Java's partitioner picks", async () => {
      const topic = await newTopic(12);
      const producer = await clients.producer(base);
      // murmur2("21") = -973932308, murmur2("foobar") = -790332482 (Kafka's UtilsTest), sign bit masked, mod 12.
      expect((await producer.send(topic, null, bytes("21"), null)).partition).toBe((-973932308 & 0x7fffffff) % 12);
      expect((await producer.send(topic, null, bytes("foobar"), null)).partition).toBe((-790332482 & 0x7fffffff) % 12);
      await producer.close();
    });

    test("many records over many partitions arrive once and in order", async () => {
      const topic = await newTopic(4);
      const producer = await clients.producer({ ...base, "linger.ms": "0", "batch.size": "4096" });
      await producer.partitions(topic);
      const settled: number[] = [];
      producer.onSettled = (delivery) => settled.push(delivery.state === "acked" ? delivery.partition : -1);
      for (let i = 0; i < 20_000; i++) {
        producer.append(topic, i % 4, null, bytes(String(i)), Date.now(), []);
        if (i % 97 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await producer.flush();
      expect(producer.bufferedBytes).toBe(0);
      expect(settled).not.toContain(-1);
      await producer.close();
      const consumer = await clients.consumer({ ...base, "auto.offset.reset": "earliest", "max.partition.fetch.bytes": "20000" });
      consumer.assign([0, 1, 2, 3].map((partition) => ({ topic, partition })));
      const next = [0, 1, 2, 3];
      for (const record of await read(consumer, 20_000)) {
        expect(text(record.value)).toBe(String(next[record.partition]));
        next[record.partition] = (next[record.partition] ?? 0) + 4;
      }
      await consumer.close();
    });

    test("a record above max.request.size is refused before sending, a batch above max.message.bytes is split", async () => {
      const topic = await newTopic(1, { "max.message.bytes": "2000" });
      const producer = await clients.producer({ ...base, "batch.size": "100000", "linger.ms": "50", "max.request.size": "90000" });
      await producer.partitions(topic);
      expect(() => producer.append(topic, 0, null, Buffer.alloc(90_000), Date.now(), [])).toThrow(/max.request.size/);
      const deliveries = Array.from({ length: 50 }, (_, i) => producer.append(topic, 0, null, bytes(`${i} `.padEnd(200)), Date.now(), []));
      const tooLarge = producer.append(topic, 0, null, Buffer.alloc(5000), Date.now() + 1, []);
      await producer.flush();
      expect(tooLarge).toMatchObject({ state: "failed", error: { code: ErrorCode.MESSAGE_TOO_LARGE } });
      await producer.send(topic, 0, null, bytes("after"));
      await producer.close();
      const consumer = await reader(topic);
      const values = (await read(consumer, 51)).map((record) => text(record.value)?.trim());
      expect(values).toEqual([...deliveries.keys()].map(String).concat("after"));
      await consumer.close();
    });

    test("positions: seek, beginning, end, pause, committed offsets", async () => {
      const topic = await newTopic();
      const producer = await clients.producer(base);
      for (let i = 0; i < 10; i++) await producer.send(topic, 0, null, bytes(String(i)));
      await producer.close();
      const here: TopicPartition = { topic, partition: 0 };
      const consumer = await reader(topic, 0, { "group.id": "positions", "enable.auto.commit": "false", "max.poll.records": "3" });
      expect((await read(consumer, 3)).map((record) => text(record.value))).toEqual(["0", "1", "2"]);
      expect(consumer.position(here)).toBe(3);
      consumer.seek(here, 8);
      expect((await read(consumer, 2)).map((record) => text(record.value))).toEqual(["8", "9"]);
      await consumer.seekToBeginning([here]);
      consumer.pause([here]);
      expect(await consumer.poll(200)).toEqual([]);
      consumer.resume([here]);
      expect(text((await read(consumer, 3))[0]?.value ?? null)).toBe("0");
      await consumer.seekToEnd([here]);
      expect(consumer.position(here)).toBe(10);
      expect([await consumer.beginningOffsets([here]), await consumer.endOffsets([here])]).toEqual([[0], [10]]);
      expect(await consumer.committed([here])).toEqual([null]);
      await consumer.commit([{ ...here, offset: 4, metadata: "why" }]);
      expect(await consumer.committed([here])).toMatchObject([{ ...here, offset: 4, metadata: "why" }]);
      await consumer.close();
      const next = await reader(topic, 0, { "group.id": "positions", "max.poll.records": "1" });
      expect(text((await read(next, 1))[0]?.value ?? null)).toBe("4");
      await next.close();
    });

    test("auto.offset.reset none, an offset out of range, wakeup", async () => {
      const topic = await newTopic();
      const strict = await reader(topic, 0, { "auto.offset.reset": "none" });
      await expect(strict.poll(5000)).rejects.toMatchObject({ code: ErrorCode.OFFSET_OUT_OF_RANGE });
      await strict.close();
      const consumer = await reader(topic);
      consumer.seek({ topic, partition: 0 }, 1000);
      const producer = await clients.producer(base);
      await producer.send(topic, 0, null, bytes("found"));
      await producer.close();
      expect(text((await read(consumer, 1))[0]?.value ?? null)).toBe("found");
      const started = Date.now();
      setTimeout(() => consumer.wakeup(), 50);
      expect(await consumer.poll(5000)).toEqual([]);
      expect(Date.now() - started).toBeLessThan(3000);
      await consumer.close();
    });

    test("transactions: committed ones are seen, aborted ones are not, offsets go with them", async () => {
      const topic = await newTopic(2);
      const producer = await clients.producer({ ...base, "transactional.id": "tx-1", "linger.ms": "0" });
      await producer.initTransactions();
      await producer.partitions(topic);
      for (let i = 0; i < 6; i++) {
        producer.beginTransaction();
        for (let j = 0; j < 10; j++) producer.append(topic, j % 2, null, bytes(`${i}/${j}`), Date.now(), []);
        await producer.flush();
        await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: i }], "tx-group");
        if (i % 2 === 0) await producer.commitTransaction();
        else await producer.abortTransaction();
      }
      producer.beginTransaction();
      await producer.commitTransaction();
      expect(() => producer.append(topic, 0, null, null, Date.now(), [])).toThrow(/transaction/);
      await producer.close();
      const committed = await reader(topic, 1, { "isolation.level": "read_committed" });
      expect((await read(committed, 15)).map((record) => text(record.value))).toEqual(
        [0, 2, 4].flatMap((i) => [1, 3, 5, 7, 9].map((j) => `${i}/${j}`)),
      );
      expect(await committed.poll(300)).toEqual([]);
      await committed.close();
      const everything = await reader(topic, 1);
      await read(everything, 30);
      await everything.close();
      expect(await admin.groupOffsets("tx-group")).toMatchObject([{ topic, partition: 0, offset: 4 }]);
    });

    test("a newer producer with the same transactional.id fences the older; so does the admin", async () => {
      const topic = await newTopic();
      const config = { ...base, "transactional.id": "fenced", "linger.ms": "0" };
      const old = await clients.producer(config);
      await old.initTransactions();
      old.beginTransaction();
      await old.partitions(topic);
      old.append(topic, 0, null, bytes("old"), Date.now(), []);
      await old.flush();
      const young = await clients.producer(config);
      await young.initTransactions();
      await expect(old.commitTransaction()).rejects.toThrow();
      await expect(old.abortTransaction()).rejects.toMatchObject({ code: ErrorCode.PRODUCER_FENCED });
      expect(() => old.beginTransaction()).toThrow();
      young.beginTransaction();
      await young.partitions(topic);
      young.append(topic, 0, null, bytes("young"), Date.now(), []);
      await young.commitTransaction();
      await admin.fenceProducers(["fenced"]);
      young.beginTransaction();
      young.append(topic, 0, null, bytes("too late"), Date.now(), []);
      await expect(young.commitTransaction()).rejects.toThrow();
      await old.close();
      await young.close();
      const consumer = await reader(topic, 0, { "isolation.level": "read_committed" });
      expect((await read(consumer, 1)).map((record) => text(record.value))).toEqual(["young"]);
      await consumer.close();
    });

    test("a group's offsets are read, changed and deleted from outside", async () => {
      const topic = await newTopic(2);
      await admin.alterGroupOffsets("outside", [
        { topic, partition: 0, offset: 7 },
        { topic, partition: 1, offset: 9 },
      ]);
      expect(await admin.groupOffsets("outside")).toMatchObject([
        { topic, partition: 0, offset: 7 },
        { topic, partition: 1, offset: 9 },
      ]);
      if (!kind.name.includes("2.1")) {
        await admin.deleteGroupOffsets("outside", [{ topic, partition: 0 }]);
        expect(await admin.groupOffsets("outside")).toMatchObject([{ topic, partition: 1, offset: 9 }]);
      }
      await admin.deleteGroup("outside");
      await admin.deleteGroup("outside");
      expect(await admin.groupOffsets("outside")).toEqual([]);
    });

    test("a topic that is not there is said so after max.block.ms", async () => {
      const producer = await clients.producer({ ...base, "max.block.ms": "700" });
      await expect(producer.partitions("nowhere")).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
      await producer.close();
      expect(await admin.listTopics()).not.toContain("nowhere");
    });
  });
}
