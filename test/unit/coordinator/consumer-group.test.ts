import { describe, expect, it } from "vitest";
import type { Coordinators } from "#broker/coordinator/types";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import type { ConsumerGroupHeartbeatRequest } from "#broker/protocol/messages/consumer-group-heartbeat";
import { settle, world } from "./coordinator-world.ts";

type World = ReturnType<typeof world>;
const from = { version: 1, clientId: "cl", host: "127.0.0.1" };
const beat = (c: Coordinators, request: Partial<ConsumerGroupHeartbeatRequest>) =>
  c.groups.consumerHeartbeat(from, {
    groupId: "g",
    memberId: "a",
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: null,
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: null,
    ...request,
  });
const joinWith = { memberEpoch: 0, rebalanceTimeoutMs: 30_000, subscribedTopicNames: ["t"], topicPartitions: [] };
const numbers = (reply: Awaited<ReturnType<typeof beat>>) =>
  reply.assignment?.topicPartitions?.flatMap(({ partitions }) => partitions ?? []);

/** Follows the protocol as a client does: reports what it owns, gives up what it is told to. */
class Member {
  readonly id: string;
  epoch = 0;
  owned: { topicId: string; partitions: number[] }[] = [];
  constructor(id: string) {
    this.id = id;
  }
  async beat(c: Coordinators, extra: Partial<ConsumerGroupHeartbeatRequest> = {}) {
    const join = this.epoch === 0 ? joinWith : { memberEpoch: this.epoch, topicPartitions: this.owned };
    const reply = await beat(c, { memberId: this.id, ...join, ...extra });
    if (reply.errorCode !== ErrorCode.NONE) return reply;
    this.epoch = reply.memberEpoch ?? 0;
    if (reply.assignment) {
      this.owned = (reply.assignment.topicPartitions ?? []).map((each) => ({
        topicId: each.topicId ?? "",
        partitions: [...(each.partitions ?? [])],
      }));
    }
    return reply;
  }
  get numbers(): number[] {
    return this.owned.flatMap(({ partitions }) => partitions);
  }
}
const stateOf = (c: Coordinators) => c.groups.describeConsumer("g").groupState;

async function converge(c: Coordinators, ...members: Member[]): Promise<void> {
  for (let round = 0; round < 10; round++) {
    for (const member of members) await member.beat(c);
    const all = members.flatMap((member) => member.numbers);
    expect(new Set(all).size).toBe(all.length);
  }
}

