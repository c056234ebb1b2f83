import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batches } from "#broker/protocol/records/batch";
import type { LocalPartition } from "#broker/replication/partition";
import { batchOf, contents, openManager, TOPIC_ID } from "./fixture.ts";

const COMPACT = { "cleanup.policy": "compact", "segment.bytes": "400", "min.cleanable.dirty.ratio": "0.01", "index.interval.bytes": "100" };
const HOUR_MS = 3_600_000;
async function open(config: Record<string, string> = {}) {
  const opened = await openManager();
  return {
    ...opened,
    partition: opened.manager.create("t", 0, { topicId: TOPIC_ID, config: { ...COMPACT, ...config } }) as LocalPartition,
  };
}
function everything(partition: LocalPartition): string[] {
  const lines: string[] = [];
  let offset = partition.logStartOffset;
  while (offset < partition.logEndOffset) {
    const { records } = partition.read({ offset, maxBytes: 300, minOneMessage: true, isolation: "read_uncommitted" });
    if (records.length === 0) break;
    lines.push(...contents(records).filter((line) => Number(line.split(":")[0]) >= offset));
    for (const { header } of batches(records)) offset = header.baseOffset + header.lastOffsetDelta + 1;
  }
  return lines;
}
const put = (p: LocalPartition, key: string, value: string | null, timestampMs: number) =>
  p.append(batchOf([{ key, value, timestampMs }]), { origin: "client" });
/** Enough under one key that everything before is in sealed segments. */
function seal(p: LocalPartition, timestampMs: number): void {
  for (let i = 0; i < 8; i++) put(p, "seal", `${i}`, timestampMs);
}

