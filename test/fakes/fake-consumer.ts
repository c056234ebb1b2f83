/** A consumer over a FakeCluster; its group rebalances inside `poll`, as Kafka's does. */
import type { ClientConfig, ConsumedRecord, Consumer, PartitionOffset, RebalanceListener, TopicPartition } from "#broker/client/types";
import type { FakeCluster, GroupMember } from "./kafka-cluster.ts";

const keyOf = (p: TopicPartition): string => `${p.topic}-${p.partition}`;

export class FakeConsumer implements Consumer {
  readonly #cluster: FakeCluster;
  readonly #group: string;
  readonly #max: number;
  readonly #assigned = new Map<string, TopicPartition>();
  readonly #positions = new Map<string, number>();
  readonly #paused = new Set<string>();
  readonly #arrival: { wake: (() => void) | null } = { wake: null };
  #member: GroupMember | null = null;
  #listener: RebalanceListener | null = null;
  #stale = false;
  #woken = false;

  constructor(cluster: FakeCluster, config: ClientConfig) {
    this.#cluster = cluster;
    this.#group = config["group.id"] ?? "";
    this.#max = Number(config["max.poll.records"] ?? 500);
  }
  subscribe(topics: readonly string[] | RegExp, listener?: RebalanceListener): void {
    this.#listener = listener ?? null;
    const rebalance = (): void => {
      this.#stale = true;
      this.#arrival.wake?.();
    };
    this.#member = { topics, rebalance };
    const members = this.#cluster.groups.get(this.#group) ?? [];
    this.#cluster.groups.set(this.#group, [...members, this.#member]);
    this.#cluster.rebalanceAll();
  }
  assign(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#take(p);
  }
  assignment(): readonly TopicPartition[] {
    return [...this.#assigned.values()];
  }
  async poll(timeoutMs: number): Promise<readonly ConsumedRecord[]> {
    if (this.#stale) await this.#rebalance();
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (this.#woken) {
        this.#woken = false;
        return [];
      }
      const records = this.#read();
      const left = deadline - Date.now();
      if (records.length > 0) return records;
      if (left <= 0 || this.#stale) {
        await new Promise((resolve) => setImmediate(resolve));
        return [];
      }
      await this.#cluster.arrival(left, this.#arrival);
    }
  }
  #read(): ConsumedRecord[] {
    const records: ConsumedRecord[] = [];
    for (const [key, p] of this.#assigned) {
      if (this.#paused.has(key)) continue;
      const position = this.#positions.get(key) ?? 0;
      const found = this.#cluster.read(p, position, this.#max - records.length);
      this.#positions.set(key, position + found.length);
      records.push(...found);
    }
    return records;
  }
  async #rebalance(): Promise<void> {
    this.#stale = false;
    const member = this.#member;
    if (member === null) return;
    const wanted = new Map(this.#cluster.share(this.#group, member).map((p) => [keyOf(p), p]));
    const gone = [...this.#assigned].filter(([key]) => !wanted.has(key)).map(([, p]) => p);
    if (gone.length > 0) await this.#listener?.revoked(gone);
    for (const p of gone) this.#drop(p);
    const fresh = [...wanted].filter(([key]) => !this.#assigned.has(key) && !this.#cluster.owners.has(this.#group + key)).map(([, p]) => p);
    for (const p of fresh) {
      this.#cluster.owners.set(this.#group + keyOf(p), member);
      this.#take(p);
    }
    if (gone.length > 0) this.#cluster.rebalanceAll();
    if (fresh.length > 0) await this.#listener?.assigned(fresh);
  }
  #take(p: TopicPartition): void {
    this.#assigned.set(keyOf(p), p);
    this.#positions.set(keyOf(p), this.#cluster.offsetsOf(this.#group).get(keyOf(p))?.offset ?? 0);
  }
  #drop(p: TopicPartition): void {
    this.#assigned.delete(keyOf(p));
    this.#positions.delete(keyOf(p));
    this.#paused.delete(keyOf(p));
    this.#cluster.owners.delete(this.#group + keyOf(p));
  }
  seek(p: TopicPartition, offset: number): void {
    this.#positions.set(keyOf(p), offset);
  }
  async seekToBeginning(partitions: readonly TopicPartition[]): Promise<void> {
    for (const p of partitions) this.seek(p, 0);
  }
  async seekToEnd(partitions: readonly TopicPartition[]): Promise<void> {
    for (const p of partitions) this.seek(p, this.#cluster.end(p));
  }
  position(p: TopicPartition): number | null {
    return this.#positions.get(keyOf(p)) ?? null;
  }
  pause(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#paused.add(keyOf(p));
  }
  resume(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#paused.delete(keyOf(p));
    this.#arrival.wake?.();
  }
  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    this.#cluster.commit(this.#group, offsets);
  }
  async committed(partitions: readonly TopicPartition[]): Promise<readonly (PartitionOffset | null)[]> {
    return partitions.map((p) => this.#cluster.offsetsOf(this.#group).get(keyOf(p)) ?? null);
  }
  async endOffsets(partitions: readonly TopicPartition[]): Promise<readonly number[]> {
    return partitions.map((p) => this.#cluster.end(p));
  }
  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly number[]> {
    return partitions.map(() => 0);
  }
  wakeup(): void {
    this.#woken = true;
    this.#arrival.wake?.();
  }
  async close(): Promise<void> {
    const members = this.#cluster.groups.get(this.#group) ?? [];
    this.#cluster.groups.set(
      this.#group,
      members.filter((m) => m !== this.#member),
    );
    this.#member = null;
    for (const p of this.assignment()) this.#drop(p);
    this.#cluster.rebalanceAll();
  }
}
