/** The client while answers get lost, connections are cut and the broker is killed. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import type { ConsumedRecord, Consumer, Delivery } from "#broker/client/types";
import { ErrorCode } from "#broker/protocol/errors";
import { type KafkaPeer, kafkaLibs, startKafka } from "../peers/kafka.ts";
import { type KafkaProxy, startProxy } from "../peers/kafka-proxy.ts";
import { freePorts } from "../peers/ports.ts";
import { startOurs, type TestBroker } from "./client-brokers.ts";

const [PORT = 0] = await freePorts(40);

const clients = createKafkaClients();
const bytes = (text: string): Buffer => Buffer.from(text);
const PRODUCE = 0;

/** A seeded generator, so that a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
async function readAll(consumer: Consumer, count: number): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  for (const end = Date.now() + 15_000; records.length < count && Date.now() < end; ) records.push(...(await consumer.poll(500)));
  records.push(...(await consumer.poll(300)));
  return records;
}
/** Every value once and in order, per partition. */
function expectExactly(records: readonly ConsumedRecord[], partitions: number, count: number): void {
  const values = Array.from({ length: partitions }, (_, partition) =>
    records.filter((record) => record.partition === partition).map((record) => Number(Buffer.from(record.value ?? "").toString())),
  );
  expect(values.map((each) => each.length)).toEqual(Array.from({ length: partitions }, () => count / partitions));
  for (const each of values) expect(each.every((value, i) => i === 0 || value === (each[i - 1] ?? 0) + partitions)).toBe(true);
}

const missing = kafkaLibs().reason;
const targets = [
  {
    name: "Apache Kafka 4.1",
    skipped: missing,
    start: async (port: number): Promise<TestBroker> => {
      const { kafka, reason } = await startKafka({ port });
      if (kafka === null) throw new Error(reason);
      return kafka;
    },
  },
  { name: "our broker", skipped: "", start: startOurs },
];