describe("consumer group (KIP-848)", () => {
  it("gives all to the first, half to the second after the first has let go, all back when it leaves", async () => {
    const w = world();
    const c = await w.start();
    const [a, b] = [new Member("a"), new Member("b")];
    await a.beat(c);
    expect(a.numbers).toEqual([0, 1, 2, 3]);
    expect(a.epoch).toBe(1);
    await b.beat(c);
    expect(b.numbers).toEqual([]);
    expect(stateOf(c)).toBe("Reconciling");
    await converge(c, a, b);
    expect([a.numbers.length, b.numbers.length]).toEqual([2, 2]);
    expect(stateOf(c)).toBe("Stable");
    expect(await b.beat(c, { memberEpoch: -1 })).toMatchObject({ errorCode: 0, memberEpoch: -1 });
    await converge(c, a);
    expect(a.numbers).toEqual([0, 1, 2, 3]);
    expect(c.groups.list([], ["consumer"]).groups).toEqual([
      { groupId: "g", protocolType: "consumer", groupState: "Stable", groupType: "consumer" },
    ]);
  });

  it("is there again after a restart", async () => {
    const w = world();
    const before = await w.start();
    const [a, b] = [new Member("a"), new Member("b")];
    await converge(before, a, b);
    const described = before.groups.describeConsumer("g");
    const c = await w.start();
    expect(c.groups.describeConsumer("g")).toEqual(described);
    await converge(c, a, b);
    expect(c.groups.describeConsumer("g")).toEqual(described);
  });

  it("fences silent members, wrong epochs, and who does not give up partitions in time", async () => {
    const w = world();
    const c = await w.start();
    const [a, b] = [new Member("a"), new Member("b")];
    await converge(c, a);
    expect((await beat(c, { memberEpoch: 7 })).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH);
    expect((await beat(c, { memberId: "x", memberEpoch: 1 })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    await b.beat(c);
    const held = a.owned;
    for (let i = 0; i < 7; i++) {
      await w.clock.advance(5_000);
      await beat(c, { memberId: "a", memberEpoch: a.epoch, topicPartitions: held });
      await b.beat(c);
    }
    expect((await beat(c, { memberId: "a", memberEpoch: a.epoch, topicPartitions: held })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(b.numbers).toEqual([0, 1, 2, 3]);
    await w.clock.advance(46_000);
    expect(stateOf(c)).toBe("Empty");
  });

  it("follows topics that grow and appear, by name and by expression", async () => {
    const w = world();
    const c = await w.start();
    const a = new Member("a");
    await a.beat(c, { subscribedTopicNames: null, subscribedTopicRegex: "t.*" });
    expect(a.numbers).toHaveLength(4);
    w.topics.set("t2", 3).set("other", 9);
    await a.beat(c);
    expect(a.numbers).toHaveLength(7);
    const wrong = await beat(c, { ...joinWith, memberId: "b", subscribedTopicRegex: "(" });
    expect(wrong.errorCode).toBe(ErrorCode.INVALID_REGULAR_EXPRESSION);
  });

  it("leaves topics out of an expression that the member must not know", async () => {
    const w = world();
    w.topics.set("t-secret", 3);
    const c = await w.start();
    const request = { groupId: "g", memberId: "a", instanceId: null, rackId: null, serverAssignor: null, topicPartitions: [] };
    const joining = { ...request, memberEpoch: 0, rebalanceTimeoutMs: 30_000, subscribedTopicNames: null, subscribedTopicRegex: "t.*" };
    await c.groups.consumerHeartbeat({ ...from, mayDescribe: (topic) => !topic.includes("secret") }, joining);
    const topics = c.groups.describeConsumer("g").members?.[0]?.targetAssignment?.topicPartitions?.map((each) => each.topicName);
    expect(topics).toEqual(["t"]);
  });

  it("takes session and heartbeat times from the group's own settings", async () => {
    const w = world();
    w.groupConfigs.set(
      "g",
      new Map([
        ["consumer.session.timeout.ms", "60000"],
        ["consumer.heartbeat.interval.ms", "7000"],
      ]),
    );
    const c = await w.start();
    expect((await beat(c, joinWith)).heartbeatIntervalMs).toBe(7000);
    await w.clock.advance(59_000);
    expect(c.groups.describeConsumer("g").members).toHaveLength(1);
    await w.clock.advance(2_000);
    expect(stateOf(c)).toBe("Empty");
  });

  it("keeps a static member's place, and hands it to its successor only", async () => {
    const w = world();
    const c = await w.start();
    const join = (memberId: string) => beat(c, { ...joinWith, memberId, instanceId: "i" });
    expect(numbers(await join("a"))).toEqual([0, 1, 2, 3]);
    expect((await join("b")).errorCode).toBe(ErrorCode.UNRELEASED_INSTANCE_ID);
    expect((await beat(c, { memberId: "a", memberEpoch: -2, instanceId: "i" })).memberEpoch).toBe(-2);
    const back = await join("b");
    expect(back).toMatchObject({ errorCode: 0, memberEpoch: 1 });
    expect(numbers(back)).toEqual([0, 1, 2, 3]);
    expect((await beat(c, { memberId: "a", memberEpoch: 1, instanceId: "i" })).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
  });

  it("refuses wrong input with Kafka's codes", async () => {
    const w = world();
    const c = await w.start();
    const codeOf = async (request: Partial<ConsumerGroupHeartbeatRequest>) => (await beat(c, request)).errorCode;
    expect(await codeOf({ ...joinWith, groupId: " " })).toBe(ErrorCode.INVALID_REQUEST);
    expect(await codeOf({ ...joinWith, rebalanceTimeoutMs: -1 })).toBe(ErrorCode.INVALID_REQUEST);
    expect(await codeOf({ ...joinWith, subscribedTopicNames: null })).toBe(ErrorCode.INVALID_REQUEST);
    expect(await codeOf({ ...joinWith, serverAssignor: "sticky" })).toBe(ErrorCode.UNSUPPORTED_ASSIGNOR);
    expect(await codeOf({ memberEpoch: 3 })).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    const none = await w.start({ "group.coordinator.rebalance.protocols": "classic" });
    expect((await beat(none, joinWith)).errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
  });

  it("goes over to the classic protocol and back when empty, offsets kept", async () => {
    const w = world();
    const c = await w.start();
    const a = new Member("a");
    await a.beat(c);
    const commit = (generationOrEpoch: number, version = 9) =>
      c.groups.commitOffsets({
        version,
        groupId: "g",
        generationOrEpoch,
        memberId: "a",
        instanceId: null,
        retentionTimeMs: -1,
        topics: [{ name: "t", partitions: [{ partitionIndex: 0, committedOffset: 9, committedLeaderEpoch: -1, committedMetadata: null }] }],
        producer: null,
      });
    const codeOf = async (result: ReturnType<typeof commit>) => (await result)[0]?.partitions[0]?.errorCode;
    expect(await codeOf(commit(5))).toBe(ErrorCode.STALE_MEMBER_EPOCH);
    expect(await codeOf(commit(1, 8))).toBe(ErrorCode.UNSUPPORTED_VERSION);
    expect(await codeOf(commit(1))).toBe(ErrorCode.NONE);
    const classic = (memberId = "") =>
      c.groups.joinGroup(
        { ...from, version: 3 },
        {
          groupId: "g",
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 10_000,
          memberId,
          groupInstanceId: null,
          protocolType: "consumer",
          protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
          reason: null,
        },
      );
    expect((await classic()).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    await a.beat(c, { memberEpoch: -1 });
    const joining = classic();
    await w.clock.advance(0);
    const joined = await joining;
    expect(joined.generationId).toBe(1);
    expect((await beat(c, joinWith)).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    c.groups.leaveGroup("g", [{ memberId: joined.memberId ?? "", groupInstanceId: null, reason: null }]);
    await settle();
    expect((await beat(c, joinWith)).errorCode).toBe(ErrorCode.NONE);
    const restarted = await w.start();
    expect(restarted.groups.describeConsumer("g").members).toHaveLength(1);
    const offsets = restarted.groups.fetchOffsets({ groupId: "g", memberId: null, memberEpoch: -1, topics: null, requireStable: false });
    expect(offsets.topics[0]?.partitions[0]?.committedOffset).toBe(9);
  });

  it("is loaded again when its records cannot be written", async () => {
    const w: World = world();
    const c = await w.start();
    const a = new Member("a");
    await a.beat(c);
    w.groupLog.failure = new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR);
    expect((await new Member("b").beat(c)).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    w.groupLog.failure = null;
    await settle();
    expect(c.groups.describeConsumer("g").members).toHaveLength(1);
    expect((await a.beat(c)).errorCode).toBe(ErrorCode.NONE);
  });
});
