/**
 * The batches of one partition, in order: `retry` (sent before, first again), `ready` (full), `open` (takes records), and
 * `inFlight` (on the wire). Order over retries (KIP-98): while a batch waits for its retry nothing newer is sent, and retries
 * go one at a time; with more than one in flight the broker refuses what overtakes by its sequence.
 */
import type { Batch } from "./batch.ts";

export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  open: Batch | null = null;
  readonly ready: Batch[] = [];
  readonly retry: Batch[] = [];
  readonly inFlight: Batch[] = [];
  /** Identity under which `nextSequence` counts; -1: none yet. */
  producerId = -1;
  producerEpoch = -1;
  nextSequence = 0;
  /**
   * A batch of this identity was acked. Before that one request is in flight at most: a broker that knows nothing of the
   * producer on this partition takes any first sequence, also that of a second batch whose first one was refused.
   */
  established = false;
  /** A batch that had a sequence failed for good: what follows needs a new epoch. */
  needsReset = false;
  /** Monotonic ms; nothing is sent before (retry backoff). */
  notBefore = 0;
  /** Monotonic ms of the last request. */
  sentAt = -Infinity;
  /** Node that has what is in flight; a new leader gets nothing before the old one has answered. */
  sentTo = -1;
  /** Size of the last full batch, to give the next one room from the start. */
  bytesHint = 0;
  /** Records of the last batch. */
  countHint = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }
  get empty(): boolean {
    return this.open === null && this.ready.length === 0 && this.retry.length === 0;
  }
  /** Back after a failure that may heal (or in parts), in sequence order. */
  putBack(batches: readonly Batch[]): void {
    let at = this.retry.length;
    const first = batches[0];
    while (at > 0 && first !== undefined && isAfter(this.retry[at - 1], first)) at--;
    this.retry.splice(at, 0, ...batches);
  }
  /** From now on sequences count under this identity, from 0. */
  begin(producerId: number, producerEpoch: number): void {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.nextSequence = 0;
    this.established = false;
  }
  leave(batch: Batch): void {
    const at = this.inFlight.indexOf(batch);
    if (at >= 0) this.inFlight.splice(at, 1);
  }
  /** No older batch waits for its answer or its retry. */
  isOldest(batch: Batch): boolean {
    const waiting = this.retry[0];
    return this.inFlight[0] === batch && (waiting === undefined || isAfter(waiting, batch));
  }
  /** Every batch that is not settled, oldest first. */
  unsettled(): Batch[] {
    return [...this.inFlight, ...this.retry, ...this.ready, ...(this.open === null ? [] : [this.open])];
  }
}
function isAfter(a: Batch | undefined, b: Batch): boolean {
  if (a === undefined) return false;
  return a.sequence >= 0 && b.sequence >= 0 ? a.sequence > b.sequence : a.createdAt > b.createdAt;
}
