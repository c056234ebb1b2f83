import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OffsetIndex } from "#broker/log/offset-index";
import { decodeSnapshot, encodeSnapshot } from "#broker/log/producer-snapshot";
import { MemoryDisk } from "#broker/log/store/memory";
import { TimeIndex } from "#broker/log/time-index";
import { TransactionIndex } from "#broker/log/transaction-index";
import { logConfig, LogConfigError } from "#broker/log/config";

const BASE = 5_000_000_000;
const ascending = fc
  .uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 0, maxLength: 60 })
  .map((list) => list.sort((a, b) => a - b));

describe("indexes", () => {
  it("the offset index finds the last entry at or before an offset, from memory and from disk", () => {
    fc.assert(
      fc.property(ascending, fc.integer({ min: 0, max: 1100 }), fc.integer({ min: 0, max: 1100 }), (offsets, wanted, cut) => {
        const disk = new MemoryDisk();
        const index = new OffsetIndex(disk, "/i.index", BASE);
        for (const [slot, offset] of offsets.entries()) index.append(BASE + offset, 100 + slot);
        const expected = (limit: number): number => {
          const slot = offsets.findLastIndex((offset) => offset <= wanted && offset < limit);
          return slot < 0 ? 0 : 100 + slot;
        };
        expect(index.positionBefore(BASE + wanted)).toBe(expected(Infinity));
        index.entries.persist();
        expect(new OffsetIndex(disk, "/i.index", BASE).positionBefore(BASE + wanted)).toBe(expected(Infinity));
        index.truncateTo(BASE + cut);
        expect(index.positionBefore(BASE + wanted)).toBe(expected(cut));
      }),
    );
  });
  it("the time index never points past the first batch that is late enough", () => {
    const steps = fc.array(fc.record({ offset: fc.integer({ min: 1, max: 5 }), time: fc.integer({ min: -3, max: 9 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 300 }), (list, wanted) => {
        const index = new TimeIndex(new MemoryDisk(), "/i.timeindex", BASE);
        const batches: { offset: number; time: number }[] = [];
        let offset = 0;
        let time = 100;
        let largest = { time: -1, offset: 0 };
        for (const step of list) {
          offset += step.offset;
          time = Math.max(0, time + step.time);
          batches.push({ offset, time });
          if (time > largest.time) largest = { time, offset };
          index.append(largest.time, BASE + largest.offset);
        }
        const first = batches.find((batch) => batch.time >= wanted);
        if (first !== undefined) expect(index.offsetBefore(wanted)).toBeLessThanOrEqual(BASE + first.offset);
      }),
    );
  });
  it("the transaction index stops where nothing can overlap any more", () => {
    const index = new TransactionIndex(new MemoryDisk(), "/i.txnindex");
    index.append({ producerId: 1, firstOffset: 0, lastOffset: 10, lastStableOffset: 5 });
    index.append({ producerId: 2, firstOffset: 5, lastOffset: 20, lastStableOffset: 21 });
    index.append({ producerId: 3, firstOffset: 30, lastOffset: 40, lastStableOffset: 41 });
    const ids = (from: number, to: number) => {
      const found: { producerId: number }[] = [];
      return [index.collect(from, to, found as never), found.map(({ producerId }) => producerId)];
    };
    expect(ids(0, 100)).toEqual([false, [1, 2, 3]]);
    expect(ids(11, 30)).toEqual([true, [2]]);
    expect(ids(0, 4)).toEqual([true, [1]]);
    index.truncateTo(20);
    expect(ids(0, 100)).toEqual([false, [1]]);
  });
  it("snapshots survive the way to disk and notice any flipped bit", () => {
    const entry = fc.record({
      producerId: fc.integer({ min: 0, max: 2 ** 40 }),
      epoch: fc.integer({ min: 0, max: 32767 }),
      lastSequence: fc.integer({ min: -1, max: 0x7fffffff }),
      lastOffset: fc.integer({ min: -1, max: 2 ** 50 }),
      offsetDelta: fc.nat(),
      timestampMs: fc.integer({ min: -1, max: 2 ** 45 }),
      coordinatorEpoch: fc.integer({ min: -1, max: 100 }),
      currentTxnFirstOffset: fc.integer({ min: -1, max: 2 ** 50 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), fc.nat(), (entries, where) => {
        const bytes = encodeSnapshot(entries);
        expect(decodeSnapshot(bytes)).toEqual(entries);
        const bit = where % (bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(decodeSnapshot(bytes)).toBeNull();
      }),
    );
  });
});

describe("log config", () => {
  it("reads topic overrides before broker properties before Kafka's defaults", () => {
    expect(logConfig({})).toMatchObject({
      segmentBytes: 1 << 30,
      retentionMs: 604_800_000,
      retentionBytes: -1,
      compact: false,
      delete: true,
    });
    expect(logConfig({}, { "log.retention.hours": "2", "log.roll.ms": "5" })).toMatchObject({ retentionMs: 7_200_000, segmentMs: 5 });
    expect(logConfig({ "retention.ms": "-1" }, { "log.retention.ms": "9" }).retentionMs).toBe(-1);
    expect(logConfig({ "cleanup.policy": "compact, delete", "flush.messages": "9223372036854775807" })).toMatchObject({
      compact: true,
      delete: true,
      flushMessages: Number.MAX_SAFE_INTEGER,
    });
    expect(() => logConfig({ "segment.bytes": "many" })).toThrowError(LogConfigError);
    expect(() => logConfig({ "compression.type": "brotli" })).toThrowError(/must be one of/);
  });
});
