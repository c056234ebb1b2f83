/**
 * Members of a classic group that crash, pause, leave and come back, and a coordinator that restarts, all from a seed.
 * Whatever happens: in one generation a partition's offset is committed by one member only, an older generation never
 * commits after a newer one, and what was committed is there after a restart.
 */
import { describe, expect, it } from "vitest";
import type { Coordinators } from "#broker/coordinator/types";
import { ErrorCode } from "#broker/protocol/errors";
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
  coordinators: Coordinators | null = null;
  stopped = false;
  readonly committed = new Map<number, { generation: number; member: string; offset: number }>();
  readonly late: Promise<void>[] = [];
  accepted = 0;
  refused = 0;
  constructor(seed: number) {
    this.w = world(seed);
    this.roll = dice(seed);
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
    this.checkSurvived();
  }
  checkSurvived(): void {
    const topics = [{ name: "t", partitionIndexes: [...this.committed.keys()] }];
    const found = this.coordinators?.groups.fetchOffsets({ groupId: "g", memberId: null, memberEpoch: -1, topics, requireStable: true });
    for (const { partitionIndex, committedOffset } of found?.topics[0]?.partitions ?? []) {
      // More: a commit that was durable but whose answer was never seen.
      expect(committedOffset).toBeGreaterThanOrEqual(this.committed.get(partitionIndex)?.offset ?? 0);
    }
  }
}

class Member {
  readonly cluster: Cluster;
  id = "";
  generation = -1;
  owned: number[] = [];
  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }
  async run(): Promise<void> {
    const { w, roll } = this.cluster;
    while (!this.cluster.stopped) {
      if (this.generation < 0 && !(await this.join())) continue;
      await w.clock.sleep(500 + roll(1000));
      const fate = roll(60);
      if (fate === 0) await this.crash();
      else if (fate === 1) await w.clock.sleep(roll(40_000));
      else if (fate === 2) await this.leave();
      // A request that the network held back: it speaks for a generation that may be gone when it arrives.
      if (roll(8) === 0) this.cluster.late.push(this.commit(roll(30_000)));
      else await this.commit();
      await this.beat();
    }
  }
  async crash(): Promise<void> {
    this.forget();
    await this.cluster.w.clock.sleep(this.cluster.roll(20_000));
  }
  forget(): void {
    this.id = "";
    this.generation = -1;
    this.owned = [];
  }
  async leave(): Promise<void> {
    (await this.cluster.live()).groups.leaveGroup("g", [{ memberId: this.id, groupInstanceId: null, reason: null }]);
    this.forget();
  }
  async join(): Promise<boolean> {
    const c = await this.cluster.live();
    const joined = await c.groups.joinGroup(
      { version: 9, clientId: "m", host: "h" },
      {
        groupId: "g",
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 15_000,
        memberId: this.id,
        groupInstanceId: null,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
        reason: null,
      },
    );
    if (joined.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.id = joined.memberId ?? "";
    if (joined.errorCode !== ErrorCode.NONE) return this.failed(joined.errorCode ?? -1);
    const ids = (joined.members ?? []).map((member) => member.memberId ?? "");
    const partitionsOf = (at: number) => Buffer.from(Array.from({ length: PARTITIONS }, (_, p) => p).filter((p) => p % ids.length === at));
    const synced = await (await this.cluster.live()).groups.syncGroup(
      { version: 3, clientId: "m", host: "h" },
      {
        groupId: "g",
        generationId: joined.generationId ?? -1,
        memberId: joined.memberId ?? "",
        groupInstanceId: null,
        protocolType: null,
        protocolName: null,
        assignments: ids.map((memberId, at) => ({ memberId, assignment: partitionsOf(at) })),
      },
    );
    if (synced.errorCode !== ErrorCode.NONE) return this.failed(synced.errorCode ?? -1);
    this.id = joined.memberId ?? "";
    this.generation = joined.generationId ?? -1;
    this.owned = [...(synced.assignment ?? [])];
    return true;
  }
  async failed(code: number): Promise<false> {
    this.generation = -1;
    this.owned = [];
    if (code === ErrorCode.UNKNOWN_MEMBER_ID) this.id = "";
    if (RETRY.has(code)) await this.cluster.w.clock.sleep(100);
    else await settle();
    return false;
  }
  async beat(): Promise<void> {
    if (this.generation < 0) return;
    const c = await this.cluster.live();
    const code = c.groups.heartbeat({ groupId: "g", generationId: this.generation, memberId: this.id, groupInstanceId: null });
    if (code !== ErrorCode.NONE && !RETRY.has(code)) await this.failed(code);
  }
  async commit(delayMs = 0): Promise<void> {
    const { id: member, generation, owned, cluster } = this;
    if (delayMs > 0) await cluster.w.clock.sleep(delayMs);
    const c = await cluster.live();
    for (const partition of owned) {
      const offset = (cluster.committed.get(partition)?.offset ?? 0) + 1;
      const partitions = [{ partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: "" }];
      const [result] = await c.groups.commitOffsets({
        version: 9,
        groupId: "g",
        generationOrEpoch: generation,
        memberId: member,
        instanceId: null,
        retentionTimeMs: -1,
        topics: [{ name: "t", partitions }],
        producer: null,
      });
      if (result?.partitions[0]?.errorCode !== ErrorCode.NONE) {
        cluster.refused++;
        continue;
      }
      cluster.accepted++;
      const before = cluster.committed.get(partition);
      expect(generation).toBeGreaterThanOrEqual(before?.generation ?? 0);
      if (before?.generation === generation) expect(member).toBe(before.member);
      cluster.committed.set(partition, { generation, member, offset });
    }
  }
}

describe("a classic group under faults", () => {
  it.each(SEEDS)("seed %d: one committer for each partition and generation", async (seed) => {
    const cluster = new Cluster(seed);
    cluster.coordinators = await cluster.w.start();
    const members = Array.from({ length: 5 }, () => new Member(cluster).run());
    const failures: unknown[] = [];
    for (const member of members) member.catch((error: unknown) => failures.push(error));
    for (let minute = 0; minute < 20; minute++) {
      await cluster.w.clock.advance(60_000);
      if (minute % 4 === 3) {
        const restarted = cluster.restart();
        await cluster.w.clock.advance(5_000);
        await restarted;
      }
      expect(failures).toEqual([]);
    }
    cluster.stopped = true;
    await cluster.w.clock.advance(120_000);
    await Promise.all([...members, ...cluster.late]);
    cluster.checkSurvived();
    expect(cluster.accepted).toBeGreaterThan(500);
    expect(cluster.refused).toBeGreaterThan(0);
  });
});
