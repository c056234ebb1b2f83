/**
 * Exactly once (KIP-618): records and their offsets in one transaction of the task's producer, so that readers of committed data
 * see both or neither. The transactional id fences every earlier producer of this task.
 */
import type { SourceTask } from "../api/connector.ts";
import type { SourceRecord } from "../api/record.ts";
import { ConfigError } from "../api/errors.ts";
import { offsetKey, offsetToJson } from "../store/offset-json.ts";
import type { BoundaryRequest } from "./requested-boundaries.ts";
import { numberOf } from "./settings.ts";
import { DurableOffsets, type SourceCommits, type SourceCommitsOptions } from "./source-commits.ts";
import type { ConfigMap, TaskId } from "./types.ts";

export const isExactlyOnce = (worker: ConfigMap): boolean =>
  (worker["exactly.once.source.support"] ?? "disabled").toLowerCase() === "enabled";
export const transactionalId = (worker: ConfigMap, id: TaskId): string => `${worker["group.id"] ?? ""}-${id.connector}-${id.task}`;

type Boundary = "poll" | "interval" | "connector";
/** Throws ConfigError. */
export function boundaryOf(connector: ConfigMap): Boundary {
  const boundary = (connector["transaction.boundary"] ?? "poll").toLowerCase();
  if (boundary === "poll" || boundary === "interval" || boundary === "connector") return boundary;
  throw new ConfigError(
    `Invalid value ${boundary} for configuration transaction.boundary: String must be one of (case insensitive): POLL, CONNECTOR, INTERVAL`,
  );
}

export class TransactionalCommits implements SourceCommits {
  readonly #o: SourceCommitsOptions;
  readonly #topic: string;
  readonly #boundary: Boundary;
  readonly #intervalMs: number;
  readonly #durable = new DurableOffsets();
  #open = false;
  #dueAt = 0;

  constructor(options: SourceCommitsOptions) {
    this.#o = options;
    const { workerConfig, connectorConfig } = options.host;
    this.#topic = connectorConfig["offsets.storage.topic"] ?? workerConfig["offset.storage.topic"] ?? "";
    this.#boundary = boundaryOf(connectorConfig);
    const flushMs = numberOf(workerConfig, "offset.flush.interval.ms", 60_000);
    this.#intervalMs = this.#boundary === "interval" ? numberOf(connectorConfig, "transaction.boundary.interval.ms", flushMs) : 0;
  }
  async open(): Promise<void> {
    await this.#o.producer.initTransactions();
    await this.#o.producer.partitions(this.#topic);
  }
  beforeBatch(): void {
    this.#begin();
  }
  #begin(): void {
    if (this.#open) return;
    this.#o.producer.beginTransaction();
    this.#open = true;
    this.#dueAt = this.#o.host.clock.monotonic() + this.#intervalMs;
  }
  async afterRecord(record: SourceRecord): Promise<void> {
    await this.#requested(this.#o.boundaries?.takeRecord(record) ?? null);
  }
  async batchSent(): Promise<void> {
    const request = this.#o.boundaries?.takeBatch() ?? null;
    await this.#requested(request);
    // What was aborted is not to come again: its offsets are committed by themselves.
    if (request === "abort") await this.#commit();
  }
  async #requested(request: BoundaryRequest): Promise<void> {
    if (request === null) return;
    if (request === "commit") {
      await this.#commit();
      return this.#begin();
    }
    if (!this.#open) return this.#o.host.log.warn("the task asked to abort a transaction in which there is nothing yet");
    await this.#o.producer.flush();
    this.#o.advance();
    await this.#o.producer.abortTransaction();
    this.#open = false;
    // Records of the same poll that follow belong to the next transaction.
    this.#begin();
  }
  async afterBatch(): Promise<void> {
    if (this.#boundary !== "connector" && this.#open && this.#o.host.clock.monotonic() >= this.#dueAt) await this.#commit();
  }
  tellDurable(task: SourceTask): Promise<void> {
    return this.#durable.tell(task);
  }
  async close(failed: boolean): Promise<void> {
    if (!this.#open) return;
    // A transaction that the task has not ended is none of ours to commit: its records come again.
    if (!failed && this.#boundary !== "connector") return this.#commit();
    this.#open = false;
    await this.#o.producer.abortTransaction();
  }
  async #commit(): Promise<void> {
    const { producer, ledger, host, advance } = this.#o;
    const started = host.clock.monotonic();
    this.#begin();
    await producer.flush();
    advance();
    const entries = ledger.take();
    const now = host.clock.now();
    for (const { partition, offset } of entries) {
      producer.append(this.#topic, null, Buffer.from(offsetKey(host.id.connector, partition)), Buffer.from(offsetToJson(offset)), now, []);
    }
    await producer.commitTransaction();
    this.#open = false;
    this.#durable.add(entries);
    host.counters.commit(true, host.clock.monotonic() - started);
  }
}
