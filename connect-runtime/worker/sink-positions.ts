/** Offsets of a sink task: what has been put, what has been committed. Offsets are those of the next record to read. */
import type { ConsumedRecord, PartitionOffset, TopicPartition } from "#broker/client/types";

interface Position {
  readonly topic: string;
  readonly partition: number;
  /** Where this task began to read the partition, or the last commit. */
  committed: number;
  delivered: number;
}
const keyOf = (p: TopicPartition): string => `${p.topic}\n${p.partition}`;

export class SinkPositions {
  readonly #positions = new Map<string, Position>();

  /** All records of a batch have been put, or dropped on purpose. */
  delivered(records: readonly ConsumedRecord[]): void {
    let current: Position | null = null;
    for (const record of records) {
      if (current === null || current.partition !== record.partition || current.topic !== record.topic) current = this.#of(record);
      current.delivered = record.offset + 1;
    }
  }
  /** A record arrives: remembers where reading began, for `rewind`. */
  begun(records: readonly ConsumedRecord[]): void {
    let last: ConsumedRecord | null = null;
    for (const record of records) {
      if (last === null || last.partition !== record.partition || last.topic !== record.topic) this.#of(record);
      last = record;
    }
  }
  /** The task moved the position itself. */
  sought(partition: TopicPartition, offset: number): void {
    this.#positions.set(keyOf(partition), { topic: partition.topic, partition: partition.partition, committed: -1, delivered: offset });
  }
  /** What has to be committed, of these partitions or of all. */
  pending(partitions: readonly TopicPartition[] | null): PartitionOffset[] {
    const wanted = partitions === null ? null : new Set(partitions.map(keyOf));
    const found: PartitionOffset[] = [];
    for (const [key, p] of this.#positions) {
      if (p.delivered === p.committed || (wanted !== null && !wanted.has(key))) continue;
      found.push({ topic: p.topic, partition: p.partition, offset: p.delivered });
    }
    return found;
  }
  committed(offsets: readonly PartitionOffset[]): void {
    for (const o of offsets) {
      const position = this.#positions.get(keyOf(o));
      if (position !== undefined) position.committed = o.offset;
    }
  }
  /** Back to the last commit: the destination could not make durable what it was given since. */
  rewind(): PartitionOffset[] {
    const back: PartitionOffset[] = [];
    for (const p of this.#positions.values()) {
      if (p.committed < 0 || p.delivered === p.committed) continue;
      p.delivered = p.committed;
      back.push({ topic: p.topic, partition: p.partition, offset: p.committed });
    }
    return back;
  }
  /** Records that were put, but are not committed yet. */
  active(): number {
    let count = 0;
    for (const { delivered, committed } of this.#positions.values()) if (committed >= 0) count += Math.max(0, delivered - committed);
    return count;
  }
  forget(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#positions.delete(keyOf(p));
  }
  #of(record: ConsumedRecord): Position {
    const key = keyOf(record);
    let position = this.#positions.get(key);
    if (position === undefined) {
      position = { topic: record.topic, partition: record.partition, committed: record.offset, delivered: record.offset };
      this.#positions.set(key, position);
    }
    return position;
  }
}
