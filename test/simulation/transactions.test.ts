/**
 * Transactional producers that crash, are replaced by younger ones, and whose requests come late, over a coordinator that is
 * killed at any moment and markers that fail, all from a seed (KIP-890's protocol). A reader of committed data sees all of
 * a transaction or nothing, what was answered "committed" is committed, and a late record joins no later transaction.
 */
import { describe, expect, it } from "vitest";
import type { Coordinators, ProducerIdentity } from "#broker/coordinator/types";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { type World, world } from "../unit/coordinator/coordinator-world.ts";

/** A quarter of COORDINATOR_SEEDS (each is 60 kills of the coordinator); the same ones each time. */
const SEEDS = Array.from({ length: Math.ceil(Number(process.env["COORDINATOR_SEEDS"] ?? 20) / 4) }, (_, i) => i + 1);

const PARTITIONS = 4;
interface DataRecord extends ProducerIdentity {
  /** `id/number` of the transaction that it was meant for. */
  readonly transaction: string;
  outcome: "open" | "commit" | "abort";
}
/** What a partition does about transactional producers. */
class Partition {
  readonly records: DataRecord[] = [];
  private readonly epochs = new Map<number, number>();
  isOpen({ producerId, producerEpoch }: ProducerIdentity): boolean {
    return this.records.some((each) => each.producerId === producerId && each.producerEpoch === producerEpoch && each.outcome === "open");
  }
  append(record: DataRecord): boolean {
    if (record.producerEpoch < (this.epochs.get(record.producerId) ?? 0)) return false;
    this.epochs.set(record.producerId, record.producerEpoch);
    this.records.push(record);
    return true;
  }
  end({ producerId, producerEpoch }: ProducerIdentity, committed: boolean): void {
    if (producerEpoch < (this.epochs.get(producerId) ?? 0)) throw new KafkaError(ErrorCode.INVALID_PRODUCER_EPOCH);
    this.epochs.set(producerId, producerEpoch);
    for (const record of this.records) {
      if (record.producerId === producerId && record.outcome === "open") record.outcome = committed ? "commit" : "abort";
    }
  }
}

class Cluster {
  readonly w: World;
  readonly roll: (bound: number) => number;
  readonly partitions = Array.from({ length: PARTITIONS }, () => new Partition());
  readonly answered = new Map<string, "commit" | "abort">();
  readonly late: Promise<unknown>[] = [];
  coordinators: Coordinators | null = null;
  stopped = false;
  constructor(seed: number) {
    this.w = world(seed);
    let state = seed;
    this.roll = (bound) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 8) % bound;
    };
    this.w.transactionLog.latency = () => this.w.clock.sleep(this.roll(50));
    this.w.onMarker = (_topic, partition, producer, committed) => {
      if (this.roll(4) === 0) throw new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      this.partitions[partition]?.end(producer, committed);
    };
  }
  async start(): Promise<void> {
    this.coordinators = await this.w.start();
    this.coordinators.start();
  }
  async restart(): Promise<void> {
    this.coordinators?.close();
    this.coordinators = null;
    await this.w.clock.sleep(this.roll(2000));
    await this.start();
  }
  async live(): Promise<Coordinators> {
    while (this.coordinators === null) await this.w.clock.sleep(50);
    return this.coordinators;
  }
}

