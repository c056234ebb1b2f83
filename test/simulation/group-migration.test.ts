/**
 * F9 over a change of protocol: one group whose members change between the classic protocol and that of KIP-848 while it lives: they crash, pause, leave and come back
 * with either protocol, the coordinator restarts, all from a seed. At any moment no partition has two owners who could both commit, and
 * the group becomes a consumer group and a classic one again and again.
 */
import { describe, expect, it } from "vitest";
import type { Coordinators } from "#broker/coordinator/types";
import { ErrorCode } from "#broker/protocol/errors";
import { decodeRecord, encodeRecord } from "#broker/protocol/record-codec";
import { consumerProtocolAssignment, consumerProtocolSubscription } from "#broker/protocol/state/embedded";
import { settle, type World, world } from "../unit/coordinator/coordinator-world.ts";

/** COORDINATOR_SEEDS: how many; the same ones each time. */
const SEEDS = Array.from({ length: Number(process.env["COORDINATOR_SEEDS"] ?? 8) }, (_, i) => i + 1);
const PARTITIONS = 4;
const RETRY: ReadonlySet<number> = new Set([ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS]);
const dice = (seed: number) => {
  let state = seed;
  return (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % bound;
  };
};

class Cluster {
  readonly w: World;
  readonly roll: (bound: number) => number;
  /** By seed: do classic members keep what they own while they join? */
  readonly cooperative: boolean;
  coordinators: Coordinators | null = null;
  readonly slots: Slot[] = [];
  stopped = false;
  checks = 0;
  accepted = 0;
  upgrades = 0;
  downgrades = 0;
  private lastType = "";
  constructor(seed: number) {
    this.w = world(seed);
    this.roll = dice(seed);
    this.cooperative = seed % 2 === 0;
    this.w.groupLog.latency = () => this.w.clock.sleep(this.roll(200));
  }
  async live(): Promise<Coordinators> {
    while (this.coordinators === null) await this.w.clock.sleep(50);
    return this.coordinators;
  }
  async restart(): Promise<void> {
    this.coordinators?.close();
    this.coordinators = null;
    await this.w.clock.sleep(this.roll(3000));
    this.coordinators = await this.w.start();
  }
  private group() {
    return this.coordinators?.groups.activeShards()[0]?.groups.get("g");
  }
  /** The rule of OffsetCommit, asked without a commit, which would be a sign of life. */
  private couldCommit(id: string, epoch: number): boolean {
    const group = this.group();
    if (group?.type === "consumer") return group.members.get(id)?.current.epoch === epoch;
    return group?.members.has(id) === true && group.generation === epoch && group.state !== "CompletingRebalance";
  }
  check(): void {
    const group = this.group();
    if (group !== undefined && group.members.size > 0 && group.type !== this.lastType) {
      if (this.lastType !== "" && group.type === "consumer") this.upgrades++;
      else if (this.lastType !== "") this.downgrades++;
      this.lastType = group.type;
    }
    const seen = new Map<number, string>();
    for (const { id, epoch, owned, settled } of this.slots) {
      if (!settled || !this.couldCommit(id, epoch)) continue;
      for (const partition of owned) {
        expect([partition, seen.get(partition) ?? id]).toEqual([partition, id]);
        seen.set(partition, id);
        this.checks++;
      }
    }
  }
}

