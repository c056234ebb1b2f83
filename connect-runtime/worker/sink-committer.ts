/** Commits a sink's offsets: first the destination makes durable what it was given, and the dead letters are, then the group. */
import type { Consumer, TopicPartition } from "#broker/client/types";
import type { SinkTask } from "../api/connector.ts";
import type { DeadLetterQueue } from "./dead-letter.ts";
import { numberOf } from "./settings.ts";
import type { SinkPositions } from "./sink-positions.ts";
import type { TaskHost } from "./task-host.ts";

export interface SinkCommitterOptions {
  readonly host: TaskHost;
  readonly consumer: Consumer;
  readonly task: SinkTask;
  readonly positions: SinkPositions;
  readonly deadLetters: DeadLetterQueue | null;
}
export class SinkCommitter {
  readonly #o: SinkCommitterOptions;
  readonly #intervalMs: number;
  #dueAt: number;

  constructor(options: SinkCommitterOptions) {
    this.#o = options;
    this.#intervalMs = numberOf(options.host.workerConfig, "offset.flush.interval.ms", 60_000);
    this.#dueAt = options.host.clock.monotonic() + this.#intervalMs;
  }
  due(): boolean {
    return this.#o.host.clock.monotonic() >= this.#dueAt;
  }
  msUntilDue(): number {
    return Math.max(0, this.#dueAt - this.#o.host.clock.monotonic());
  }
  /**
   * The commit at the interval. True: the destination could not flush, so reading goes back to the last commit. A group that
   * is just rebalancing refuses the commit; the next one makes it good.
   */
  async commit(): Promise<boolean> {
    const { host, consumer, positions, task, deadLetters } = this.#o;
    this.#dueAt = host.clock.monotonic() + this.#intervalMs;
    if (positions.pending(null).length === 0) return false;
    await deadLetters?.flush();
    const started = host.clock.monotonic();
    try {
      await task.flush?.();
    } catch (error) {
      host.counters.commit(false, host.clock.monotonic() - started);
      host.log.error(`the sink could not flush; going back to the last committed offsets: ${String(error)}`);
      for (const back of positions.rewind()) consumer.seek(back, back.offset);
      return true;
    }
    try {
      await this.#send(null);
      host.counters.commit(true, host.clock.monotonic() - started);
    } catch (error) {
      host.counters.commit(false, host.clock.monotonic() - started);
      host.log.warn(`offset commit failed, it is made again with the next one: ${String(error)}`);
    }
    return false;
  }
  /** The commit before partitions are given up (null: all). Throws. */
  async commitOf(partitions: readonly TopicPartition[] | null): Promise<void> {
    const { positions, task, deadLetters } = this.#o;
    await deadLetters?.flush();
    if (positions.pending(partitions).length === 0) return;
    await task.flush?.();
    await this.#send(partitions);
  }
  async #send(partitions: readonly TopicPartition[] | null): Promise<void> {
    const { consumer, positions } = this.#o;
    const offsets = positions.pending(partitions);
    if (offsets.length === 0) return;
    await consumer.commit(offsets);
    positions.committed(offsets);
  }
}