class Producer {
  readonly cluster: Cluster;
  readonly id: string;
  identity: ProducerIdentity | null = null;
  count = 0;
  constructor(cluster: Cluster, id: string) {
    this.cluster = cluster;
    this.id = id;
  }
  async run(): Promise<void> {
    const { w, roll } = this.cluster;
    while (!this.cluster.stopped) {
      if (this.identity === null) {
        const made = await this.request((c) =>
          c.transactions.initProducerId({ transactionalId: this.id, transactionTimeoutMs: 20_000, producerId: -1, producerEpoch: -1 }),
        );
        this.identity = { producerId: made.producerId ?? -1, producerEpoch: made.producerEpoch ?? -1 };
      }
      await this.transaction(this.identity, `${this.id}/${this.count++}`);
      // A crash, or only a pause in which another instance may take over.
      if (roll(8) === 0) this.identity = null;
      await w.clock.sleep(roll(500));
    }
  }
  /** Repeats while the answer is one that clients repeat on. */
  async request<R extends { errorCode?: number | undefined }>(send: (c: Coordinators) => Promise<R>): Promise<R> {
    for (;;) {
      const answer = await send(await this.cluster.live());
      const again = answer.errorCode === ErrorCode.NOT_COORDINATOR || answer.errorCode === ErrorCode.CONCURRENT_TRANSACTIONS;
      if (!again) return answer;
      await this.cluster.w.clock.sleep(20 + this.cluster.roll(50));
    }
  }
  async transaction(identity: ProducerIdentity, name: string): Promise<void> {
    const { w, roll } = this.cluster;
    for (let writes = 1 + roll(4); writes > 0; writes--) {
      const partition = roll(PARTITIONS);
      if (roll(6) === 0) this.cluster.late.push(w.clock.sleep(roll(5_000)).then(() => this.write(identity, name, partition)));
      else if (!(await this.write(identity, name, partition))) {
        this.identity = null;
        return;
      }
    }
    if (roll(10) === 0) return void (this.identity = null);
    const committed = roll(3) > 0;
    const ended = await this.request((c) => c.transactions.endTransaction({ transactionalId: this.id, ...identity, committed }, true));
    if (ended.errorCode !== ErrorCode.NONE) return void (this.identity = null);
    this.cluster.answered.set(name, committed ? "commit" : "abort");
    this.identity = { producerId: ended.producerId ?? -1, producerEpoch: ended.producerEpoch ?? -1 };
  }
  private async write(identity: ProducerIdentity, transaction: string, at: number): Promise<boolean> {
    const partition = this.cluster.partitions[at];
    if (partition === undefined) return false;
    for (;;) {
      if (!partition.isOpen(identity)) {
        const c = await this.cluster.live();
        const topics = [{ name: "t", partitions: [at] }];
        const code = (await c.admitWrite({ transactionalId: this.id, ...identity, joinsImplicitly: true, topics }))("t", at);
        if (code === ErrorCode.CONCURRENT_TRANSACTIONS || code === ErrorCode.NOT_ENOUGH_REPLICAS) {
          await this.cluster.w.clock.sleep(50);
          continue;
        }
        if (code !== ErrorCode.NONE) return false;
      }
      return partition.append({ ...identity, transaction, outcome: "open" });
    }
  }
}

describe("transactions under faults", () => {
  it.each(SEEDS)("seed %d: all or nothing", async (seed) => {
    const cluster = new Cluster(seed);
    await cluster.start();
    // Two instances of each id: they fence each other again and again.
    const runs = ["x", "x", "y", "y", "z"].map((id, i) => {
      const producer = new Producer(cluster, id);
      producer.count = i * 1_000_000;
      return producer.run();
    });
    for (let round = 0; round < 60; round++) {
      await cluster.w.clock.advance(2_000 + cluster.roll(2_000));
      const restarted = cluster.restart();
      await cluster.w.clock.advance(2_500);
      await restarted;
    }
    cluster.stopped = true;
    await cluster.w.clock.advance(120_000);
    await Promise.all([...runs, ...cluster.late]);
    const outcomes = new Map<string, Set<string>>();
    for (const { records } of cluster.partitions) {
      for (const { transaction, outcome } of records) outcomes.set(transaction, (outcomes.get(transaction) ?? new Set()).add(outcome));
    }
    for (const [transaction, seen] of outcomes) {
      expect([transaction, ...seen]).toHaveLength(2);
      const answered = cluster.answered.get(transaction);
      if (answered !== undefined) expect([transaction, ...seen]).toEqual([transaction, answered]);
    }
    const all = [...outcomes.values()].flatMap((seen) => [...seen]);
    expect(all.filter((outcome) => outcome === "commit").length).toBeGreaterThan(50);
    expect(all.filter((outcome) => outcome === "abort").length).toBeGreaterThan(10);
    expect(all).not.toContain("open");
    cluster.coordinators?.close();
  });
});
