import { describe, expect, it } from "vitest";
import type { Coordinators } from "#broker/coordinator/types";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { encodeRecord } from "#broker/protocol/record-codec";
import { consumerProtocolSubscription } from "#broker/protocol/state/embedded";
import { settle, world } from "./coordinator-world.ts";

const subscription = encodeRecord(consumerProtocolSubscription, 1, { topics: ["t"] });
interface Join {
  memberId?: string;
  instanceId?: string | null;
  version?: number;
  protocols?: readonly string[];
  protocolType?: string;
  sessionTimeoutMs?: number;
  groupId?: string;
}
function join(c: Coordinators, { memberId = "", instanceId = null, version = 9, ...rest }: Join = {}) {
  return c.groups.joinGroup(
    { version, clientId: "cl", host: "127.0.0.1" },
    {
      groupId: rest.groupId ?? "g",
      sessionTimeoutMs: rest.sessionTimeoutMs ?? 10_000,
      rebalanceTimeoutMs: 20_000,
      memberId,
      groupInstanceId: instanceId,
      protocolType: rest.protocolType ?? "consumer",
      protocols: (rest.protocols ?? ["range"]).map((name) => ({ name, metadata: subscription })),
      reason: null,
    },
  );
}
function sync(
  c: Coordinators,
  memberId: string,
  generationId: number,
  assigned: Record<string, string> = {},
  instanceId: string | null = null,
) {
  return c.groups.syncGroup(
    { version: 5, clientId: "cl", host: "127.0.0.1" },
    {
      groupId: "g",
      generationId,
      memberId,
      groupInstanceId: instanceId,
      protocolType: "consumer",
      protocolName: "range",
      assignments: Object.entries(assigned).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) })),
    },
  );
}
const beat = (c: Coordinators, memberId: string, generationId: number, groupInstanceId: string | null = null) =>
  c.groups.heartbeat({ groupId: "g", generationId, memberId, groupInstanceId });
const commit = (c: Coordinators, memberId: string, generationOrEpoch: number, offset: number, topic = "t") =>
  c.groups.commitOffsets({
    version: 9,
    groupId: "g",
    generationOrEpoch,
    memberId,
    instanceId: null,
    retentionTimeMs: -1,
    topics: [
      { name: topic, partitions: [{ partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: 3, committedMetadata: "m" }] },
    ],
    producer: null,
  });
const fetch = (c: Coordinators) =>
  c.groups.fetchOffsets({ groupId: "g", memberId: null, memberEpoch: -1, topics: null, requireStable: false }).topics;
const codeOfCommit = async (result: ReturnType<typeof commit>) => (await result)[0]?.partitions[0]?.errorCode;

/** One stable member; its id and generation. */
async function stable(w: ReturnType<typeof world>, c: Coordinators, instanceId: string | null = null) {
  const joining = join(c, { version: 3, instanceId });
  await w.clock.advance(0);
  const joined = await joining;
  const id = joined.memberId ?? "";
  const synced = await sync(c, id, joined.generationId ?? -1, { [id]: "all" }, instanceId);
  expect(synced.errorCode).toBe(ErrorCode.NONE);
  return { id, generation: joined.generationId ?? -1 };
}

