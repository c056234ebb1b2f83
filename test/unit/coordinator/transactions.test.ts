import { describe, expect, it } from "vitest";
import type { Coordinators } from "#broker/coordinator/types";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { settle, world } from "./coordinator-world.ts";

const init = (c: Coordinators, producerId = -1, producerEpoch = -1, transactionTimeoutMs = 60_000) =>
  c.transactions.initProducerId({ transactionalId: "tx", transactionTimeoutMs, producerId, producerEpoch });
async function producer(c: Coordinators) {
  const made = await init(c);
  expect(made.errorCode).toBe(ErrorCode.NONE);
  return { producerId: made.producerId ?? -1, producerEpoch: made.producerEpoch ?? -1 };
}
type Producer = Awaited<ReturnType<typeof producer>>;
const add = (c: Coordinators, p: Producer, partition = 0, clientVersion = 1) =>
  c.transactions.addPartitions("tx", p, new Map([["t", new Set([partition])]]), clientVersion);
const end = (c: Coordinators, p: Producer, committed: boolean, bumps = false) =>
  c.transactions.endTransaction({ transactionalId: "tx", ...p, committed }, bumps);
const status = (c: Coordinators) => c.transactions.describe("tx").transactionState;
const write = (p: Producer, joinsImplicitly: boolean) => ({
  transactionalId: "tx",
  ...p,
  joinsImplicitly,
  topics: [{ name: "t", partitions: [0] }],
});

