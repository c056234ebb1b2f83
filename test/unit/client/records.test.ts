/** Records into batches and out again, without a broker. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FetchedBatches, offsetAfter } from "#broker/client/consumer/fetched-batches";
import { Accumulator } from "#broker/client/producer/accumulator";
import { producerConfig } from "#broker/client/producer/config";
import { splitBatch } from "#broker/client/producer/split";
import type { ConsumedRecord } from "#broker/client/types";
import { systemClock } from "#broker/base/clock";
import { systemRandom } from "#broker/base/random";
import { crcOk, readBatchHeader, setBatchOffset } from "#broker/protocol/records/batch";
import { BatchBuilder } from "#broker/protocol/records/builder";
import { CODECS } from "#broker/protocol/records/compression/index";
import { readRecords } from "#broker/protocol/records/records";

const bytes = (text: string): Buffer => Buffer.from(text);
const committed = { readCommitted: true, checkCrcs: true };
const uncommitted = { readCommitted: false, checkCrcs: true };

interface BatchPlan {
  readonly base: number;
  readonly values: readonly string[];
  readonly producerId?: number;
  readonly transactional?: boolean;
  /** End of a transaction: 0 abort, 1 commit. */
  readonly marker?: 0 | 1;
}
function batch({ base, values, producerId = -1, transactional = false, marker }: BatchPlan): Buffer {
  const control = marker !== undefined;
  const builder = new BatchBuilder({ baseOffset: base, producerId, producerEpoch: 0, transactional: transactional || control, control });
  if (marker !== undefined) builder.append(1, Buffer.from([0, 0, 0, marker]), Buffer.from([0, 0, 0, 0, 0, 1]), []);
  for (const value of values) builder.append(1, null, bytes(value), []);
  return builder.build();
}
function drain(batches: FetchedBatches, step = 1000): string[] {
  const out: ConsumedRecord[] = [];
  while (batches.read(out, step) > 0);
  return out.map((each) => `${each.offset}:${Buffer.from(each.value ?? "").toString()}`);
}

describe("what is fetched", () => {
  const data = Buffer.concat([
    batch({ base: 0, values: ["plain"] }),
    batch({ base: 1, values: ["a1", "a2"], producerId: 7, transactional: true }),
    batch({ base: 3, values: ["c1"], producerId: 8, transactional: true }),
    batch({ base: 4, values: [], producerId: 7, marker: 0 }),
    batch({ base: 5, values: ["a3"], producerId: 7, transactional: true }),
    batch({ base: 6, values: [], producerId: 8, marker: 1 }),
    batch({ base: 7, values: [], producerId: 7, marker: 1 }),
  ]);
  const aborted = [{ producerId: 7, firstOffset: 1 }];
  test("read_committed leaves out aborted transactions and markers, and only those", () => {
    expect(drain(new FetchedBatches("t", 0, data, 0, aborted, committed))).toEqual(["0:plain", "3:c1", "5:a3"]);
    expect(drain(new FetchedBatches("t", 0, data, 0, aborted, committed), 1)).toEqual(["0:plain", "3:c1", "5:a3"]);
    expect(drain(new FetchedBatches("t", 0, data, 0, [], uncommitted))).toEqual(["0:plain", "1:a1", "2:a2", "3:c1", "5:a3"]);
  });
  test("begins in the middle of a batch, ends at the end of the last whole one", () => {
    const batches = new FetchedBatches("t", 0, data, 2, [], uncommitted);
    expect(drain(batches)).toEqual(["2:a2", "3:c1", "5:a3"]);
    expect(batches.nextOffset).toBe(8);
    expect([offsetAfter(data, 0), offsetAfter(data.subarray(0, data.length - 1), 0), offsetAfter(Buffer.alloc(0), 42)]).toEqual([8, 7, 42]);
    expect(drain(new FetchedBatches("t", 0, data.subarray(0, 100), 0, [], uncommitted))).toEqual(["0:plain"]);
  });
  test("a flipped bit is found, with the place where", () => {
    const broken = Buffer.from(data);
    broken[broken.length - 1] = (broken[broken.length - 1] ?? 0) ^ 1;
    const batches = new FetchedBatches("topic", 3, broken, 0, [], uncommitted);
    const out: ConsumedRecord[] = [];
    // Everything before it comes out first; then the error, every time.
    expect(batches.read(out, 100)).toBe(5);
    expect(() => batches.read(out, 100)).toThrow(/topic-3 at offset 7.*CRC/);
    expect(() => batches.read(out, 100)).toThrow(/topic-3 at offset 7.*CRC/);
    expect(out.length).toBe(5);
  });
  test("records whose compacted neighbours are gone keep their offsets", () => {
    const one = batch({ base: 10, values: ["x", "y"] });
    // The batch says it reached to offset 19; only its first two records are left.
    one.writeInt32BE(9, 23);
    const batches = new FetchedBatches("t", 0, one, 10, [], { readCommitted: false, checkCrcs: false });
    expect(drain(batches)).toEqual(["10:x", "11:y"]);
    expect(batches.nextOffset).toBe(20);
  });
});

