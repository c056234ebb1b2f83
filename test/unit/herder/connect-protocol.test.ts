import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConnectError } from "#connect/api/errors";
import { type Assignment, decodeAssignment, decodeMetadata, encodeAssignment, encodeMetadata } from "#connect/herder/connect-protocol";

/** Written by Kafka Connect 4.1's own classes (ConnectProtocol, IncrementalCooperativeConnectProtocol). */
const FROM_JVM = {
  meta0: "0000000b687474703a2f2f773a312f000000000000002a",
  assign0: "0000000000046c656164000b687474703a2f2f773a312f000000000000002a000000020002633100000002ffffffff00000000000263320000000100000003",
  assign1:
    "0001000000046c656164000b687474703a2f2f773a312f000000000000002a000000020002633100000002ffffffff00000000000263320000000100000003000000010002633900000002ffffffff00000001000000fa",
  metaEmpty1: "0001000b687474703a2f2f773a312f000000000000002affffffff",
  meta2:
    "0002000b687474703a2f2f773a312f000000000000002a0000003b0002000000046c656164000b687474703a2f2f773a312f000000000000002a000000010002633100000002ffffffff000000000000000000000000",
} as const;
const url = "http://w:1/";
const assignment = (version: number): Assignment => ({
  version,
  error: 0,
  leader: "lead",
  leaderUrl: url,
  configOffset: 42,
  connectors: ["c1"],
  tasks: [
    { connector: "c1", task: 0 },
    { connector: "c2", task: 3 },
  ],
  revoked: version === 0 ? { connectors: [], tasks: [] } : { connectors: ["c9"], tasks: [{ connector: "c9", task: 1 }] },
  delayMs: version === 0 ? 0 : 250,
});

describe("bytes of the worker group", () => {
  test("assignments are what the JVM writes, and are read back", () => {
    for (const version of [0, 1] as const) {
      const hex = FROM_JVM[`assign${version}`];
      expect(encodeAssignment(assignment(version)).toString("hex")).toBe(hex);
      expect(decodeAssignment(Buffer.from(hex, "hex"))).toEqual(assignment(version));
    }
  });
  test("metadata is what the JVM writes, with and without work that is held", () => {
    expect(encodeMetadata({ version: 0, url, configOffset: 42, assignment: null }).toString("hex")).toBe(FROM_JVM.meta0);
    expect(encodeMetadata({ version: 1, url, configOffset: 42, assignment: null }).toString("hex")).toBe(FROM_JVM.metaEmpty1);
    const held: Assignment = {
      ...assignment(2),
      tasks: [{ connector: "c1", task: 0 }],
      revoked: { connectors: [], tasks: [] },
      delayMs: 0,
    };
    const metadata = { version: 2, url, configOffset: 42, assignment: held };
    expect(encodeMetadata(metadata).toString("hex")).toBe(FROM_JVM.meta2);
    expect(decodeMetadata(Buffer.from(FROM_JVM.meta2, "hex"))).toEqual(metadata);
  });
  test("torn or hostile bytes are a ConnectError, never a long loop", () => {
    const whole = Buffer.from(FROM_JVM.meta2, "hex");
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (cut, at, byte) => {
        const bytes = Buffer.from(whole);
        bytes[at] = byte;
        for (const input of [bytes, whole.subarray(0, cut)]) {
          try {
            decodeMetadata(input);
          } catch (error) {
            expect(error).toBeInstanceOf(ConnectError);
          }
        }
      }),
    );
  });
});