targets.forEach((target, at) => {
  const name = target.skipped === "" ? target.name : `${target.name} (skipped: ${target.skipped})`;
  describe.skipIf(target.skipped !== "")(`faults between the client and ${name}`, { timeout: 90_000 }, () => {
    let broker: TestBroker;
    let proxy: KafkaProxy;
    let base: Record<string, string>;
    beforeAll(async () => {
      broker = await target.start(PORT + at * 10);
      proxy = await startProxy({ port: PORT + 5 + at * 10, target: broker.bootstrap });
      base = { "bootstrap.servers": proxy.bootstrap, "retry.backoff.ms": "10", "reconnect.backoff.ms": "10", "max.block.ms": "20000" };
    }, 60_000);
    afterAll(async () => {
      await proxy?.close();
      await broker?.stop();
    });
    const topicFor = async (name: string, partitions: number): Promise<string> => {
      const admin = await clients.admin(base);
      await admin.createTopics([{ name, partitions, replicationFactor: 1 }]);
      await admin.close();
      return name;
    };

    test.each([1, 2, 3, 4, 5])("answers to produce are lost, requests too: no duplicate, no gap, order kept (seed %i)", async (seed) => {
      const random = seeded(seed);
      const topic = await topicFor(`lost-${seed}`, 2);
      const producer = await clients.producer({ ...base, "linger.ms": "0", "batch.size": "1000" });
      await producer.partitions(topic);
      const settled: Delivery[] = [];
      producer.onSettled = (delivery) => settled.push(delivery);
      proxy.loses = (key) => key === PRODUCE && random() < 0.05;
      proxy.refuses = (key) => key === PRODUCE && random() < 0.05;
      for (let i = 0; i < 6000; i++) {
        producer.append(topic, i % 2, null, bytes(String(i)), Date.now(), []);
        if (i % 40 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await producer.flush();
      proxy.loses = proxy.refuses = null;
      expect(settled.filter((each) => each.state !== "acked")).toEqual([]);
      // A batch that the broker had already may be acked without its offset; the others come in order.
      for (const partition of [0, 1]) {
        const offsets = settled.filter((each) => each.partition === partition && each.baseOffset >= 0).map((each) => each.baseOffset);
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      }
      await producer.close();
      const consumer = await clients.consumer({ ...base, "auto.offset.reset": "earliest" });
      consumer.assign([0, 1].map((partition) => ({ topic, partition })));
      expectExactly(await readAll(consumer, 6000), 2, 6000);
      await consumer.close();
    });

    test("transactions whose requests and answers get lost end as the producer was told", async () => {
      const random = seeded(7);
      const topic = await topicFor("lost-tx", 2);
      const producer = await clients.producer({ ...base, "linger.ms": "0", "transactional.id": "lossy" });
      await producer.initTransactions();
      await producer.partitions(topic);
      proxy.loses = () => random() < 0.05;
      proxy.refuses = () => random() < 0.05;
      const committed: string[] = [];
      for (let i = 0; i < 40; i++) {
        producer.beginTransaction();
        for (let j = 0; j < 4; j++) producer.append(topic, j % 2, null, bytes(`${i}/${j}`), Date.now(), []);
        if (i % 3 === 2) {
          await producer.flush();
          await producer.abortTransaction();
        } else {
          await producer.commitTransaction();
          for (let j = 0; j < 4; j++) committed.push(`${i}/${j}`);
        }
      }
      proxy.loses = proxy.refuses = null;
      await producer.close();
      const consumer = await clients.consumer({ ...base, "auto.offset.reset": "earliest", "isolation.level": "read_committed" });
      consumer.assign([0, 1].map((partition) => ({ topic, partition })));
      const values = (await readAll(consumer, committed.length)).map((record) => Buffer.from(record.value ?? "").toString());
      expect([...values].sort()).toEqual([...committed].sort());
      await consumer.close();
    });

    test("a consumer in a group goes on after cut connections, without a gap", async () => {
      const topic = await topicFor("cut", 1);
      const producer = await clients.producer({ ...base, "linger.ms": "0" });
      const consumer = await clients.consumer({
        ...base,
        "group.id": "cut",
        "auto.offset.reset": "earliest",
        "heartbeat.interval.ms": "200",
      });
      consumer.subscribe([topic]);
      const values: number[] = [];
      for (let i = 0; i < 300; i++) {
        await producer.send(topic, 0, null, bytes(String(i)));
        if (i % 60 === 30) proxy.cutAll();
        for (const record of await consumer.poll(1)) values.push(Number(Buffer.from(record.value ?? "").toString()));
      }
      for (const record of await readAll(consumer, 300 - values.length)) values.push(Number(Buffer.from(record.value ?? "").toString()));
      expect(values).toEqual(Array.from({ length: 300 }, (_, i) => i));
      await consumer.close();
      await producer.close();
    });
  });
});

describe.skipIf(missing !== "")(
  `Apache Kafka killed and started again${missing === "" ? "" : ` (skipped: ${missing})`}`,
  { timeout: 120_000 },
  () => {
    let kafka: KafkaPeer;
    let base: Record<string, string>;
    beforeAll(async () => {
      const started = await startKafka({ port: PORT + 30 });
      if (started.kafka === null) throw new Error(started.reason);
      kafka = started.kafka;
      base = { "bootstrap.servers": kafka.bootstrap };
    }, 60_000);
    afterAll(async () => kafka?.stop());

    test("producer, group consumer and membership heal by themselves", async () => {
      const admin = await clients.admin(base);
      await admin.createTopics([{ name: "killed", partitions: 1, replicationFactor: 1 }]);
      const producer = await clients.producer({ ...base, "linger.ms": "0" });
      await producer.partitions("killed");
      const events: string[] = [];
      const note = (what: string) => async () => void events.push(what);
      const membership = await clients.groupMembership(
        { ...base, "session.timeout.ms": "3000", "heartbeat.interval.ms": "500" },
        {
          groupId: "members",
          protocolType: "connect",
          metadata: async () => [{ name: "p", metadata: bytes("m") }],
          leaderAssigns: async (_protocol, _leader, members) => new Map(members.map((each) => [each.memberId, bytes("all")])),
          onAssignment: note("assigned"),
          onRevoked: async (reason) => void events.push(reason),
        },
      );
      const consumer = await clients.consumer({
        ...base,
        "group.id": "killed",
        "auto.offset.reset": "earliest",
        "session.timeout.ms": "6000",
      });
      consumer.subscribe(["killed"]);
      await expect.poll(() => events.length, { timeout: 10_000 }).toBe(1);
      await producer.send("killed", 0, null, bytes("0"));
      const records = await readAll(consumer, 1);
      await kafka.kill();
      for (let i = 1; i < 100; i++) producer.append("killed", 0, null, bytes(String(i)), Date.now(), []);
      await new Promise((resolve) => setTimeout(resolve, 4000));
      expect(events).toEqual(["assigned", "lost"]);
      await kafka.start();
      await producer.flush();
      const seen = new Set(records.map((record) => Number(Buffer.from(record.value ?? "").toString())));
      for (const end = Date.now() + 20_000; seen.size < 100 && Date.now() < end; ) {
        // The session may have ended meanwhile; then what was not committed comes again.
        for (const record of await consumer.poll(500)) seen.add(Number(Buffer.from(record.value ?? "").toString()));
      }
      expect([...seen]).toEqual(Array.from({ length: 100 }, (_, i) => i));
      await expect.poll(() => events.at(-1), { timeout: 15_000 }).toBe("assigned");
      await membership.close();
      await consumer.close();
      await producer.close();
      await admin.close();
    });

    test("delivery.timeout.ms fails what cannot be sent, with the reason", async () => {
      const producer = await clients.producer({ ...base, "linger.ms": "0", "request.timeout.ms": "500", "delivery.timeout.ms": "1500" });
      await producer.partitions("killed");
      await kafka.kill();
      const delivery = producer.append("killed", 0, null, bytes("lost"), Date.now(), []);
      await producer.flush();
      expect(delivery).toMatchObject({ state: "failed", baseOffset: -1, error: { code: ErrorCode.REQUEST_TIMED_OUT } });
      expect(delivery.error?.message).toMatch(/^Expiring 1 record\(s\) for killed-0:\d+ ms has passed since batch creation/);
      await kafka.start();
      expect((await producer.send("killed", 0, null, bytes("next"))).offset).toBeGreaterThan(0);
      await producer.close();
    });
  },
);