/** One process at a time, of either protocol. */
class Slot {
  readonly cluster: Cluster;
  classic = true;
  id = "";
  epoch = 0;
  /** It has been told what it owns in this epoch, and would commit. */
  settled = false;
  owned: number[] = [];
  private life = 0;
  private readonly name: string;
  constructor(cluster: Cluster, name: string) {
    this.cluster = cluster;
    this.name = name;
  }
  private born(): void {
    this.classic = this.cluster.roll(2) === 0;
    this.forget(this.classic ? "" : `${this.name}/${++this.life}`);
  }
  private forget(id: string): void {
    this.id = id;
    this.epoch = 0;
    this.owned = [];
    this.settled = false;
  }
  async run(): Promise<void> {
    const { w, roll } = this.cluster;
    this.born();
    while (!this.cluster.stopped) {
      if (this.classic) await this.classicBeat();
      else await this.consumerBeat();
      this.cluster.check();
      await w.clock.sleep(500 + roll(2500));
      this.cluster.check();
      await this.commit();
      const fate = roll(50);
      if (fate === 0) {
        this.born();
        await w.clock.sleep(roll(20_000));
      } else if (fate === 1) await w.clock.sleep(roll(90_000));
      else if (fate <= 3) await this.leave();
    }
  }
  private async leave(): Promise<void> {
    const { groups } = await this.cluster.live();
    if (!this.classic) {
      if (this.epoch > 0) await this.sendConsumer(-1);
    } else if (this.id !== "") groups.leaveGroup("g", [{ memberId: this.id, groupInstanceId: null, reason: null }]);
    this.born();
  }
  private async commit(): Promise<void> {
    const { id, epoch, cluster } = this;
    const { groups } = await cluster.live();
    if (!this.settled || this.owned.length === 0) return;
    const partition = (partitionIndex: number) => ({
      partitionIndex,
      committedOffset: 1,
      committedLeaderEpoch: -1,
      committedMetadata: "",
    });
    const topics = [{ name: "t", partitions: this.owned.map(partition) }];
    const shared = { version: 9, groupId: "g", instanceId: null, retentionTimeMs: -1, producer: null };
    const [result] = await groups.commitOffsets({ ...shared, generationOrEpoch: epoch, memberId: id, topics });
    if (result?.partitions[0]?.errorCode === ErrorCode.NONE) cluster.accepted++;
  }

  private async sendConsumer(memberEpoch: number) {
    const joining = memberEpoch === 0;
    const topicId = this.topicId();
    return (await this.cluster.live()).groups.consumerHeartbeat(
      { version: 1, clientId: "m", host: "h" },
      {
        groupId: "g",
        memberId: this.id,
        memberEpoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: joining ? 30_000 : -1,
        subscribedTopicNames: joining ? ["t"] : null,
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions: joining || this.owned.length === 0 ? [] : [{ topicId, partitions: this.owned }],
      },
    );
  }
  private topicId(): string {
    return Buffer.from("t".padEnd(16, "_")).toString("base64url");
  }
  private async consumerBeat(): Promise<void> {
    const id = this.id;
    const reply = await this.sendConsumer(this.epoch);
    if (RETRY.has(reply.errorCode ?? 0) || id !== this.id) return;
    if (reply.errorCode !== ErrorCode.NONE) return this.forget(this.id);
    this.epoch = reply.memberEpoch ?? 0;
    this.settled = true;
    if (reply.assignment) this.owned = (reply.assignment.topicPartitions ?? []).flatMap((each) => [...(each.partitions ?? [])]);
  }

