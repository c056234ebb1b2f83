/** A task's own topic and the schema history in it, over the wire. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { createKafkaClients } from "#broker/client/index";
import { ConfigError } from "#connect/api/errors";
import { KafkaOwnTopic } from "#connect/worker/own-topic";
import { topicCheckpoints } from "#connectors/cdc/schema-history/checkpoints";
import type { HistoryRecord } from "#connectors/cdc/schema-history/history";
import { RecordedHistory } from "#connectors/cdc/schema-history/schema-history";
import { topicStore } from "#connectors/cdc/schema-history/stores";
import { makeTopic, startTestBroker, type TestBroker } from "./broker-fixture.ts";

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());
const topic = (name: string): KafkaOwnTopic => {
  const own = { "bootstrap.servers": `127.0.0.1:${broker.broker.port}` };
  const configs = { admin: own, producer: own, consumer: { ...own, "auto.offset.reset": "earliest" } };
  return new KafkaOwnTopic(createKafkaClients(), configs, { topic: name, producer: {}, consumer: {}, stallMs: 10_000 }, systemClock);
};
const log = { debug() {}, info() {}, warn() {}, error() {} };
const record = (pos: number, ddl: string): HistoryRecord => ({
  source: { server: "a" },
  position: { pos },
  tsMs: 1,
  databaseName: "d",
  schemaName: null,
  ddl,
  tableChanges: [],
});

describe("own topic", () => {
  test("is made with one partition and kept for ever; written and read in order", async () => {
    const own = topic("history");
    expect(await own.range()).toBeNull();
    const store = topicStore(own, "history", { queryMs: 30_000, createMs: 30_000 });
    await store.create();
    await store.create();
    const admin = await createKafkaClients().admin({ "bootstrap.servers": `127.0.0.1:${broker.broker.port}` });
    const configs = await admin.describeTopicConfigs("history");
    expect(["cleanup.policy", "retention.ms", "retention.bytes"].map((k) => configs.get(k)?.value)).toEqual([
      "delete",
      "9223372036854775807",
      "-1",
    ]);
    await admin.close();
    await store.append(Array.from({ length: 2_000 }, (_, i) => `record ${i}`));
    const read: string[] = [];
    for await (const { text } of store.read(1_990)) read.push(text ?? "");
    expect(read).toEqual(Array.from({ length: 10 }, (_, i) => `record ${1_990 + i}`));
    expect(await own.range()).toEqual({ start: 0, end: 2_000 });
    await own.close();
  });
  test("of several partitions the first is used, as in the reference; records in others have no order: refused", async () => {
    await makeTopic(broker.client, "wide", 3);
    const own = topic("wide");
    await own.append([{ key: null, value: "first" }]);
    expect(await own.range()).toEqual({ start: 0, end: 1 });
    const read: (string | null)[] = [];
    for await (const { value } of own.read(0)) read.push(value);
    expect(read).toEqual(["first"]);
    const producer = await createKafkaClients().producer({ "bootstrap.servers": `127.0.0.1:${broker.broker.port}` });
    await producer.partitions("wide");
    await producer.send("wide", 2, null, Buffer.from("elsewhere"));
    await producer.close(5000);
    await expect(own.range()).rejects.toThrow(ConfigError);
    await own.close();
  });
  test("a history over two lives of a task, with its checkpoints", async () => {
    const open = (): RecordedHistory =>
      new RecordedHistory({
        store: topicStore(topic("lives"), "lives", { queryMs: 30_000, createMs: 30_000 }),
        checkpoints: topicCheckpoints(topic("lives.checkpoint")),
        source: { server: "a" },
        atOrBefore: (p, limit) => Number(p["pos"]) <= Number(limit["pos"]),
        catalogFirst: true,
        begins: () => true,
        log,
      });
    const first = open();
    expect([await first.storageExists(), await first.exists()]).toEqual([false, false]);
    await first.initialize();
    await first.record(Array.from({ length: 5_001 }, (_, i) => record(i, `statement ${i}`)));
    await first.close();
    const recovered = async (limit: number): Promise<{ seen: number; spared: number; skipped: number }> => {
      const history = open();
      let seen = 0;
      const state = { save: () => ({ seen }), load: (s: Readonly<Record<string, unknown>>) => (seen = Number(s["seen"])) };
      const { spared, skipped } = await history.recover({ pos: limit }, { apply: () => seen++, state });
      await history.close();
      return { seen, spared, skipped };
    };
    expect(await recovered(5_000)).toEqual({ seen: 5_001, spared: 0, skipped: 0 });
    expect(await recovered(6_000)).toEqual({ seen: 5_001, spared: 5_001, skipped: 0 });
    expect(await recovered(99)).toEqual({ seen: 100, spared: 0, skipped: 4_901 });
  });
});