describe("the accumulator", () => {
  const make = (more: Record<string, string> = {}) => {
    const fills: boolean[] = [];
    const accumulator = new Accumulator(producerConfig({ "batch.size": "2000", ...more }), systemClock, systemRandom, (_queue, full) =>
      fills.push(full),
    );
    accumulator.learn("t", 4);
    return { accumulator, fills };
  };
  const anyRecord = fc.record({
    key: fc.option(fc.uint8Array({ maxLength: 40 })),
    value: fc.option(fc.uint8Array({ maxLength: 900 })),
    timestamp: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 10 }), value: fc.option(fc.uint8Array({ maxLength: 20 })) }), {
      maxLength: 3,
    }),
  });
  test("what goes in comes out, in order, in batches within the limit, for every codec", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 60 }), fc.constantFrom(...CODECS), (records, codec) => {
        const { accumulator } = make();
        for (const { key, value, timestamp, headers } of records) accumulator.append("t", 1, key, value, timestamp, headers);
        const queue = accumulator.queue("t", 1);
        const batches = queue?.unsettled() ?? [];
        expect(accumulator.bufferedBytes).toBe(batches.reduce((sum, each) => sum + each.accountedBytes, 0));
        const out: unknown[] = [];
        for (const each of batches) {
          const built = each.finish(codec, false, 5, 1, 9);
          const header = readBatchHeader(built);
          if (header === null) throw new Error("no header");
          expect(crcOk(built, 0, built.length)).toBe(true);
          expect([header.producerId, header.producerEpoch, header.baseSequence, header.recordCount]).toEqual([5, 1, 9, each.count]);
          if (codec === "none" && each.count > 1) expect(built.length).toBeLessThanOrEqual(2000);
          for (const record of readRecords(built, 0, header)) out.push(plain(record));
          accumulator.release(each, true);
        }
        expect(out).toEqual(records.map(plain));
        expect(accumulator.bufferedBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
  function plain(record: {
    key: Uint8Array | null;
    value: Uint8Array | null;
    timestamp: number;
    headers: readonly { key: string; value: Uint8Array | null }[];
  }) {
    const hex = (value: Uint8Array | null): string | null => (value === null ? null : Buffer.from(value).toString("hex"));
    return [hex(record.key), hex(record.value), record.timestamp, record.headers.map((each) => [each.key, hex(each.value)])];
  }
  test("records of one burst share a delivery; a full batch begins another", () => {
    const { accumulator, fills } = make();
    const first = accumulator.append("t", 0, null, Buffer.alloc(900), 1, []);
    expect(accumulator.append("t", 0, null, Buffer.alloc(900), 1, [])).toBe(first);
    expect(accumulator.append("t", 0, null, Buffer.alloc(900), 1, [])).not.toBe(first);
    expect(fills).toEqual([false, true, false]);
  });
  test("without a key records stick to one partition until its batch is full", () => {
    const { accumulator } = make();
    const partitions = Array.from({ length: 4 }, () => accumulator.append("t", null, null, Buffer.alloc(400), 1, []).partition);
    expect(new Set(partitions).size).toBe(1);
  });
  test("unknown topics, wrong partitions and records above max.request.size are refused", () => {
    const { accumulator } = make({ "max.request.size": "5000" });
    expect(() => accumulator.append("u", 0, null, null, 1, [])).toThrow(/not known yet/);
    expect(() => accumulator.append("t", 4, null, null, 1, [])).toThrow(/not in the range \[0...4\)/);
    expect(() => accumulator.append("t", 0, null, Buffer.alloc(5000), 1, [])).toThrow(/max.request.size/);
    expect(accumulator.append("t", 0, null, Buffer.alloc(4500), 1, []).count).toBe(1);
  });
  test("a recycled buffer is not used twice, and not while it may still be read", () => {
    const { accumulator } = make();
    const fill = () => {
      const all = new Set([0, 1, 2].map(() => accumulator.append("t", 0, null, Buffer.alloc(1500, 1), 1, [])));
      return [...all];
    };
    const [a, b] = fill();
    if (a === undefined || b === undefined) throw new Error("two batches expected");
    accumulator.release(a, false);
    accumulator.release(b, true);
    accumulator.release(b, true);
    const buffers = fill().map((each) => each.builder.takeBuffer());
    expect(new Set(buffers).size).toBe(buffers.length);
    expect(buffers).not.toContain(a.builder.takeBuffer());
  });
  test("a split batch keeps records, order and sequences", () => {
    const { accumulator } = make();
    for (let i = 0; i < 7; i++) accumulator.append("t", 0, null, bytes(String(i)), 100 + i, []);
    const whole = accumulator.queue("t", 0)?.open;
    if (whole === null || whole === undefined) throw new Error("an open batch expected");
    whole.finish("gzip", false, 3, 0, 2_147_483_645);
    const parts = splitBatch(whole);
    expect(parts.map((each) => [each.count, each.sequence])).toEqual([
      [4, 2_147_483_645],
      [3, 1],
    ]);
    const values = parts.flatMap((part) => {
      const built = part.finish("gzip", false, part.producerId, part.producerEpoch, part.sequence);
      setBatchOffset(built, 0, 0, 0);
      const header = readBatchHeader(built);
      return header === null ? [] : readRecords(built, 0, header).map((each) => Buffer.from(each.value ?? "").toString());
    });
    expect(values).toEqual(["0", "1", "2", "3", "4", "5", "6"]);
  });
});
