/** What the consumer knows of one assigned partition. */
import type { TopicPartition } from "../types.ts";
import type { FetchedBatches } from "./fetched-batches.ts";

export class PartitionState implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** Next offset that `poll` returns; null: not known yet. */
  position: number | null = null;
  /** Where to start when there is no position; null: the committed offset, else `auto.offset.reset`. */
  reset: "earliest" | "latest" | null = null;
  /** Next offset to ask the broker for; runs ahead of `position` by what is prefetched. */
  fetchOffset = 0;
  paused = false;
  readonly fetched: FetchedBatches[] = [];
  bufferedBytes = 0;
  /** Changes with every seek: answers to older requests are thrown away. */
  generation = 0;
  fetching = false;
  /** Monotonic ms; not asked before (after an error). */
  notBefore = 0;
  /** A closer replica that the leader named (KIP-392), -1: none. */
  preferredReplica = -1;
  preferredUntil = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }
  seek(offset: number): void {
    this.position = offset;
    this.reset = null;
    this.#restart(offset);
  }
  /** The position is found out at the next poll. */
  forgetPosition(reset: "earliest" | "latest" | null): void {
    this.position = null;
    this.reset = reset;
    this.#restart(0);
  }
  #restart(offset: number): void {
    this.fetchOffset = offset;
    this.fetched.length = 0;
    this.bufferedBytes = 0;
    this.generation++;
  }
}
