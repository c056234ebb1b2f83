/**
 * Why partitions are paused: the whole task (target state, a put to be repeated) or single ones by the sink's own wish. A
 * partition is read only when no reason is left.
 */
import type { Consumer, TopicPartition } from "#broker/client/types";
import type { SinkPositions } from "./sink-positions.ts";

type Reason = "target" | "retry";
const keyOf = (p: TopicPartition): string => `${p.topic}\n${p.partition}`;

export class SinkPartitions {
  readonly #consumer: Consumer;
  readonly #positions: SinkPositions;
  readonly #reasons = new Set<Reason>();
  readonly #assigned = new Map<string, TopicPartition>();
  readonly #pausedByTask = new Set<string>();
  #seeks: { readonly partition: TopicPartition; readonly offset: number }[] = [];

  constructor(consumer: Consumer, positions: SinkPositions) {
    this.#consumer = consumer;
    this.#positions = positions;
  }
  get count(): number {
    return this.#assigned.size;
  }
  isPaused(reason: Reason): boolean {
    return this.#reasons.has(reason);
  }
  pauseAll(reason: Reason): void {
    this.#reasons.add(reason);
    this.#consumer.pause([...this.#assigned.values()]);
  }
  resumeAll(reason: Reason): void {
    this.#reasons.delete(reason);
    this.#resumeFree([...this.#assigned.values()]);
  }
  pauseByTask(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#pausedByTask.add(keyOf(p));
    this.#consumer.pause(this.#owned(partitions));
  }
  resumeByTask(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#pausedByTask.delete(keyOf(p));
    this.#resumeFree(this.#owned(partitions));
  }
  assigned(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) this.#assigned.set(keyOf(p), p);
    if (this.#reasons.size > 0 && partitions.length > 0) this.#consumer.pause(partitions);
  }
  gone(partitions: readonly TopicPartition[]): void {
    for (const p of partitions) {
      this.#assigned.delete(keyOf(p));
      this.#pausedByTask.delete(keyOf(p));
    }
    this.#positions.forget(partitions);
    this.#seeks = this.#seeks.filter((s) => this.#assigned.has(keyOf(s.partition)));
  }
  /** Takes effect after the put in progress. */
  seek(partition: TopicPartition, offset: number): void {
    this.#seeks.push({ partition, offset });
  }
  applySeeks(): void {
    const seeks = this.#seeks;
    this.#seeks = [];
    for (const { partition, offset } of seeks) {
      if (!this.#assigned.has(keyOf(partition))) continue;
      this.#consumer.seek(partition, offset);
      this.#positions.sought(partition, offset);
    }
  }
  #owned(partitions: readonly TopicPartition[]): TopicPartition[] {
    return partitions.filter((p) => this.#assigned.has(keyOf(p)));
  }
  #resumeFree(partitions: readonly TopicPartition[]): void {
    if (this.#reasons.size > 0) return;
    this.#consumer.resume(partitions.filter((p) => !this.#pausedByTask.has(keyOf(p))));
  }
}
