/** What an administrator ends or waits for: hanging transactions, forgotten producers, epochs, expired offsets; over the wire. */
import { afterAll, describe, expect, test } from "vitest";
import { ErrorCode } from "#broker/protocol/errors";
import {
  describeProducers,
  fetch,
  findCoordinator,
  incrementalAlterConfigs,
  initProducerId,
  offsetCommit,
  offsetFetch,
  offsetForLeaderEpoch,
  produce,
  writeTxnMarkers,
} from "#broker/protocol/messages/index";
import { BatchBuilder } from "#broker/protocol/records/builder";
import type { WireClient } from "../wire/wire-client.ts";
import { batchOf, makeTopic, put, startTestBroker, type TestBroker, valuesOf } from "./broker-fixture.ts";

const running: TestBroker[] = [];
afterAll(() => Promise.all(running.map((each) => each.stop())));
async function broker(properties: Readonly<Record<string, string>>): Promise<TestBroker> {
  const started = await startTestBroker(properties);
  running.push(started);
  return started;
}

/** The coordinators' topics are made when somebody looks for a coordinator. */
const locate = (client: WireClient, keyType: number) => client.send(findCoordinator, 4, { keyType, coordinatorKeys: ["x"] });
const newProducer = (client: WireClient, transactionalId: string | null = null, transactionTimeoutMs = 60_000) =>
  client.send(initProducerId, 4, { transactionalId, transactionTimeoutMs, producerId: -1, producerEpoch: -1 });
async function write(client: WireClient, topic: string, producerId: number, transactional: boolean): Promise<number | undefined> {
  const builder = new BatchBuilder({ producerId, producerEpoch: 0, baseSequence: 0, transactional });
  builder.append(Date.now(), null, Buffer.from("lost"), []);
  const partitionData = [{ index: 0, records: builder.build("none") }];
  const transactionalId = transactional ? "nobody" : null;
  const request = { transactionalId, acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData }] };
  return (await client.send(produce, 9, request)).responses[0]?.partitionResponses[0]?.errorCode;
}
async function committed(client: WireClient, topic: string) {
  const topics = [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }];
  const { responses } = await client.send(fetch, 11, {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 1,
    sessionEpoch: -1,
    topics,
  });
  return responses[0]?.partitions[0];
}
const producersOf = async (client: WireClient, topic: string) =>
  (await client.send(describeProducers, 0, { topics: [{ name: topic, partitionIndexes: [0] }] })).topics[0]?.partitions[0]?.activeProducers;

describe("a hanging transaction", () => {
  test("holds readers back until its marker is written by hand; an older coordinator's marker is refused", async () => {
    const { client } = await broker({ "transaction.partition.verification.enable": "false" });
    await makeTopic(client, "h");
    const { producerId } = await newProducer(client);
    // The coordinator has never heard of the transaction.
    expect(await write(client, "h", producerId, true)).toBe(0);
    await put(client, "h", batchOf(["after"]));
    expect(await committed(client, "h")).toMatchObject({ lastStableOffset: 0, highWatermark: 2 });
    expect(await producersOf(client, "h")).toMatchObject([
      { producerId, producerEpoch: 0, coordinatorEpoch: -1, currentTxnStartOffset: 0 },
    ]);
    const end = async (coordinatorEpoch: number) => {
      const topics = [{ name: "h", partitionIndexes: [0] }];
      const marker = { producerId, producerEpoch: 0, transactionResult: false, coordinatorEpoch, topics };
      return (await client.send(writeTxnMarkers, 1, { markers: [marker] })).markers[0]?.topics[0]?.partitions[0]?.errorCode;
    };
    expect(await end(3)).toBe(0);
    const now = await committed(client, "h");
    expect(now).toMatchObject({ lastStableOffset: 3, abortedTransactions: [{ producerId, firstOffset: 0 }] });
    expect(valuesOf(now)).toContain("after");
    expect(await producersOf(client, "h")).toMatchObject([{ coordinatorEpoch: 3, currentTxnStartOffset: -1 }]);
    expect(await end(2)).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED);
  });

  test("does not come about where partitions are verified", async () => {
    const { client } = await broker({});
    await makeTopic(client, "h");
    const { producerId } = await newProducer(client);
    expect(await write(client, "h", producerId, true)).not.toBe(0);
    expect(await producersOf(client, "h")).toEqual([]);
    // The setting changes while the broker runs.
    const configs = [{ name: "transaction.partition.verification.enable", configOperation: 0, value: "false" }];
    await client.send(incrementalAlterConfigs, 1, { resources: [{ resourceType: 4, resourceName: "", configs }] });
    expect(await write(client, "h", producerId, true)).toBe(0);
  });
});

describe("what expires", () => {
  test("transaction.max.timeout.ms bounds what a producer may ask for", async () => {
    const { client } = await broker({ "transaction.max.timeout.ms": "5000" });
    await locate(client, 1);
    expect((await newProducer(client, "tx", 5001)).errorCode).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    await expect.poll(async () => (await newProducer(client, "tx", 5000)).errorCode).toBe(0);
  });

  test("producer.id.expiration.ms: an idle producer is forgotten by its partitions", async () => {
    const { client } = await broker({ "producer.id.expiration.ms": "300", "producer.id.expiration.check.interval.ms": "50" });
    await makeTopic(client, "p");
    const { producerId } = await newProducer(client);
    expect(await write(client, "p", producerId, false)).toBe(0);
    expect(await producersOf(client, "p")).toHaveLength(1);
    await expect.poll(() => producersOf(client, "p"), { timeout: 5000 }).toEqual([]);
  });

  test("offsets with a retention of their own go when it is over, others stay", async () => {
    const { client } = await broker({ "offsets.retention.check.interval.ms": "50" });
    await makeTopic(client, "o", 2);
    await locate(client, 0);
    const commit = async (partitionIndex: number, retentionTimeMs: number): Promise<number | undefined> => {
      const topics = [{ name: "o", partitions: [{ partitionIndex, committedOffset: 7, committedMetadata: "" }] }];
      const body = { groupId: "g", generationIdOrMemberEpoch: -1, memberId: "", retentionTimeMs, topics };
      return (await client.send(offsetCommit, 3, body)).topics[0]?.partitions[0]?.errorCode;
    };
    const left = async () => {
      const { topics } = await client.send(offsetFetch, 2, { groupId: "g", topics: null });
      return topics.flatMap(({ partitions }) => partitions.map((each) => each.partitionIndex));
    };
    await expect.poll(() => commit(0, 400)).toBe(0);
    expect(await commit(1, -1)).toBe(0);
    expect((await left()).sort((a, b) => a - b)).toEqual([0, 1]);
    await expect.poll(left, { timeout: 5000 }).toEqual([1]);
  });
});

test("OffsetForLeaderEpoch tells where each start of the broker ended", async () => {
  const started = await broker({});
  await makeTopic(started.client, "e");
  await put(started.client, "e", batchOf(["1", "2"]));
  const ask = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
    const topics = [{ topic: "e", partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }];
    return (await started.client.send(offsetForLeaderEpoch, 4, { replicaId: -1, topics })).topics[0]?.partitions[0];
  };
  const first = await ask(0);
  expect(first).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2 });
  expect(await ask(9)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 });
  expect((await ask(0, 9))?.errorCode).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
});
