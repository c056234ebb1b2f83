import { describe, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { systemRandom } from "#broker/base/random";
import { type FetchPlan, FetchSessions } from "#broker/handlers/fetch-session";
import type { FetchRequest } from "#broker/protocol/messages/fetch";

const ID = "AAAAAAAAAAAAAAAAAAAAZg";
function request(
  sessionId: number,
  sessionEpoch: number,
  offsets: Readonly<Record<number, number>>,
  forgotten: number[] = [],
): FetchRequest {
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1,
    isolationLevel: 0,
    sessionId,
    sessionEpoch,
    topics: [
      {
        topic: "t",
        topicId: ID,
        partitions: Object.entries(offsets).map(([partition, fetchOffset]) => ({
          partition: Number(partition),
          currentLeaderEpoch: -1,
          fetchOffset,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes: 1,
          replicaDirectoryId: ID,
          highWatermark: -1,
        })),
      },
    ],
    forgottenTopicsData: forgotten.length === 0 ? [] : [{ topic: "t", topicId: ID, partitions: forgotten }],
    rackId: "",
  };
}
const offsets = (plan: FetchPlan): unknown => plan.partitions.map(({ partition, fetchOffset }) => [partition, fetchOffset]);
const open = (slots = 10, clock = systemClock): FetchSessions => new FetchSessions(slots, clock, systemRandom);

describe("fetch sessions", () => {
  test("a session remembers partitions, takes changes and forgets what it is told to", () => {
    const sessions = open();
    const first = sessions.plan(request(0, 0, { 0: 5, 1: 6 }), 12);
    expect([first.incremental, first.sessionId > 0]).toEqual([false, true]);
    expect(offsets(sessions.plan(request(first.sessionId, 1, {}), 12))).toEqual([
      [0, 5],
      [1, 6],
    ]);
    expect(offsets(sessions.plan(request(first.sessionId, 2, { 1: 9, 2: 0 }, [0]), 12))).toEqual([
      [1, 9],
      [2, 0],
    ]);
  });
  test("who was given data waits behind the others", () => {
    const sessions = open();
    const { sessionId } = sessions.plan(request(0, 0, { 0: 0, 1: 0, 2: 0 }), 12);
    const plan = sessions.plan(request(sessionId, 1, {}), 12);
    plan.served(plan.partitions[0]!); // three were asked for
    expect(sessions.plan(request(sessionId, 2, {}), 12).partitions.map(({ partition }) => partition)).toEqual([1, 2, 0]);
  });
  test("wrong epochs, unknown sessions and a change of naming are told apart", () => {
    const sessions = open();
    const { sessionId } = sessions.plan(request(0, 0, { 0: 0 }), 12);
    expect(sessions.plan(request(sessionId, 7, {}), 12).errorCode).toBe(71);
    expect(sessions.plan(request(sessionId ^ 1, 1, {}), 12).errorCode).toBe(70);
    expect(sessions.plan(request(sessionId, 1, {}), 13).errorCode).toBe(106);
  });
  test("the final epoch closes the session", () => {
    const sessions = open();
    const { sessionId } = sessions.plan(request(0, 0, { 0: 0 }), 12);
    expect(sessions.plan(request(sessionId, -1, { 0: 3 }), 12)).toMatchObject({ sessionId: 0, incremental: false });
    expect([sessions.count, sessions.plan(request(sessionId, 1, {}), 12).errorCode]).toEqual([0, 70]);
  });
  test("when all slots are taken, only one unused for long gives way", () => {
    let nowMs = 0;
    const sessions = open(2, { ...systemClock, monotonic: () => nowMs });
    const old = sessions.plan(request(0, 0, { 0: 0 }), 12).sessionId;
    const used = sessions.plan(request(0, 0, { 0: 0 }), 12).sessionId;
    expect(sessions.plan(request(0, 0, { 0: 0 }), 12).sessionId).toBe(0);
    nowMs = 130_000;
    expect(sessions.plan(request(used, 1, {}), 12).errorCode).toBe(0);
    expect(sessions.plan(request(0, 0, { 0: 0 }), 12).sessionId).toBeGreaterThan(0);
    expect(sessions.plan(request(old, 1, {}), 12).errorCode).toBe(70);
    expect(sessions.count).toBe(2);
  });
});