describe("transactions", () => {
  it("commit and abort with one marker for each partition", async () => {
    const w = world();
    const c = await w.start();
    const p = await producer(c);
    expect(p.producerEpoch).toBe(0);
    expect(await add(c, p, 0)).toBe(ErrorCode.NONE);
    expect(await add(c, p, 1)).toBe(ErrorCode.NONE);
    expect(status(c)).toBe("Ongoing");
    expect((await end(c, p, true)).errorCode).toBe(ErrorCode.NONE);
    expect(w.markers).toEqual([`t-0:${p.producerId}:0:commit`, `t-1:${p.producerId}:0:commit`]);
    expect(status(c)).toBe("CompleteCommit");
    // The same request again is told the same; the opposite is refused.
    expect((await end(c, p, true)).errorCode).toBe(ErrorCode.NONE);
    expect((await end(c, p, false)).errorCode).toBe(ErrorCode.INVALID_TXN_STATE);
    await add(c, p, 2);
    expect((await end(c, p, false)).errorCode).toBe(ErrorCode.NONE);
    expect(w.markers.at(-1)).toBe(`t-2:${p.producerId}:0:abort`);
  });

  it("bump the epoch with each end under KIP-890, and take a new producer id when epochs are used up", async () => {
    const w = world();
    const c = await w.start();
    const p = await producer(c);
    expect(await c.admitWrite(write(p, true)).then((codeOf) => codeOf("t", 0))).toBe(ErrorCode.NONE);
    const ended = await end(c, p, true, true);
    expect(ended).toMatchObject({ errorCode: 0, producerId: p.producerId, producerEpoch: 1 });
    expect(w.markers).toEqual([`t-0:${p.producerId}:1:commit`]);
    expect(await end(c, p, true, true)).toMatchObject({ errorCode: 0, producerEpoch: 1 });
    expect(await c.admitWrite(write(p, true)).then((codeOf) => codeOf("t", 0))).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    // An empty transaction may be aborted.
    expect(await end(c, { ...p, producerEpoch: 1 }, false, true)).toMatchObject({ errorCode: 0, producerEpoch: 2 });
    expect((await end(c, { ...p, producerEpoch: 2 }, true, true)).errorCode).toBe(ErrorCode.INVALID_TXN_STATE);
    let now = { ...p, producerEpoch: 2 };
    while (now.producerEpoch < 32_766) {
      const next = await end(c, now, false, true);
      now = { producerId: next.producerId ?? -1, producerEpoch: next.producerEpoch ?? -1 };
    }
    await add(c, now, 0, 2);
    const rotated = await end(c, now, true, true);
    expect(rotated).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(rotated.producerId).not.toBe(p.producerId);
    expect(await end(c, now, true, true)).toEqual(rotated);
  });

  it("fence the older producer and abort what it had open", async () => {
    const w = world();
    const c = await w.start();
    const old = await producer(c);
    await add(c, old);
    const next = await producer(c);
    expect(next).toEqual({ producerId: old.producerId, producerEpoch: 2 });
    expect(w.markers).toEqual([`t-0:${old.producerId}:1:abort`]);
    expect((await end(c, old, true)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await add(c, old)).toBe(ErrorCode.PRODUCER_FENCED);
    expect((await init(c, old.producerId, old.producerEpoch)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
    // A producer that recovers bumps its own epoch, once even if it asks twice.
    expect(await init(c, next.producerId, 2)).toMatchObject({ errorCode: 0, producerEpoch: 3 });
    expect(await init(c, next.producerId, 2)).toMatchObject({ errorCode: 0, producerEpoch: 3 });
  });

  it("time out, and verify partitions of older clients", async () => {
    const w = world();
    const c = await w.start();
    c.start();
    const p = await producer(c);
    expect((await c.admitWrite(write(p, false)))("t", 0)).toBe(ErrorCode.INVALID_TXN_STATE);
    await add(c, p);
    expect((await c.admitWrite(write(p, false)))("t", 0)).toBe(ErrorCode.NONE);
    await w.clock.advance(50_000);
    expect(status(c)).toBe("Ongoing");
    await w.clock.advance(25_000);
    expect(status(c)).toBe("CompleteAbort");
    expect((await end(c, p, true)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
    c.close();
  });

  it("are ended after a restart when they were decided before", async () => {
    const w = world();
    const before = await w.start();
    const p = await producer(before);
    await add(before, p);
    w.markerFailure = new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const ending = end(before, p, true);
    await settle();
    expect(status(before)).toBe("PrepareCommit");
    expect(await add(before, p)).toBe(ErrorCode.CONCURRENT_TRANSACTIONS);
    await w.clock.advance(600);
    expect((await ending).errorCode).toBe(ErrorCode.NONE);
    before.close();
    w.markerFailure = null;
    const c = await w.start();
    await settle();
    expect(status(c)).toBe("CompleteCommit");
    expect(w.markers).toEqual([`t-0:${p.producerId}:0:commit`]);
    expect(await add(c, p)).toBe(ErrorCode.NONE);
  });

  it("show in DescribeTransactions and ListTransactions, and expire when unused", async () => {
    const w = world();
    const c = await w.start();
    const p = await producer(c);
    await add(c, p, 3);
    expect(c.transactions.describe("tx")).toMatchObject({ transactionState: "Ongoing", topics: [{ topic: "t", partitions: [3] }] });
    expect(c.transactions.describe("no").errorCode).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND);
    const list = (stateFilters: string[], durationFilter = -1) =>
      c.transactions.list({ stateFilters, producerIdFilters: [], durationFilter, transactionalIdPattern: null });
    expect(list([]).transactionStates).toHaveLength(1);
    expect(list(["Empty"]).transactionStates).toHaveLength(0);
    expect(list(["Nonsense"])).toMatchObject({ unknownStateFilters: ["Nonsense"], transactionStates: [] });
    expect(list([], 1000).transactionStates).toHaveLength(0);
    await end(c, p, true);
    c.start();
    await w.clock.advance(604_800_000 + 3_600_000);
    expect(list([]).transactionStates).toHaveLength(0);
    c.close();
  });

  it("refuse wrong input with Kafka's codes", async () => {
    const w = world();
    const c = await w.start();
    expect((await init(c, -1, -1, 0)).errorCode).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    expect((await init(c, -1, -1, 900_001)).errorCode).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    expect(await add(c, { producerId: 1, producerEpoch: 0 })).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    const p = await producer(c);
    expect(await add(c, { ...p, producerId: 77 })).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect((await end(c, p, true)).errorCode).toBe(ErrorCode.INVALID_TXN_STATE);
    w.transactionLog.failure = new KafkaError(ErrorCode.NOT_ENOUGH_REPLICAS);
    expect(await add(c, p)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    w.transactionLog.failure = null;
    expect(await add(c, p)).toBe(ErrorCode.NONE);
  });
});

describe("offsets of a transaction", () => {
  const commit = (c: Coordinators, p: Producer, offset: number) =>
    c.groups.commitOffsets({
      version: 9,
      groupId: "g",
      generationOrEpoch: -1,
      memberId: "",
      instanceId: null,
      retentionTimeMs: -1,
      topics: [
        { name: "t", partitions: [{ partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null }] },
      ],
      producer: p,
    });
  const fetch = (c: Coordinators, requireStable = false) => {
    const topics = [{ name: "t", partitionIndexes: [0] }];
    return c.groups.fetchOffsets({ groupId: "g", memberId: null, memberEpoch: -1, topics, requireStable }).topics[0]?.partitions[0];
  };

  it("are seen after the commit only, never after an abort, also over a restart", async () => {
    const w = world();
    const c = await w.start();
    const p = await producer(c);
    const join = async () => c.transactions.addPartitions("tx", p, await c.transactions.offsetsPartition("g"), 1);
    await join();
    await commit(c, p, 5);
    expect(fetch(c)?.committedOffset).toBe(-1);
    expect(fetch(c, true)?.errorCode).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT);
    expect(fetch(await w.start(), true)?.errorCode).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT);
    await end(c, p, false);
    expect(fetch(c, true)).toMatchObject({ committedOffset: -1, errorCode: 0 });
    await join();
    await commit(c, p, 7);
    await end(c, p, true);
    expect(fetch(c, true)?.committedOffset).toBe(7);
    expect(fetch(await w.start())?.committedOffset).toBe(7);
  });
});
