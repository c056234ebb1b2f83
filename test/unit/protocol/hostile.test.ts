/** Bytes from strangers: any input ends in a value or a ProtocolError, and allocation follows the input's size. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apis } from "#broker/protocol/apis";
import { ProtocolError } from "#broker/protocol/errors";
import { metadata } from "#broker/protocol/messages/metadata";
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from "#broker/protocol/frame";
import { batches, readBatchHeader } from "#broker/protocol/records/batch";
import { BatchBuilder } from "#broker/protocol/records/builder";
import { decompress } from "#broker/protocol/records/compression/index";
import { readRecords } from "#broker/protocol/records/records";

const versioned = apis.flatMap((a) => Array.from({ length: a.versions[1] - a.versions[0] + 1 }, (_, i) => [a, a.versions[0] + i] as const));
function survives(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

describe("requests", () => {
  test("random bodies", () => {
    fc.assert(
      fc.property(fc.constantFrom(...versioned), fc.uint8Array({ maxLength: 200 }), ([api, version], body) => {
        const head = Buffer.alloc(10);
        head.writeInt16BE(api.key, 0);
        head.writeInt16BE(version, 2);
        head.writeInt16BE(-1, 8);
        survives(() => decodeRequest(Buffer.concat([head, body])));
        survives(() => decodeResponse(api, version, Buffer.concat([Buffer.alloc(4), body])));
      }),
      { numRuns: 3000 },
    );
  });
  test("every truncation of a frame is refused", () => {
    for (const [api, version] of versioned) {
      const frame = encodeRequest(api, version, 1, "c", {}).subarray(4);
      for (let size = 0; size < frame.length; size++)
        expect(() => decodeRequest(frame.subarray(0, size)), `${api.name} ${version} ${size}`).toThrow(ProtocolError);
    }
  });
  test("a count larger than the frame allocates nothing", () => {
    const frame = Buffer.from(encodeRequest(metadata, 1, 1, null, {}).subarray(4));
    frame.writeInt32BE(0x7fffffff, frame.length - 4);
    const before = process.memoryUsage().heapUsed;
    expect(() => decodeRequest(frame)).toThrow(ProtocolError);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
  });
  test("a body that its version cannot express is the caller's TypeError", () => {
    const produce = apis.find((a) => a.name === "Heartbeat");
    if (produce === undefined) throw new Error("no Heartbeat");
    expect(() => encodeRequest(produce, 0, 1, null, { groupInstanceId: "x" })).toThrow(TypeError);
    expect(() => encodeRequest(produce, 3, 1, null, { groupId: null })).toThrow(TypeError);
    expect(() => encodeResponse(produce, 99, 1, {})).toThrow(ProtocolError);
  });
});

describe("record batches", () => {
  const codec = fc.constantFrom("none", "gzip", "snappy", "lz4", "zstd" as const);
  const record = fc.record({
    ts: fc.integer({ min: 0, max: 4102444800000 }),
    key: fc.option(fc.uint8Array({ maxLength: 40 })),
    value: fc.option(fc.uint8Array({ maxLength: 3000 })),
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 9 }), value: fc.option(fc.uint8Array({ maxLength: 9 })) }), { maxLength: 3 }),
  });
  test("what is built is read back, in every codec", () => {
    fc.assert(
      fc.property(codec, fc.array(record, { minLength: 1, maxLength: 20 }), (c, list) => {
        const builder = new BatchBuilder({ baseOffset: 1000 });
        for (const r of list) expect(builder.append(r.ts, r.key, r.value, r.headers)).toBe(true);
        const batch = builder.build(c);
        const header = readBatchHeader(batch);
        expect(header?.sizeInBytes).toBe(batch.length);
        if (header === null) return;
        const back = readRecords(batch, 0, header).map((r) => ({
          ts: r.timestamp,
          key: bytes(r.key),
          value: bytes(r.value),
          headers: r.headers.map((h) => ({ key: h.key, value: bytes(h.value) })),
        }));
        expect(back).toEqual(
          list.map((r) => ({
            ts: r.ts,
            key: bytes(r.key),
            value: bytes(r.value),
            headers: r.headers.map((h) => ({ key: wellFormed(h.key), value: bytes(h.value) })),
          })),
        );
      }),
      { numRuns: 300 },
    );
  });
  test("mutated batches give records or a ProtocolError", () => {
    const builder = new BatchBuilder();
    for (let i = 0; i < 50; i++)
      builder.append(1_700_000_000_000 + i, Buffer.from(`key ${i}`), Buffer.from("value ".repeat(i)), [{ key: "h", value: null }]);
    for (const c of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
      const good = builder.build(c);
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), (edits) => {
          const bad = Buffer.from(good);
          for (const [at, byte] of edits) bad[at] = byte;
          for (const { header, start } of batches(bad)) survives(() => readRecords(bad, start, header));
        }),
        { numRuns: 400 },
      );
    }
  });
  test("a decompression bomb stops at the limit", () => {
    const zeros = Buffer.alloc(8 << 20);
    const builder = new BatchBuilder();
    builder.append(0, null, zeros, []);
    for (const c of ["gzip", "snappy", "lz4", "zstd"] as const) {
      const batch = builder.build(c);
      expect(() => decompress(c, batch.subarray(61), 1 << 20), c).toThrow(ProtocolError);
      expect(decompress(c, batch.subarray(61), 16 << 20).length, c).toBeGreaterThan(8 << 20);
    }
  });
});
const bytes = (b: Uint8Array | null): string | null => (b === null ? null : Buffer.from(b).toString("hex"));
const wellFormed = (text: string): string => text.toWellFormed();
