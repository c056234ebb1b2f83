/** Writes the end markers of a decided transaction to all its partitions, again and again until each has one. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { CoordinatorDeps, ProducerIdentity } from "../types.ts";
import type { TransactionState } from "./transaction-state.ts";

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2000;

/** The group coordinator's side of a marker in __consumer_offsets. */
export interface OffsetsEnd {
  /** Throws KafkaError (COORDINATOR_LOAD_IN_PROGRESS) while the partition's offsets are being replayed. */
  admitMarker(partition: number): void;
  transactionEnded(partition: number, producer: ProducerIdentity, committed: boolean): void;
}

export class MarkerSender {
  private readonly deps: CoordinatorDeps;
  private readonly offsets: OffsetsEnd;
  constructor(deps: CoordinatorDeps, offsets: OffsetsEnd) {
    this.deps = deps;
    this.offsets = offsets;
  }

  /** True when every partition has its marker; false when `stopped` said so first. Never rejects. */
  async send(state: TransactionState, coordinatorEpoch: number, stopped: () => boolean): Promise<boolean> {
    const producer = { producerId: state.producerId, producerEpoch: state.producerEpoch };
    const committed = state.status === "PrepareCommit";
    const all: Promise<boolean>[] = [];
    for (const [topic, partitions] of state.partitions) {
      for (const partition of partitions) all.push(this.persist(topic, partition, producer, committed, coordinatorEpoch, stopped));
    }
    return (await Promise.all(all)).every(Boolean);
  }
  private async persist(
    topic: string,
    partition: number,
    producer: ProducerIdentity,
    committed: boolean,
    coordinatorEpoch: number,
    stopped: () => boolean,
  ): Promise<boolean> {
    for (let delayMs = RETRY_MS_MIN; !stopped(); delayMs = Math.min(delayMs * 2, RETRY_MS_MAX)) {
      try {
        await this.write(topic, partition, producer, committed, coordinatorEpoch);
        return true;
      } catch (error) {
        if (this.isOver(error, topic, partition)) return true;
        this.deps.logger.warn("transaction marker not written yet", { topic, partition, ...producer, error: String(error) });
      }
      await this.deps.clock.sleep(delayMs);
    }
    return false;
  }
  /** A deleted topic needs no marker, and a partition that has seen a later epoch has no transaction of ours open. */
  private isOver(error: unknown, topic: string, partition: number): boolean {
    if ((this.deps.metadata.partitionCount(topic) ?? 0) <= partition) return true;
    return (
      error instanceof KafkaError &&
      (error.code === ErrorCode.INVALID_PRODUCER_EPOCH || error.code === ErrorCode.TRANSACTION_COORDINATOR_FENCED)
    );
  }
  /** One marker, once. Rejects with KafkaError. */
  async write(topic: string, partition: number, producer: ProducerIdentity, committed: boolean, coordinatorEpoch: number): Promise<void> {
    const holdsOffsets = topic === this.deps.groupLog.topic;
    if (holdsOffsets) this.offsets.admitMarker(partition);
    await this.deps.markers.write(topic, partition, producer, committed, coordinatorEpoch);
    if (holdsOffsets) this.offsets.transactionEnded(partition, producer, committed);
  }
}
