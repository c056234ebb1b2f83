/** The parts of the client that hold no connection: frames, SCRAM, backoff, verdicts, metadata. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs } from "#broker/client/backoff";
import { FrameReader } from "#broker/client/frame-reader";
import { MetadataCache } from "#broker/client/metadata-cache";
import { sequenceAfter } from "#broker/client/producer/identity";
import { type BatchSituation, verdict } from "#broker/client/producer/verdict";
import { scram } from "#broker/client/sasl/scram";
import { ErrorCode } from "#broker/protocol/errors";
import { decodeResponse, encodeResponse } from "#broker/protocol/frame";
import { metadata } from "#broker/protocol/messages/index";

describe("frames", () => {
  test("come out whole however the stream is cut", () => {
    const frames = fc.array(fc.uint8Array({ minLength: 4, maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }), (bodies, cuts) => {
        const stream = Buffer.concat(
          bodies.map((body) => {
            const size = Buffer.alloc(4);
            size.writeInt32BE(body.length);
            return Buffer.concat([size, body]);
          }),
        );
        const out: Buffer[] = [];
        const reader = new FrameReader(1000, (frame) => out.push(Buffer.from(frame)));
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = at + (cuts[i % cuts.length] ?? 1);
          reader.push(Buffer.from(stream.subarray(at, end)));
          at = end;
        }
        expect(out.map((each) => each.toString("hex"))).toEqual(bodies.map((each) => Buffer.from(each).toString("hex")));
      }),
    );
  });
  test.each([-1, 3, 1001])("a size of %i is refused before anything is allocated", (size) => {
    const head = Buffer.alloc(8);
    head.writeInt32BE(size);
    expect(() => new FrameReader(1000, () => {}).push(head)).toThrow(/limit 1000/);
  });
});

describe("SCRAM", () => {
  // RFC 7677, section 3.
  const serverFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  const talk = (): ReturnType<typeof scram> => scram("sha256", "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
  test("the RFC's conversation", () => {
    const client = talk();
    expect(client.first().toString()).toBe("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    expect(client.final(serverFirst).toString()).toBe(
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    );
    client.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  });
  test("a server that does not know the password, or answers somebody else, is refused", () => {
    const client = talk();
    client.final(serverFirst);
    expect(() => client.verify("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).toThrow(/proof/);
    expect(() => client.verify("e=other-error")).toThrow(/other-error/);
    expect(() => talk().final(serverFirst.replace("r=rOpr", "r=XXXX"))).toThrow(/nonce/);
    expect(() => talk().final(serverFirst.replace("i=4096", "i=1"))).toThrow(/iteration/);
    expect(scram("sha512", "a=b,c", "x", "n").first().toString()).toBe("n,,n=a=3Db=2Cc,r=n");
  });
});

describe("backoff", () => {
  test("doubles, jitters by a fifth, and is capped", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 30 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (base, failures, r) => {
          const random = { below: (bound: number) => Math.floor(r * bound), bytes: (count: number) => new Uint8Array(count) };
          const wait = backoffMs(random, base, 1000, failures);
          const exact = base * 2 ** Math.min(failures, 20);
          expect(wait).toBeGreaterThanOrEqual(Math.min(0.8 * exact, 1000) - 1e-6);
          expect(wait).toBeLessThanOrEqual(Math.min(1.2 * exact, 1000) + 1e-6);
        },
      ),
    );
  });
});

describe("verdicts on batches", () => {
  const idempotent: BatchSituation = { idempotent: true, transactional: false, oldest: true, records: 5 };
  test.each([
    ["NONE", idempotent, "acked"],
    ["DUPLICATE_SEQUENCE_NUMBER", idempotent, "acked"],
    ["NOT_LEADER_OR_FOLLOWER", idempotent, "retry"],
    ["NETWORK_EXCEPTION", idempotent, "retry"],
    ["OUT_OF_ORDER_SEQUENCE_NUMBER", { ...idempotent, oldest: false }, "retry"],
    ["OUT_OF_ORDER_SEQUENCE_NUMBER", idempotent, "renumber"],
    ["UNKNOWN_PRODUCER_ID", idempotent, "renumber"],
    ["INVALID_PRODUCER_EPOCH", idempotent, "renumber"],
    ["OUT_OF_ORDER_SEQUENCE_NUMBER", { ...idempotent, transactional: true }, "failed"],
    ["OUT_OF_ORDER_SEQUENCE_NUMBER", { ...idempotent, idempotent: false }, "failed"],
    ["MESSAGE_TOO_LARGE", idempotent, "split"],
    ["MESSAGE_TOO_LARGE", { ...idempotent, records: 1 }, "failed"],
    ["TOPIC_AUTHORIZATION_FAILED", idempotent, "failed"],
    ["TRANSACTION_ABORTABLE", { ...idempotent, transactional: true }, "failed"],
    ["PRODUCER_FENCED", { ...idempotent, transactional: true }, "fatal"],
  ] as const)("%s", (name, situation, expected) => {
    expect(verdict(ErrorCode[name], situation)).toBe(expected);
  });
  test("sequences wrap from 2^31-1 to 0", () => {
    expect(sequenceAfter(0, 10)).toBe(10);
    expect(sequenceAfter(2_147_483_647, 1)).toBe(0);
    expect(sequenceAfter(2_147_483_640, 10)).toBe(2);
  });
});

describe("metadata", () => {
  const answer = (leader: number, leaderEpoch: number, topicId = "aaaaaaaaaaaaaaaaaaaaaA", errorCode = 0) =>
    decodeResponse(
      metadata,
      13,
      encodeResponse(metadata, 13, 1, {
        brokers: [{ nodeId: 1, host: "h", port: 9 }],
        clusterId: "c",
        topics: [
          {
            errorCode,
            name: "t",
            topicId,
            partitions: errorCode === 0 ? [{ partitionIndex: 0, leaderId: leader, leaderEpoch, replicaNodes: [1], isrNodes: [1] }] : [],
          },
        ],
      }).subarray(4),
    ).body;
  test("an older leader epoch does not win, a new topic of the same name does", () => {
    const cache = new MetadataCache();
    cache.apply(answer(1, 5), false);
    cache.apply(answer(2, 4), false);
    expect(cache.leaderOf("t", 0)).toBe(1);
    cache.apply(answer(3, 6), false);
    expect(cache.leaderOf("t", 0)).toBe(3);
    cache.apply(answer(4, 0, "bbbbbbbbbbbbbbbbbbbbbA"), false);
    expect([cache.leaderOf("t", 0), cache.nameOfId("aaaaaaaaaaaaaaaaaaaaaA"), cache.nameOfId("bbbbbbbbbbbbbbbbbbbbbA")]).toEqual([
      4,
      undefined,
      "t",
    ]);
  });
  test("what is gone is dropped, what fails for now is kept", () => {
    const cache = new MetadataCache();
    cache.apply(answer(1, 5), false);
    cache.apply(answer(1, 5, undefined, ErrorCode.LEADER_NOT_AVAILABLE), false);
    expect([cache.leaderOf("t", 0), cache.errorOf("t")]).toEqual([1, ErrorCode.LEADER_NOT_AVAILABLE]);
    cache.apply(answer(1, 5, undefined, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), false);
    expect(cache.topic("t")).toBeUndefined();
  });
});
