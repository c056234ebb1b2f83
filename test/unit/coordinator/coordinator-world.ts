/** A state topic in memory, and the rest of what coordinators ask for: for tests of the state machines alone. */
import type { Clock, Timer } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { coordinatorConfig } from "#broker/coordinator/config";
import { createCoordinators } from "#broker/coordinator/coordinators";
import type { CoordinatorDeps, CoordinatorLog, Coordinators, MarkerWriter, ProducerIdentity, StateBatch } from "#broker/coordinator/types";

/** Time moves only by `advance`; timers run in the order of their time. */
class ManualClock implements Clock {
  private nowMs = 1_700_000_000_000;
  private timers: { atMs: number; seq: number; run: () => void }[] = [];
  private seq = 0;
  now(): number {
    return this.nowMs;
  }
  monotonic(): number {
    return this.nowMs;
  }
  after(delayMs: number, run: () => void): Timer {
    const entry = { atMs: this.nowMs + delayMs, seq: this.seq++, run };
    this.timers.push(entry);
    return {
      cancel: () => {
        this.timers = this.timers.filter((each) => each !== entry);
      },
    };
  }
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }
  /** Runs what is due, letting promises settle between timers. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      await settle();
      const due = this.timers.filter((each) => each.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs || a.seq - b.seq)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((each) => each !== due);
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.run();
    }
    this.nowMs = untilMs;
    await settle();
  }
}
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class MemoryLog implements CoordinatorLog {
  readonly topic: string;
  readonly count: number;
  exists = true;
  /** Set: the next appends fail with it. */
  failure: Error | null = null;
  /** How long until an append is durable; appends are answered in their order all the same. */
  latency: (() => Promise<void>) | null = null;
  private last: Promise<void> = Promise.resolve();
  readonly batches: StateBatch[][];
  constructor(topic: string, count = 1) {
    this.topic = topic;
    this.count = count;
    this.batches = Array.from({ length: count }, () => []);
  }
  partitionCount(): number | null {
    return this.exists ? this.count : null;
  }
  async ensureTopic(): Promise<void> {
    this.exists = true;
  }
  leaderOf(): number {
    return 1;
  }
  async append(partition: number, records: StateBatch["records"], producer?: StateBatch["producer"]): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.batches[partition]?.push({ records, producer: producer ?? null, marker: null });
    if (this.latency === null) return;
    this.last = Promise.all([this.last, this.latency()]).then(() => {});
    await this.last;
  }
  async *load(partition: number): AsyncGenerator<StateBatch> {
    yield* this.batches[partition] ?? [];
  }
}

export interface World {
  readonly clock: ManualClock;
  readonly groupLog: MemoryLog;
  readonly transactionLog: MemoryLog;
  readonly topics: Map<string, number>;
  /** Group id → its dynamic settings. */
  readonly groupConfigs: Map<string, ReadonlyMap<string, string>>;
  /** `topic-partition:producer:epoch:commit|abort` in the order of writing. */
  readonly markers: string[];
  markerFailure: Error | null;
  /** Sees each marker before it is written; what it throws is the writer's failure. */
  onMarker: ((topic: string, partition: number, producer: ProducerIdentity, committed: boolean) => void) | null;
  /** Coordinators over the same logs, as after a restart. */
  start(properties?: Record<string, string>): Promise<Coordinators>;
}

const topicIdOf = (name: string): string => Buffer.from(name.padEnd(16, "_").slice(0, 16)).toString("base64url");

export function world(seed = 1): World {
  const clock = new ManualClock();
  const groupLog = new MemoryLog("__consumer_offsets");
  const transactionLog = new MemoryLog("__transaction_state");
  const topics = new Map([["t", 4]]);
  const markers: string[] = [];
  let producerIdBlock = 0;
  let state = seed;
  const random = {
    below: (bound: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % bound;
    },
    bytes: (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random.below(256)),
  };
  const write: MarkerWriter["write"] = async (topic, partition, producer, committed) => {
    if (made.markerFailure !== null) throw made.markerFailure;
    made.onMarker?.(topic, partition, producer, committed);
    const marker = committed ? "commit" : "abort";
    markers.push(`${topic}-${partition}:${producer.producerId}:${producer.producerEpoch}:${marker}`);
    if (topic === groupLog.topic) groupLog.batches[partition]?.push({ records: [], producer, marker });
  };
  const made: World = {
    clock,
    groupLog,
    transactionLog,
    topics,
    groupConfigs: new Map(),
    markers,
    markerFailure: null,
    onMarker: null,
    async start(properties = {}) {
      const deps: CoordinatorDeps = {
        config: coordinatorConfig({ "group.initial.rebalance.delay.ms": "0", ...properties }),
        clock,
        random,
        logger: silentLogger,
        metadata: {
          nodeId: 1,
          topicsVersion: () => topics.size,
          topicNames: () => topics.keys(),
          topicId: (name) => (topics.has(name) ? topicIdOf(name) : null),
          topicName: (id) => [...topics.keys()].find((name) => topicIdOf(name) === id) ?? null,
          partitionCount: (name) => topics.get(name) ?? null,
          leaderOf: () => 1,
          endpoint: () => ({ host: "127.0.0.1", port: 9092 }),
        },
        groupLog,
        transactionLog,
        markers: { write },
        groupConfigs: (groupId) => made.groupConfigs.get(groupId) ?? new Map<string, string>(),
        producerIds: { next: async () => ({ first: producerIdBlock++ * 1000, count: 1000 }) },
      };
      const coordinators = createCoordinators(deps);
      await coordinators.elected(groupLog.topic, 0, 0);
      await coordinators.elected(transactionLog.topic, 0, 0);
      return coordinators;
    },
  };
  return made;
}
