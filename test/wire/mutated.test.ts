/**
 * The messages that Kafka's own classes wrote, with a few bytes changed or the end cut off: every decoder answers with a value or
 * a ProtocolError, and makes no more than a small multiple of the input. So do the decoders of what lies in internal topics,
 * snapshots and group members' metadata.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apis } from "#broker/protocol/apis";
import { compileDecoder } from "#broker/protocol/compile";
import { interpretDecoder } from "#broker/protocol/interpret";
import { ProtocolError } from "#broker/protocol/errors";
import { Reader } from "#broker/protocol/reader";
import { decodeRecord, encodeRecord } from "#broker/protocol/record-codec";
import type { RecordType } from "#broker/protocol/schema";
import { decodeSnapshot, encodeSnapshot } from "#broker/log/producer-snapshot";
import { subscribedTopicsOf } from "#broker/coordinator/group/embedded-protocol";
import * as consumerGroup from "#broker/protocol/state/consumer-group-records";
import * as embedded from "#broker/protocol/state/embedded";
import * as group from "#broker/protocol/state/group-records";
import * as metadata from "#broker/protocol/state/metadata-records";
import * as transaction from "#broker/protocol/state/transaction-records";

const cases: { api: string; version: number; direction: "request" | "response"; hex: string }[] = gunzipSync(
  readFileSync(join(import.meta.dirname, "kafka-4.1.0-messages.jsonl.gz")),
)
  .toString("utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

/** Length fields are where decoders are hurt: extreme bytes more often than others. */
const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }));
const edits = fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 4 });
const cut = fc.option(fc.nat(), { freq: 3 });
function mutated(good: Buffer, changes: readonly (readonly [number, number])[], end: number | null): Buffer {
  const bad = Buffer.from(good);
  if (bad.length === 0) return bad;
  for (const [at, value] of changes) bad[at % bad.length] = value;
  return end === null ? bad : bad.subarray(0, end % (bad.length + 1));
}
/** Values made, counted: an array that a length field promised must not exist. */
function sizeOf(value: unknown, depth = 0): number {
  if (typeof value !== "object" || value === null || depth > 30) return 1;
  if (value instanceof Uint8Array) return 1 + value.length;
  let sum = 1;
  for (const each of Object.values(value)) sum += sizeOf(each, depth + 1);
  return sum;
}
function survives(run: () => unknown, bytes: number): void {
  try {
    expect(sizeOf(run())).toBeLessThan(2000 + bytes * 40);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

describe.each([
  ["compiled", compileDecoder],
  ["interpreted", interpretDecoder],
] as const)("messages, %s", (_name, decoder) => {
  test.each(apis.map((api) => [api.name, api] as const))("%s", (name, api) => {
    const mine = cases.filter((each) => each.api === name);
    expect(mine.length).toBeGreaterThan(0);
    for (const { version, direction, hex } of mine) {
      const layout = { version, flexible: api.flexible !== null && version >= api.flexible };
      const decode = decoder(api[direction], layout, name);
      const good = Buffer.from(hex, "hex");
      fc.assert(
        fc.property(edits, cut, (changes, end) => {
          const bad = mutated(good, changes, end);
          survives(() => decode(new Reader(bad)), bad.length);
        }),
        { numRuns: 40 },
      );
    }
  });
});

const isRecordType = (value: unknown): value is RecordType =>
  typeof value === "object" && value !== null && "shape" in value && "versions" in value && "flexible" in value;
const recordTypes = [consumerGroup, embedded, group, metadata, transaction].flatMap((file) => Object.values(file).filter(isRecordType));
describe("records of internal topics", () => {
  test("there are some", () => expect(recordTypes.length).toBeGreaterThan(20));
  test.each(recordTypes.map((type) => [type.name, type] as const))("%s", (_name, type) => {
    for (let version = type.versions[0]; version <= type.versions[1]; version++) {
      const good = encodeRecord(type, version, {});
      fc.assert(
        fc.property(edits, cut, fc.uint8Array({ maxLength: 60 }), (changes, end, tail) => {
          const bad = mutated(Buffer.concat([good, tail]), changes, end);
          survives(() => decodeRecord(type, bad, version), bad.length);
        }),
        { numRuns: 60 },
      );
    }
  });
});

describe("other files and metadata", () => {
  test("producer snapshots: the entries or null", () => {
    const entry = {
      producerId: 7,
      epoch: 1,
      lastSequence: 9,
      lastOffset: 99,
      offsetDelta: 2,
      timestampMs: 5,
      coordinatorEpoch: 0,
      currentTxnFirstOffset: -1,
    };
    const good = encodeSnapshot([entry, { ...entry, producerId: 8 }]);
    expect(decodeSnapshot(good)).toHaveLength(2);
    fc.assert(
      fc.property(edits, cut, (changes, end) => {
        const bad = mutated(good, changes, end);
        const read = decodeSnapshot(bad);
        expect(read === null || bad.equals(good)).toBe(true);
      }),
    );
  });
  test("a member's subscription: the topics or null", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const topics = subscribedTopicsOf(bytes);
        expect(topics === null || topics.length <= bytes.length).toBe(true);
      }),
    );
  });
});