  private async classicBeat(): Promise<void> {
    const { groups } = await this.cluster.live();
    if (this.settled) {
      const code = groups.heartbeat({ groupId: "g", generationId: this.epoch, memberId: this.id, groupInstanceId: null });
      if (code === ErrorCode.NONE || RETRY.has(code)) return;
      if (code !== ErrorCode.REBALANCE_IN_PROGRESS) {
        this.owned = [];
        if (code === ErrorCode.UNKNOWN_MEMBER_ID) this.id = "";
      }
    }
    this.settled = false;
    if (!this.cluster.cooperative) this.owned = [];
    for (let tries = 0; tries < 20 && !this.cluster.stopped && !(await this.joinOnce()); tries++) await settle();
  }
  private subscription(): Buffer {
    const ownedPartitions = this.cluster.cooperative ? [{ topic: "t", partitions: this.owned }] : [];
    return encodeRecord(consumerProtocolSubscription, 1, { topics: ["t"], userData: null, ownedPartitions });
  }
  private async joinOnce(): Promise<boolean> {
    const { cooperative } = this.cluster;
    const before = this.owned;
    const joined = await (await this.cluster.live()).groups.joinGroup(
      { version: 9, clientId: "m", host: "h" },
      {
        groupId: "g",
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 15_000,
        memberId: this.id,
        groupInstanceId: null,
        protocolType: "consumer",
        protocols: [{ name: cooperative ? "cooperative-sticky" : "range", metadata: this.subscription() }],
        reason: null,
      },
    );
    if (joined.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.id = joined.memberId ?? "";
    if (joined.errorCode !== ErrorCode.NONE) return this.failed(joined.errorCode ?? -1);
    const memberId = joined.memberId ?? "";
    const leads = joined.leader === memberId;
    const synced = await (await this.cluster.live()).groups.syncGroup(
      { version: 5, clientId: "m", host: "h" },
      {
        groupId: "g",
        generationId: joined.generationId ?? -1,
        memberId,
        groupInstanceId: null,
        protocolType: "consumer",
        protocolName: joined.protocolName ?? null,
        assignments: leads ? assign(joined.members ?? []) : [],
      },
    );
    if (synced.errorCode !== ErrorCode.NONE) return this.failed(synced.errorCode ?? -1);
    this.id = memberId;
    this.epoch = joined.generationId ?? -1;
    this.owned = decodeRecord(consumerProtocolAssignment, synced.assignment ?? Buffer.alloc(0)).assignedPartitions.flatMap(
      ({ partitions }) => [...partitions],
    );
    this.settled = true;
    // A cooperative member that gave something up joins again at once.
    if (!cooperative || before.every((partition) => this.owned.includes(partition))) return true;
    this.settled = false;
    return false;
  }
  private async failed(code: number): Promise<false> {
    if (code === ErrorCode.UNKNOWN_MEMBER_ID) this.forget("");
    else if (code === ErrorCode.ILLEGAL_GENERATION) this.owned = [];
    if (RETRY.has(code)) await this.cluster.w.clock.sleep(100);
    return false;
  }
}

/** What a classic leader does: its members share alike, and a cooperative one waits for partitions that another still owns. */
function assign(members: readonly { readonly memberId?: string | undefined; readonly metadata?: Uint8Array | undefined }[]) {
  const owner = new Map<number, string>();
  for (const { memberId, metadata } of members) {
    const { ownedPartitions } = decodeRecord(consumerProtocolSubscription, metadata ?? Buffer.alloc(0));
    for (const { partitions } of ownedPartitions) for (const partition of partitions) owner.set(partition, memberId ?? "");
  }
  return members.map(({ memberId = "" }, at) => {
    const mine = Array.from({ length: PARTITIONS }, (_, p) => p).filter((p) => p % members.length === at);
    const partitions = mine.filter((p) => (owner.get(p) ?? memberId) === memberId);
    return { memberId, assignment: encodeRecord(consumerProtocolAssignment, 1, { assignedPartitions: [{ topic: "t", partitions }] }) };
  });
}

const totals = { upgrades: 0, downgrades: 0 };

describe("a group that changes its protocol under faults", () => {
  it.each(SEEDS)("seed %d: one owner for each partition", async (seed) => {
    const cluster = new Cluster(seed);
    cluster.coordinators = await cluster.w.start();
    for (let i = 0; i < 4; i++) cluster.slots.push(new Slot(cluster, `m${i}`));
    const failures: unknown[] = [];
    const runs = cluster.slots.map((slot) => slot.run());
    for (const run of runs) run.catch((error: unknown) => failures.push(error));
    for (let minute = 0; minute < 20; minute++) {
      await cluster.w.clock.advance(60_000);
      if (minute % 5 === 4) {
        const restarted = cluster.restart();
        await cluster.w.clock.advance(5_000);
        await restarted;
      }
      expect(failures).toEqual([]);
    }
    cluster.stopped = true;
    await cluster.w.clock.advance(120_000);
    await Promise.all(runs);
    expect(cluster.checks).toBeGreaterThan(500);
    expect(cluster.accepted).toBeGreaterThan(100);
    totals.upgrades += cluster.upgrades;
    totals.downgrades += cluster.downgrades;
  });
  it("goes both ways", () => {
    expect(totals.upgrades).toBeGreaterThan(0);
    expect(totals.downgrades).toBeGreaterThan(0);
  });
});
