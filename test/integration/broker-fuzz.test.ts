/** Frames that no client would send: the broker closes their connection, keeps its memory, and goes on serving the others. */
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeRequest } from "#broker/protocol/frame";
import { apis } from "#broker/protocol/apis";
import * as m from "#broker/protocol/messages/index";
import { batchOf, get, makeTopic, put, startTestBroker, type TestBroker, valuesOf } from "./broker-fixture.ts";

let it: TestBroker;
beforeAll(async () => {
  it = await startTestBroker({ "socket.request.max.bytes": "1048576", "auto.create.topics.enable": "false" });
  await makeTopic(it.client, "untouched");
  await put(it.client, "untouched", batchOf(["safe"]));
});
afterAll(() => it.stop());

/** Writes the bytes, half-closes, and resolves when the broker has closed the connection. */
function throwAt(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port: it.broker.port, host: "127.0.0.1" }, () => socket.end(bytes));
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    setTimeout(() => socket.destroy(), 2000).unref();
  });
}
const real: readonly Buffer[] = [
  encodeRequest(m.apiVersions, 3, 1, "c", { clientSoftwareName: "a", clientSoftwareVersion: "1" }),
  encodeRequest(m.metadata, 12, 2, "c", { topics: [{ name: "untouched" }], allowAutoTopicCreation: false }),
  encodeRequest(m.metadata, 1, 2, "c", { topics: null }),
  encodeRequest(m.produce, 9, 3, "c", {
    acks: 1,
    timeoutMs: 10,
    topicData: [{ name: "elsewhere", partitionData: [{ index: 0, records: batchOf(["x"]) }] }],
  }),
  encodeRequest(m.fetch, 12, 4, "c", {
    maxWaitMs: 1,
    minBytes: 1,
    sessionEpoch: -1,
    topics: [{ topic: "untouched", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] }],
  }),
  encodeRequest(m.listOffsets, 6, 5, "c", {
    replicaId: -1,
    topics: [{ name: "untouched", partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  }),
  encodeRequest(m.describeConfigs, 4, 6, "c", { resources: [{ resourceType: 2, resourceName: "untouched", configurationKeys: null }] }),
  encodeRequest(m.findCoordinator, 4, 7, "c", { keyType: 0, coordinatorKeys: ["g"] }),
  encodeRequest(m.describeCluster, 1, 8, "c", {}),
];
const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
const keys = apis.map(({ key }) => key).filter((key) => key !== m.deleteTopics.key && key !== m.deleteRecords.key);

describe("hostile frames", () => {
  test("random bytes, mutated requests and cut ones", { timeout: 60_000 }, async () => {
    const before = process.memoryUsage().rss;
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((raw) => Buffer.from(raw)),
      // A size that fits, a real key and version, and a body of noise.
      fc.tuple(fc.constantFrom(...keys), fc.nat(14), fc.uint8Array({ maxLength: 120 })).map(([key, version, body]) => {
        const head = Buffer.alloc(14);
        head.writeInt32BE(10 + body.length, 0);
        head.writeInt16BE(key, 4);
        head.writeInt16BE(version, 6);
        return Buffer.concat([head, Buffer.from(body)]);
      }),
      fc.tuple(fc.constantFrom(...real), edits).map(([frame, changes]) => {
        const mutated = Buffer.from(frame);
        for (const [at, value] of changes) mutated[4 + (at % (mutated.length - 4))] = value;
        return mutated;
      }),
      fc.tuple(fc.constantFrom(...real), fc.nat()).map(([frame, at]) => frame.subarray(0, at % frame.length)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 8, maxLength: 8 }), async (eight) => {
        await Promise.all(eight.map(throwAt));
      }),
      { numRuns: 60 },
    );
    expect(valuesOf(await get(it.client, "untouched", 0))).toEqual(["safe"]);
    await expect.poll(() => it.broker.metrics().connections).toBe(1);
    expect(it.broker.metrics().queuedBytes).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20);
  });
});