describe("compaction", () => {
  it("keeps the last record of each key under its old offset", async () => {
    const { partition: p, manager, clock, disk } = await open();
    for (let i = 0; i < 60; i++) put(p, `k${i % 3}`, `v${i}`, clock.now());
    seal(p, clock.now());
    const before = p.sizeBytes;
    expect(await manager.tasks.runCleaner()).toBe(1);
    expect(p.sizeBytes).toBeLessThan(before / 3);
    const lines = everything(p);
    expect(lines.filter((line) => line.includes(":k"))).toEqual(["57:k0=v57", "58:k1=v58", "59:k2=v59"]);
    expect(await manager.tasks.runCleaner()).toBe(0);
    clock.advance(60_000);
    expect(disk.list("/data/t-0").filter((name) => /deleted|swap|cleaned/.test(name))).toEqual([]);
    await manager.close();
    const again = (await openManager({ disk, clock, topicConfig: COMPACT })).manager.get("t", 0);
    expect(again === undefined ? [] : everything(again)).toEqual(lines);
  });
  it("keeps tombstones until their horizon, then drops them", async () => {
    const { partition: p, manager, clock } = await open({ "delete.retention.ms": String(HOUR_MS) });
    put(p, "k", "v", clock.now());
    put(p, "k", null, clock.now());
    seal(p, clock.now());
    await manager.tasks.runCleaner();
    expect(everything(p)[0]).toBe("1:k=∅");
    clock.advance(HOUR_MS + 1);
    seal(p, clock.now());
    await manager.tasks.runCleaner();
    expect(everything(p).filter((line) => line.includes(":k="))).toEqual([]);
  });
  it("leaves records alone that are younger than min.compaction.lag.ms", async () => {
    const { partition: p, manager, clock } = await open({ "min.compaction.lag.ms": String(HOUR_MS) });
    for (let i = 0; i < 20; i++) put(p, "k", `${i}`, clock.now());
    expect(await manager.tasks.runCleaner()).toBe(0);
    clock.advance(HOUR_MS + 1);
    expect(await manager.tasks.runCleaner()).toBe(1);
    expect(everything(p).length).toBeLessThan(20);
  });
  it("drops aborted records, keeps committed ones, markers and the producer's sequence", async () => {
    const { partition: p, manager, clock, disk } = await open({ "delete.retention.ms": String(HOUR_MS) });
    put(p, "k", "old", clock.now());
    const transactional = { producerEpoch: 0, transactional: true };
    p.append(batchOf([{ key: "k", value: "aborted" }], { ...transactional, producerId: 1, baseSequence: 0 }), { origin: "client" });
    p.appendEndTransactionMarker({ producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, committed: false });
    p.append(batchOf([{ key: "j", value: "committed" }], { ...transactional, producerId: 2, baseSequence: 0 }), { origin: "client" });
    p.appendEndTransactionMarker({ producerId: 2, producerEpoch: 0, coordinatorEpoch: 0, committed: true });
    seal(p, clock.now());
    await manager.tasks.runCleaner();
    const lines = everything(p);
    expect(lines.slice(0, 4)).toEqual(["0:k=old", "2:abort", "3:j=committed", "4:commit"]);
    // Producer 1 has only an empty batch left; after a crash that rebuilds everything, its sequence is still known.
    for (const name of disk.list("/data/t-0")) if (name.endsWith(".snapshot")) disk.remove(`/data/t-0/${name}`);
    const again = (await openManager({ disk, clock, topicConfig: COMPACT })).manager.get("t", 0);
    expect(again?.describeProducers()).toMatchObject([
      { producerId: 1, lastSequence: 0, currentTxnStartOffset: -1 },
      { producerId: 2, lastSequence: 0, currentTxnStartOffset: -1 },
    ]);
    // The marker goes only when nothing of its transaction is left, so after its producer has expired, and a horizon later.
    for (const hours of [25, 2]) {
      clock.advance(hours * HOUR_MS);
      manager.tasks.expireProducers();
      seal(p, clock.now());
      await manager.tasks.runCleaner();
    }
    expect(everything(p).slice(0, 3)).toEqual(["0:k=old", "3:j=committed", "4:commit"]);
  });
  it("never cleans past an open transaction", async () => {
    const { partition: p, manager, clock } = await open();
    put(p, "k", "1", clock.now());
    p.append(batchOf([{ key: "k", value: "2" }], { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true }), {
      origin: "client",
    });
    for (let i = 0; i < 3; i++) seal(p, clock.now());
    await manager.tasks.runCleaner();
    expect(everything(p).slice(0, 2)).toEqual(["0:k=1", "1:k=2"]);
  });

  it("the last value per key always survives, in any codec, over several passes and a crash", async () => {
    const record = fc.record({ key: fc.integer({ min: 0, max: 5 }), value: fc.option(fc.string({ maxLength: 20 }), { freq: 5 }) });
    const call = fc.record({
      records: fc.array(record, { minLength: 1, maxLength: 5 }),
      codec: fc.constantFrom("none", "gzip", "snappy", "lz4", "zstd"),
      cleanAfter: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 40 }), async (calls) => {
        const { partition: p, manager, clock, disk } = await open();
        const expected = new Map<string, string>();
        for (const { records, codec, cleanAfter } of calls) {
          const batch = records.map(({ key, value }) => ({ key: `k${key}`, value, timestampMs: clock.now() }));
          const { baseOffset } = p.append(batchOf(batch, {}, codec as "none"), { origin: "client" });
          for (const [index, { key, value }] of batch.entries()) expected.set(key, `${baseOffset + index}:${key}=${value ?? "∅"}`);
          clock.advance(1);
          if (cleanAfter) await manager.tasks.runCleaner();
        }
        for (const partition of [p, (await openManager({ disk, clock, topicConfig: COMPACT })).manager.get("t", 0)]) {
          const last = new Map<string, string>();
          for (const line of partition === undefined ? [] : everything(partition))
            last.set(line.slice(line.indexOf(":") + 1, line.indexOf("=")), line);
          expect(last).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("retention", () => {
  it("by time and by size drops whole segments from the beginning, the active one too when it is old", async () => {
    const { partition: p, manager, clock } = await open({ "cleanup.policy": "delete", "retention.ms": String(HOUR_MS) });
    for (let i = 0; i < 20; i++) put(p, "k", `${i}`, clock.now());
    manager.tasks.runRetention();
    expect(p.logStartOffset).toBe(0);
    p.updateConfig({ ...COMPACT, "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "500" });
    manager.tasks.runRetention();
    expect(p.logStartOffset).toBeGreaterThan(0);
    expect(p.sizeBytes).toBeGreaterThanOrEqual(500);
    p.updateConfig({ "retention.ms": String(HOUR_MS) });
    clock.advance(HOUR_MS + 1);
    manager.tasks.runRetention();
    expect(p.logStartOffset).toBe(20);
    expect(put(p, "k", "next", clock.now()).baseOffset).toBe(20);
  });
  it("keeps for ever with retention.ms=-1", async () => {
    const { partition: p, manager, clock } = await open({ "cleanup.policy": "delete", "retention.ms": "-1" });
    for (let i = 0; i < 20; i++) put(p, "k", `${i}`, clock.now());
    clock.advance(1e12);
    manager.tasks.runRetention();
    expect(p.logStartOffset).toBe(0);
  });
});
