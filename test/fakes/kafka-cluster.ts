/** A Kafka cluster in memory for unit tests: topics, consumer groups, and switches for what goes wrong. */
import type { ConsumedRecord, NewTopic, PartitionOffset, RecordHeader, TopicPartition } from "#broker/client/types";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";

export interface StoredRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}
export interface FakeTopic {
  readonly name: string;
  readonly partitions: StoredRecord[][];
  readonly replicationFactor: number;
  readonly configs: Record<string, string>;
}
export interface GroupMember {
  readonly topics: readonly string[] | RegExp;
  /** Called when the group's shape has changed; the member rebalances in its next poll. */
  rebalance(): void;
}
const DEFAULT_PARTITIONS = 1;

export class FakeCluster {
  readonly topics = new Map<string, FakeTopic>();
  readonly committed = new Map<string, Map<string, PartitionOffset>>();
  readonly groups = new Map<string, GroupMember[]>();
  /** Who holds a partition of a group: nobody takes it before it has been given up. */
  readonly owners = new Map<string, GroupMember>();
  /** While set, produced batches wait: neither acknowledged nor failed. */
  holdAcks = false;
  /** Decides the fate of a batch; null: acknowledged. */
  produceError: ((topic: string) => Error | null) | null = null;
  /** Thrown by commits, while set. */
  commitError: Error | null = null;
  readonly #waiting: (() => void)[] = [];
  readonly #arrivals = new Set<() => void>();

  create(topic: NewTopic): boolean {
    if (this.topics.has(topic.name)) return false;
    const count = topic.partitions < 1 ? DEFAULT_PARTITIONS : topic.partitions;
    this.topics.set(topic.name, {
      name: topic.name,
      partitions: Array.from({ length: count }, () => []),
      replicationFactor: topic.replicationFactor,
      configs: { ...topic.configs },
    });
    this.rebalanceAll();
    return true;
  }
  topic(name: string): FakeTopic {
    const topic = this.topics.get(name);
    if (topic === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    return topic;
  }
  /** Runs now, or when `release` is called. */
  whenAcked(run: () => void): void {
    if (this.holdAcks) this.#waiting.push(run);
    else setImmediate(run);
  }
  release(): void {
    this.holdAcks = false;
    for (const run of this.#waiting.splice(0)) run();
  }
  append(topic: string, partition: number, records: readonly StoredRecord[]): number {
    const log = this.topic(topic).partitions[partition];
    if (log === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const base = log.length;
    log.push(...records);
    for (const wake of this.#arrivals) wake();
    return base;
  }
  /** For tests: one record into partition 0 unless said otherwise. */
  produce(topic: string, key: string | null, value: string | Buffer | null, partition = 0, headers: readonly RecordHeader[] = []): void {
    this.create({ name: topic, partitions: -1, replicationFactor: 1 });
    const bytes = (v: string | Buffer | null): Buffer | null => (typeof v === "string" ? Buffer.from(v) : v);
    this.append(topic, partition, [{ key: bytes(key), value: bytes(value), timestamp: 1_700_000_000_000, headers }]);
  }
  /** Resolves at the next append, or after the time. */
  arrival(ms: number, cancel: { wake: (() => void) | null }): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#arrivals.delete(done);
        cancel.wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#arrivals.add(done);
      cancel.wake = done;
    });
  }
  read(p: TopicPartition, offset: number, max: number): ConsumedRecord[] {
    const log = this.topics.get(p.topic)?.partitions[p.partition] ?? [];
    return log.slice(offset, offset + max).map((r, i) => ({
      topic: p.topic,
      partition: p.partition,
      offset: offset + i,
      timestamp: r.timestamp,
      timestampType: "CREATE_TIME" as const,
      key: r.key,
      value: r.value,
      headers: r.headers,
    }));
  }
  end(p: TopicPartition): number {
    return this.topics.get(p.topic)?.partitions[p.partition]?.length ?? 0;
  }
  offsetsOf(group: string): Map<string, PartitionOffset> {
    let offsets = this.committed.get(group);
    if (offsets === undefined) this.committed.set(group, (offsets = new Map()));
    return offsets;
  }
  commit(group: string, offsets: readonly PartitionOffset[]): void {
    if (this.commitError !== null) throw this.commitError;
    for (const o of offsets) this.offsetsOf(group).set(`${o.topic}-${o.partition}`, o);
  }
  rebalanceAll(): void {
    for (const members of this.groups.values()) for (const m of members) m.rebalance();
  }
  /** Partitions of a member: round robin in topic order. */
  share(group: string, member: GroupMember): TopicPartition[] {
    const members = this.groups.get(group) ?? [];
    const mine: TopicPartition[] = [];
    let n = 0;
    for (const topic of [...this.topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const takers = members.filter((m) => (m.topics instanceof RegExp ? m.topics.test(topic.name) : m.topics.includes(topic.name)));
      topic.partitions.forEach((_log, partition) => {
        if (takers.length > 0 && takers[n++ % takers.length] === member) mine.push({ topic: topic.name, partition });
      });
    }
    return mine;
  }
  /** Values of a topic as text, partition by partition. */
  values(topic: string): (string | null)[] {
    return this.topic(topic).partitions.flatMap((log) => log.map((r) => r.value?.toString() ?? null));
  }
}
