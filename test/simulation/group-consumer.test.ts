/**
 * Members of a KIP-848 group that crash, pause, leave and come back, a topic that grows, and a coordinator that restarts, all
 * from a seed. At any moment the partitions that members believe to own are disjoint among those who could commit.
 */
import { describe, expect, it } from "vitest";
import type { Coordinators } from "#broker/coordinator/types";
import { ErrorCode } from "#broker/protocol/errors";
import { type World, world } from "../unit/coordinator/coordinator-world.ts";

/** COORDINATOR_SEEDS: how many; the same ones each time. */
const SEEDS = Array.from({ length: Number(process.env["COORDINATOR_SEEDS"] ?? 8) }, (_, i) => i + 1);

const RETRY: ReadonlySet<number> = new Set([ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS]);
type Roll = (bound: number) => number;
function dice(seed: number): Roll {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % bound;
  };
}
type Wire = { topicId: string; partitions: number[] }[];

class Cluster {
  readonly w: World;
  readonly roll: Roll;
  coordinators: Coordinators | null = null;
  readonly members: Member[] = [];
  stopped = false;
  checks = 0;
  constructor(seed: number) {
    this.w = world(seed);
    this.roll = dice(seed);
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
  check(): void {
    const described = this.coordinators?.groups.describeConsumer("g").members ?? [];
    const epochs = new Map(described.map((member) => [member.memberId, member.memberEpoch]));
    const seen = new Map<string, string>();
    for (const { id, epoch, owned } of this.members) {
      if (epochs.get(id) !== epoch) continue;
      for (const { topicId, partitions } of owned) {
        for (const partition of partitions) {
          const key = `${topicId}-${partition}`;
          expect([key, seen.get(key) ?? id]).toEqual([key, id]);
          seen.set(key, id);
          this.checks++;
        }
      }
    }
  }
}

class Member {
  readonly cluster: Cluster;
  id = "";
  epoch = 0;
  owned: Wire = [];
  constructor(cluster: Cluster, name: string) {
    this.cluster = cluster;
    this.id = name;
  }
  async run(): Promise<void> {
    const { w, roll } = this.cluster;
    for (let life = 0; !this.cluster.stopped; ) {
      await this.beat();
      this.cluster.check();
      await w.clock.sleep(500 + roll(3000));
      const fate = roll(60);
      if (fate === 0) {
        // A crash: a new process with a new id.
        this.forget(`${this.id.split("/")[0]}/${++life}`);
        await w.clock.sleep(roll(20_000));
      } else if (fate === 1) await w.clock.sleep(roll(90_000));
      else if (fate === 2) await this.leave();
    }
  }
  forget(id: string): void {
    this.id = id;
    this.epoch = 0;
    this.owned = [];
  }
  async leave(): Promise<void> {
    if (this.epoch > 0) await this.send(-1);
    this.forget(this.id);
  }
  private async send(memberEpoch: number) {
    const joining = memberEpoch === 0;
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
        topicPartitions: joining ? [] : this.owned,
      },
    );
  }
  async beat(): Promise<void> {
    const id = this.id;
    const reply = await this.send(this.epoch);
    if (RETRY.has(reply.errorCode ?? 0) || id !== this.id) return;
    if (reply.errorCode !== ErrorCode.NONE) return this.forget(this.id);
    this.epoch = reply.memberEpoch ?? 0;
    if (reply.assignment) {
      this.owned = (reply.assignment.topicPartitions ?? []).map((each) => ({
        topicId: each.topicId ?? "",
        partitions: [...(each.partitions ?? [])],
      }));
    }
  }
}

describe("a consumer group under faults", () => {
  it.each(SEEDS)("seed %d: one owner for each partition", async (seed) => {
    const cluster = new Cluster(seed);
    cluster.w.groupLog.latency = () => cluster.w.clock.sleep(cluster.roll(200));
    cluster.coordinators = await cluster.w.start();
    for (let i = 0; i < 5; i++) cluster.members.push(new Member(cluster, `m${i}`));
    const failures: unknown[] = [];
    const runs = cluster.members.map((member) => member.run());
    for (const run of runs) run.catch((error: unknown) => failures.push(error));
    for (let minute = 0; minute < 20; minute++) {
      await cluster.w.clock.advance(60_000);
      if (minute === 9) cluster.w.topics.set("t", 7).set("u", 1);
      if (minute % 4 === 3) {
        const restarted = cluster.restart();
        await cluster.w.clock.advance(5_000);
        await restarted;
      }
      expect(failures).toEqual([]);
    }
    cluster.stopped = true;
    await cluster.w.clock.advance(120_000);
    await Promise.all(runs);
    expect(cluster.checks).toBeGreaterThan(1000);
  });
});
