import { describe, expect, it } from "vitest";
import type { Coordinators } from "#broker/coordinator/types";
import { ErrorCode } from "#broker/protocol/errors";
import { decodeRecord, encodeRecord } from "#broker/protocol/record-codec";
import { consumerProtocolAssignment, consumerProtocolSubscription } from "#broker/protocol/state/embedded";
import { settle, type World, world } from "./coordinator-world.ts";

const from = { version: 5, clientId: "cl", host: "127.0.0.1" };
const subscription = encodeRecord(consumerProtocolSubscription, 1, { topics: ["t"], userData: null, ownedPartitions: [] });
const join = (c: Coordinators, memberId: string, more: object = {}) =>
  c.groups.joinGroup(from, {
    groupId: "g",
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 20_000,
    memberId,
    groupInstanceId: null,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: subscription }],
    reason: null,
    ...more,
  });
const sync = (c: Coordinators, memberId: string, generationId: number, assignments: { memberId: string; assignment: Uint8Array }[] = []) =>
  c.groups.syncGroup(from, {
    groupId: "g",
    generationId,
    memberId,
    groupInstanceId: null,
    protocolType: "consumer",
    protocolName: "range",
    assignments,
  });
const beat = (c: Coordinators, memberId: string, memberEpoch: number, owned: number[] | null = []) =>
  c.groups.consumerHeartbeat(
    { version: 1, clientId: "cl", host: "127.0.0.1" },
    {
      groupId: "g",
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: memberEpoch === 0 ? 30_000 : -1,
      subscribedTopicNames: memberEpoch === 0 ? ["t"] : null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: owned === null ? null : owned.length === 0 ? [] : [{ topicId: TOPIC_ID, partitions: owned }],
    },
  );
const TOPIC_ID = Buffer.from("t".padEnd(16, "_")).toString("base64url");
const heartbeat = (c: Coordinators, memberId: string, generationId: number) =>
  c.groups.heartbeat({ groupId: "g", generationId, memberId, groupInstanceId: null });
const partitionsOf = (assignment: Uint8Array | undefined): number[] =>
  decodeRecord(consumerProtocolAssignment, assignment ?? Buffer.alloc(0)).assignedPartitions.flatMap(({ partitions }) => [...partitions]);
const commit = async (c: Coordinators, memberId: string, generationOrEpoch: number, version = 8): Promise<number | undefined> => {
  const partitions = [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: null }];
  const shared = { version, groupId: "g", instanceId: null, retentionTimeMs: -1, producer: null };
  const [result] = await c.groups.commitOffsets({ ...shared, memberId, generationOrEpoch, topics: [{ name: "t", partitions }] });
  return result?.partitions[0]?.errorCode;
};

/** A stable classic group of one, which owns all of "t". */
async function classicGroup(w: World, c: Coordinators): Promise<string> {
  const { memberId = "" } = await join(c, "");
  const joining = join(c, memberId);
  await w.clock.advance(0);
  expect((await joining).generationId).toBe(1);
  const all = { assignedPartitions: [{ topic: "t", partitions: [0, 1, 2, 3] }] };
  await sync(c, memberId, 1, [{ memberId, assignment: encodeRecord(consumerProtocolAssignment, 1, all) }]);
  return memberId;
}

