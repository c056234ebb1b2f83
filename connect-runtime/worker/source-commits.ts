/**
 * When and how source offsets become durable. Two ways: at intervals through the offset store (at least once), or inside the
 * producer's transactions (KIP-618). Both tell the source of an offset only after it is durable.
 */
import type { Producer } from "#broker/client/types";
import type { SourceTask } from "../api/connector.ts";
import type { SourceRecord } from "../api/record.ts";
import { canonicalKey } from "../store/offset-json.ts";
import type { CommittableOffset, DeliveryLedger } from "./delivery-ledger.ts";
import type { RequestedBoundaries } from "./requested-boundaries.ts";
import type { TaskHost } from "./task-host.ts";

export interface SourceCommitsOptions {
  /** Where the task itself ends transactions; null: the worker does. */
  readonly boundaries: RequestedBoundaries | null;
  readonly host: TaskHost;
  readonly producer: Producer;
  readonly ledger: DeliveryLedger;
  /** Passes what is acknowledged; throws at a delivery that failed for good. */
  readonly advance: () => void;
}
export interface SourceCommits {
  /** Before the task starts, and so before it reads its offsets. */
  open(): Promise<void>;
  /** Before the records of a poll are sent. */
  beforeBatch(): void;
  /** After each record of a poll, where the task itself ends transactions. */
  afterRecord?(record: SourceRecord): Promise<void>;
  /** After all records of a poll. */
  batchSent?(): Promise<void>;
  /** After they were sent, and between polls. */
  afterBatch(): Promise<void>;
  /** Tells the source what has become durable since the last call. To be called between polls. */
  tellDurable(task: SourceTask): Promise<void>;
  /** The last commit, at most `limitMs`. `failed`: the task ends with an error. */
  close(failed: boolean, limitMs: number): Promise<void>;
}

/** What is durable and the source has not heard of yet: the newest offset of each partition. */
export class DurableOffsets {
  readonly #entries = new Map<string, CommittableOffset>();
  add(entries: readonly CommittableOffset[]): void {
    for (const entry of entries) this.#entries.set(canonicalKey("", entry.partition), entry);
  }
  async tell(task: SourceTask): Promise<void> {
    if (this.#entries.size === 0) return;
    const durable = [...this.#entries.values()];
    this.#entries.clear();
    await task.durable?.(durable);
  }
}