describe("classic group", () => {
  it("hands out a member id first, then joins, syncs and is stable", async () => {
    const w = world();
    const c = await w.start();
    const first = await join(c);
    expect(first.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED);
    expect(first.memberId).toMatch(/^cl-[0-9a-f]{8}-[0-9a-f]{4}-4/);
    const joining = join(c, { memberId: first.memberId ?? "" });
    await w.clock.advance(0);
    const joined = await joining;
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolName: "range", leader: first.memberId });
    expect(joined.members).toHaveLength(1);
    const synced = await sync(c, first.memberId ?? "", 1, { [first.memberId ?? ""]: "mine" });
    expect(Buffer.from(synced.assignment ?? []).toString()).toBe("mine");
    expect(beat(c, first.memberId ?? "", 1)).toBe(ErrorCode.NONE);
    expect(beat(c, first.memberId ?? "", 2)).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(beat(c, "nobody", 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(c.groups.describe("g", 6)).toMatchObject({ groupState: "Stable", protocolData: "range", protocolType: "consumer" });
  });

  it("rebalances when a second member joins; a foreign protocol is refused", async () => {
    const w = world();
    const c = await w.start();
    const a = await stable(w, c);
    expect((await join(c, { protocolType: "connect" })).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect((await join(c, { protocols: ["sticky"] })).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    const second = join(c, { version: 3 });
    await settle();
    expect(beat(c, a.id, a.generation)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(await codeOfCommit(commit(c, a.id, a.generation, 5))).toBe(ErrorCode.NONE);
    const again = await join(c, { memberId: a.id });
    const b = await second;
    expect([again.generationId, b.generationId]).toEqual([2, 2]);
    expect([again.members?.length, b.members?.length]).toEqual([2, 0]);
    expect(await codeOfCommit(commit(c, a.id, 2, 6))).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    const waiting = sync(c, b.memberId ?? "", 2);
    await sync(c, a.id, 2, { [a.id]: "1", [b.memberId ?? ""]: "2" });
    expect(Buffer.from((await waiting).assignment ?? []).toString()).toBe("2");
    expect(await codeOfCommit(commit(c, a.id, 1, 7))).toBe(ErrorCode.ILLEGAL_GENERATION);
  });

  it("expires silent members, dynamic ones at the end of the join phase", async () => {
    const w = world();
    const c = await w.start();
    const a = await stable(w, c);
    await w.clock.advance(9_000);
    expect(beat(c, a.id, a.generation)).toBe(ErrorCode.NONE);
    await w.clock.advance(9_999);
    expect(c.groups.describe("g", 6).groupState).toBe("Stable");
    await w.clock.advance(2);
    expect(c.groups.describe("g", 6)).toMatchObject({ groupState: "Empty", members: [] });
    expect(beat(c, a.id, a.generation)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it("waits one initial delay more as long as members come", async () => {
    const w = world();
    const c = await w.start({ "group.initial.rebalance.delay.ms": "3000" });
    const joins = [join(c, { version: 3 })];
    await w.clock.advance(2_000);
    joins.push(join(c, { version: 3 }));
    await w.clock.advance(1_500);
    expect(c.groups.describe("g", 6).groupState).toBe("PreparingRebalance");
    await w.clock.advance(3_000);
    expect((await Promise.all(joins)).map((joined) => joined.generationId)).toEqual([1, 1]);
  });

  it("lets a restarted static member take over without a rebalance, and fences the old one", async () => {
    const w = world();
    const c = await w.start();
    const a = await stable(w, c, "i1");
    const restarted = await join(c, { instanceId: "i1" });
    expect(restarted).toMatchObject({ errorCode: 0, generationId: 1, skipAssignment: true });
    expect(restarted.memberId).not.toBe(a.id);
    expect(beat(c, a.id, 1, "i1")).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expect(beat(c, restarted.memberId ?? "", 1, "i1")).toBe(ErrorCode.NONE);
    const synced = await sync(c, restarted.memberId ?? "", 1, {}, "i1");
    expect(Buffer.from(synced.assignment ?? []).toString()).toBe("all");
    const older = await join(c, { instanceId: "i1", version: 5 });
    expect(older.skipAssignment ?? false).toBe(false);
    expect(older.leader).toBe(restarted.memberId);
    expect(c.groups.leaveGroup("g", [{ memberId: "", groupInstanceId: "i1", reason: null }]).codes).toEqual([0]);
    expect(c.groups.describe("g", 6).groupState).toBe("Empty");
  });

  it("refuses wrong input with Kafka's codes", async () => {
    const w = world();
    const c = await w.start({ "group.max.size": "1" });
    expect((await join(c, { groupId: "" })).errorCode).toBe(ErrorCode.INVALID_GROUP_ID);
    expect((await join(c, { sessionTimeoutMs: 1 })).errorCode).toBe(ErrorCode.INVALID_SESSION_TIMEOUT);
    expect((await join(c, { memberId: "x" })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    await stable(w, c);
    expect((await join(c, { version: 3 })).errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED);
    expect((await sync(c, "x", 1)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(c.groups.leaveGroup("other", [{ memberId: "x", groupInstanceId: null, reason: null }])).toEqual({ errorCode: 0, codes: [25] });
    expect(c.groups.describe("other", 6).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(c.groups.describe("other", 5)).toMatchObject({ errorCode: 0, groupState: "Dead" });
  });

  it("fails the waiting syncs when the assignment cannot be written, and starts over", async () => {
    const w = world();
    const c = await w.start();
    const joining = join(c, { version: 3 });
    await w.clock.advance(0);
    const id = (await joining).memberId ?? "";
    w.groupLog.failure = new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR);
    expect((await sync(c, id, 1, { [id]: "x" })).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    expect(c.groups.describe("g", 6).groupState).toBe("PreparingRebalance");
    w.groupLog.failure = null;
    expect((await join(c, { memberId: id })).generationId).toBe(2);
  });

  it("is there again after a restart: members, assignments, offsets", async () => {
    const w = world();
    const a = await w.start().then((c) => stable(w, c));
    const before = await w.start();
    await commit(before, a.id, a.generation, 42);
    const c = await w.start();
    expect(c.groups.describe("g", 6)).toMatchObject({ groupState: "Stable", members: [{ memberId: a.id, clientId: "cl" }] });
    expect(beat(c, a.id, a.generation)).toBe(ErrorCode.NONE);
    expect(fetch(c)).toEqual([
      { name: "t", partitions: [{ partitionIndex: 0, committedOffset: 42, committedLeaderEpoch: 3, metadata: "m", errorCode: 0 }] },
    ]);
    await w.clock.advance(11_000);
    expect(c.groups.describe("g", 6).groupState).toBe("Empty");
  });
});

describe("offsets", () => {
  it("are committed without a group, refused for unknown members, topics and long metadata", async () => {
    const w = world();
    const c = await w.start({ "offset.metadata.max.bytes": "0" });
    expect(await codeOfCommit(commit(c, "", -1, 1))).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE);
    const d = await w.start();
    expect(await codeOfCommit(commit(d, "", -1, 1))).toBe(ErrorCode.NONE);
    expect(await codeOfCommit(commit(d, "x", 3, 1))).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await codeOfCommit(commit(d, "", -1, 1, "gone"))).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(d.groups.list([], [])).toEqual({
      errorCode: 0,
      groups: [{ groupId: "g", protocolType: "", groupState: "Empty", groupType: "classic" }],
    });
    expect(d.groups.list(["stable"], []).groups).toEqual([]);
    expect(d.groups.list(["empty"], ["Classic"]).groups).toHaveLength(1);
  });

  it("go with OffsetDelete, DeleteGroups and retention", async () => {
    const w = world();
    const c = await w.start({ "offsets.retention.minutes": "1", "offsets.retention.check.interval.ms": "1000" });
    const a = await stable(w, c);
    await commit(c, a.id, 1, 1);
    expect(await c.groups.deleteGroup("g")).toBe(ErrorCode.NON_EMPTY_GROUP);
    const absent = await c.groups.deleteOffsets("g", [{ name: "t", partitions: [{ partitionIndex: 9999 }] }]);
    expect(absent.topics?.[0]?.partitions?.[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const deletion = () => c.groups.deleteOffsets("g", [{ name: "t", partitions: [{ partitionIndex: 0 }] }]);
    expect((await deletion()).topics?.[0]?.partitions?.[0]?.errorCode).toBe(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC);
    c.groups.leaveGroup("g", [{ memberId: a.id, groupInstanceId: null, reason: null }]);
    expect((await deletion()).topics?.[0]?.partitions?.[0]?.errorCode).toBe(ErrorCode.NONE);
    expect(fetch(c)).toEqual([]);
    await commit(c, "", -1, 2);
    expect(await c.groups.deleteGroup("g")).toBe(ErrorCode.NONE);
    expect(await c.groups.deleteGroup("g")).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(fetch(await w.start())).toEqual([]);
    await commit(c, "", -1, 3);
    c.start();
    await w.clock.advance(59_000);
    expect(fetch(c)).toHaveLength(1);
    await w.clock.advance(3_000);
    expect(fetch(c)).toEqual([]);
    expect(c.groups.list([], []).groups).toEqual([]);
    c.close();
  });
});
