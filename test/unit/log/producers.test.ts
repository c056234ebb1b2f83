import { describe, expect, it } from "vitest";
import { ErrorCode } from "#broker/protocol/errors";
import { batchOf, contents, openManager, TOPIC_ID, values } from "./fixture.ts";

const READ = { maxBytes: 1 << 20, minOneMessage: true } as const;
async function partition(config: Record<string, string> = {}) {
  const opened = await openManager();
  return { ...opened, partition: opened.manager.create("t", 0, { topicId: TOPIC_ID, config }) };
}
const idempotent = (sequence: number, epoch = 0, producerId = 1) => ({ producerId, producerEpoch: epoch, baseSequence: sequence });
const codeOf = (run: () => unknown): number => {
  try {
    run();
  } catch (error) {
    return (error as { code: number }).code;
  }
  return ErrorCode.NONE;
};

describe("idempotent producers", () => {
  it("answers a repetition with the first write's offsets, for the last five batches", async () => {
    const { partition: p } = await partition();
    for (let sequence = 0; sequence < 7; sequence++) p.append(batchOf(values("x"), idempotent(sequence)), { origin: "client" });
    for (let sequence = 2; sequence < 7; sequence++) {
      const again = p.append(batchOf(values("x"), idempotent(sequence)), { origin: "client" });
      expect(again).toMatchObject({ baseOffset: sequence, lastOffset: sequence, duplicate: true });
    }
    expect(codeOf(() => p.append(batchOf(values("x"), idempotent(1)), { origin: "client" }))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(p.logEndOffset).toBe(7);
  });
  it("refuses gaps and old epochs, accepts an unknown producer anywhere and a new epoch from 0", async () => {
    const { partition: p } = await partition();
    p.append(batchOf(values("a"), idempotent(17)), { origin: "client" });
    expect(codeOf(() => p.append(batchOf(values("b"), idempotent(19)), { origin: "client" }))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(codeOf(() => p.append(batchOf(values("b"), idempotent(3, 1)), { origin: "client" }))).toBe(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    );
    p.append(batchOf(values("b"), idempotent(0, 1)), { origin: "client" });
    expect(codeOf(() => p.append(batchOf(values("c"), idempotent(18)), { origin: "client" }))).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    expect(p.logEndOffset).toBe(2);
  });
  it("wraps sequence numbers at 2^31 and takes several batches of one call as one", async () => {
    const { partition: p } = await partition();
    p.append(batchOf(values("a", "b"), idempotent(0x7fffffff - 1)), { origin: "client" });
    const call = Buffer.concat([batchOf(values("c"), idempotent(0)), batchOf(values("d"), idempotent(1))]);
    expect(p.append(call, { origin: "client" })).toMatchObject({ baseOffset: 2, lastOffset: 3 });
    const gap = Buffer.concat([batchOf(values("e"), idempotent(2)), batchOf(values("f"), idempotent(4))]);
    expect(codeOf(() => p.append(gap, { origin: "client" }))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(p.logEndOffset).toBe(4);
  });
  it("remembers producers over a clean restart, a crash and a damaged snapshot; forgets idle ones", async () => {
    const { partition: p, manager, disk, clock } = await partition({ "segment.bytes": "200" });
    for (let sequence = 0; sequence < 5; sequence++) p.append(batchOf(values("x"), idempotent(sequence)), { origin: "client" });
    const snapshots = disk.list("/data/t-0").filter((name) => name.endsWith(".snapshot"));
    expect(snapshots.length).toBeGreaterThan(1);
    const newest = disk.open(`/data/t-0/${snapshots.at(-1)}`, "existing");
    newest.write(Buffer.from([0xff]), newest.size() - 1);
    const crashed = await openManager({ disk, clock });
    expect(crashed.manager.get("t", 0)?.describeProducers()).toMatchObject([{ producerId: 1, producerEpoch: 0, lastSequence: 4 }]);
    await crashed.manager.close();
    await manager.tasks.stop();
    const clean = await openManager({ disk, clock });
    const again = clean.manager.get("t", 0);
    expect(again?.append(batchOf(values("x"), idempotent(4)), { origin: "client" }).duplicate).toBe(true);
    clock.advance(25 * 3_600_000);
    clean.manager.tasks.expireProducers();
    expect(again?.describeProducers()).toEqual([]);
  });
});

describe("transactions", () => {
  const transactional = (sequence: number, producerId = 1) => ({ ...idempotent(sequence, 0, producerId), transactional: true });
  const marker = (producerId: number, committed: boolean, coordinatorEpoch = 0) => ({
    producerId,
    producerEpoch: 0,
    coordinatorEpoch,
    committed,
  });

  it("holds read_committed back at the oldest open transaction and names aborted ones", async () => {
    const { partition: p, disk, clock } = await partition();
    p.append(batchOf(values("plain")), { origin: "client" });
    p.append(batchOf(values("a1"), transactional(0, 1)), { origin: "client" });
    p.append(batchOf(values("b1"), transactional(0, 2)), { origin: "client" });
    expect(p.hasOngoingTransaction(1, 0)).toBe(true);
    expect(p.lastStableOffset).toBe(1);
    expect(contents(p.read({ ...READ, offset: 0, isolation: "read_committed" }).records)).toEqual(["0:plain=plain"]);
    expect(contents(p.read({ ...READ, offset: 0, isolation: "read_uncommitted" }).records)).toHaveLength(3);
    p.appendEndTransactionMarker(marker(1, false));
    expect(p.lastStableOffset).toBe(2);
    p.append(batchOf(values("b2"), transactional(1, 2)), { origin: "client" });
    p.appendEndTransactionMarker(marker(2, true));
    expect(p.lastStableOffset).toBe(6);
    const all = p.read({ ...READ, offset: 0, isolation: "read_committed" });
    expect(contents(all.records)).toEqual(["0:plain=plain", "1:a1=a1", "2:b1=b1", "3:abort", "4:b2=b2", "5:commit"]);
    expect(all.abortedTransactions).toEqual([{ producerId: 1, firstOffset: 1 }]);
    expect(p.read({ ...READ, offset: 4, isolation: "read_committed" }).abortedTransactions).toEqual([]);
    // A crash: the index of aborted transactions and the open ones are made again from the log.
    p.append(batchOf(values("c1"), transactional(2, 2)), { origin: "client" });
    const again = (await openManager({ disk, clock })).manager.get("t", 0);
    expect(again?.lastStableOffset).toBe(6);
    expect(again?.read({ ...READ, offset: 0, isolation: "read_committed" }).abortedTransactions).toEqual([
      { producerId: 1, firstOffset: 1 },
    ]);
    expect(again?.describeProducers().find(({ producerId }) => producerId === 2)?.currentTxnStartOffset).toBe(6);
  });
  it("refuses plain batches inside a transaction, zombie coordinators and control batches of clients", async () => {
    const { partition: p } = await partition();
    p.append(batchOf(values("a"), transactional(0)), { origin: "client" });
    expect(codeOf(() => p.append(batchOf(values("b"), idempotent(1)), { origin: "client" }))).toBe(ErrorCode.INVALID_TXN_STATE);
    p.appendEndTransactionMarker(marker(1, true, 5));
    expect(codeOf(() => p.appendEndTransactionMarker(marker(1, true, 4)))).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED);
    const control = batchOf(values("c"), { ...transactional(1), control: true });
    expect(codeOf(() => p.append(control, { origin: "client" }))).toBe(ErrorCode.INVALID_RECORD);
  });
});