describe("a group with members that changes its protocol", () => {
  it("goes up with its members, generation and assignment, moves partitions between both kinds, and down again", async () => {
    const w = world();
    const c = await w.start();
    const a = await classicGroup(w, c);
    expect((await beat(c, "new", 0)).errorCode).toBe(ErrorCode.NONE);
    expect(c.groups.describeConsumer("g")).toMatchObject({ groupState: "Reconciling", groupEpoch: 2 });
    expect(c.groups.describeConsumer("g").members?.map(({ memberType, memberEpoch }) => [memberType, memberEpoch])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    // Until it has given half away it owns all, and may commit in its generation.
    expect(await commit(c, a, 1)).toBe(ErrorCode.NONE);
    expect(await commit(c, a, 2)).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(heartbeat(c, a, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect((await sync(c, a, 1)).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    // An eager member owns nothing when it joins.
    const joined = await join(c, a);
    expect(joined).toMatchObject({ errorCode: 0, generationId: 2, leader: "", members: [], protocolName: "range" });
    expect((await sync(c, a, 1)).errorCode).toBe(ErrorCode.ILLEGAL_GENERATION);
    const mine = partitionsOf((await sync(c, a, 2)).assignment);
    expect(mine).toHaveLength(2);
    expect(heartbeat(c, a, 2)).toBe(ErrorCode.NONE);
    expect(await commit(c, a, 1)).toBe(ErrorCode.ILLEGAL_GENERATION);
    const theirs = (await beat(c, "new", 2)).assignment?.topicPartitions?.flatMap(({ partitions }) => [...(partitions ?? [])]) ?? [];
    expect([...mine, ...theirs].sort((x, y) => x - y)).toEqual([0, 1, 2, 3]);
    expect(c.groups.describeConsumer("g").groupState).toBe("Stable");
    // All of it is in the log.
    const restarted = await w.start();
    expect(restarted.groups.describeConsumer("g")).toEqual(c.groups.describeConsumer("g"));
    expect(heartbeat(restarted, a, 2)).toBe(ErrorCode.NONE);
    // The last of the consumer protocol leaves.
    expect((await beat(restarted, "new", -1)).errorCode).toBe(ErrorCode.NONE);
    expect(restarted.groups.list([], ["classic"]).groups).toMatchObject([{ groupId: "g", groupState: "PreparingRebalance" }]);
    expect(heartbeat(restarted, a, 2)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(await join(restarted, a)).toMatchObject({ errorCode: 0, generationId: 3, leader: a });
    expect((await w.start()).groups.list([], ["classic"]).groups).toMatchObject([{ groupId: "g", groupType: "classic" }]);
  });

  it("keeps its protocol where group.consumer.migration.policy says so", async () => {
    const w = world();
    const c = await w.start({ "group.consumer.migration.policy": "downgrade" });
    await classicGroup(w, c);
    expect(await beat(c, "new", 0)).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND });
    const up = await w.start({ "group.consumer.migration.policy": "UPGRADE" });
    expect((await beat(up, "new", 0)).errorCode).toBe(ErrorCode.NONE);
    expect((await beat(up, "new", -1)).errorCode).toBe(ErrorCode.NONE);
    expect(up.groups.list([], ["consumer"]).groups).toHaveLength(1);
    const none = await w.start({ "group.consumer.migration.policy": "disabled" });
    expect(none.groups.list([], ["consumer"]).groups).toHaveLength(1);
  });

  it("takes classic members into a consumer group, and makes them join and sync in time", async () => {
    const w = world();
    const c = await w.start();
    expect((await beat(c, "new", 0)).errorCode).toBe(ErrorCode.NONE);
    const refused = await join(c, "", { protocolType: "connect" });
    expect(refused.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    const { memberId = "", errorCode } = await join(c, "");
    expect(errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED);
    expect(await join(c, memberId)).toMatchObject({ errorCode: 0, generationId: 2 });
    expect((await join(c, "x", { protocols: [{ name: "other", metadata: subscription }] })).errorCode).toBe(
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    );
    expect(heartbeat(c, "new", 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(c.groups.leaveGroup("g", [{ memberId: "new", groupInstanceId: null, reason: null }]).codes).toEqual([
      ErrorCode.UNKNOWN_MEMBER_ID,
    ]);
    // It never sends SyncGroup.
    for (let i = 0; i < 5; i++) {
      await w.clock.advance(5_000);
      heartbeat(c, memberId, 2);
      await beat(c, "new", c.groups.describeConsumer("g").members?.[0]?.memberEpoch ?? 0, null);
    }
    expect(c.groups.describeConsumer("g").members?.map((member) => member.memberId)).toEqual(["new"]);
    await settle();
  });

  it("does not go up with the data of an assignor of the user's own", async () => {
    const w = world();
    const c = await w.start();
    const { memberId = "" } = await join(c, "");
    const joining = join(c, memberId);
    await w.clock.advance(0);
    await joining;
    const own = { assignedPartitions: [], userData: Buffer.from("mine") };
    await sync(c, memberId, 1, [{ memberId, assignment: encodeRecord(consumerProtocolAssignment, 1, own) }]);
    const refused = await beat(c, "new", 0);
    expect(refused.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(refused.errorMessage).toContain("unsupported custom assignor");
    expect(heartbeat(c, memberId, 1)).toBe(ErrorCode.NONE);
  });
});
