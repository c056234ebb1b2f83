/**
 * Exactly once (KIP-618): records and their offsets in one transaction of the task's producer, so that readers of committed data
 * see both or neither. The transactional id fences every earlier producer of this task.
 */
import type { SourceTask } from "../api/connector.ts";
import { ConfigError } from "../api/errors.ts";
import { offsetKey, offsetToJson } from "../store/offset-json.ts";
import { numberOf } from "./settings.ts";
import { DurableOffsets, type SourceCommits, type SourceCommitsOptions } from "./source-commits.ts";
import type { ConfigMap, TaskId } from "./types.ts";

export const isExactlyOnce = (worker: ConfigMap): boolean =>
  (worker["exactly.once.source.support"] ?? "disabled").toLowerCase() === "enabled";
export const transactionalId = (worker: ConfigMap, id: TaskId): string => `${worker["group.id"] ?? ""}-${id.connector}-${id.task}`;

/** Null: after every poll. Throws ConfigError for boundaries that the connector would have to draw itself. */
function boundaryIntervalMs(worker: ConfigMap, connector: ConfigMap): number | null {
  const boundary = (connector["transaction.boundary"] ?? "poll").toLowerCase();
  if (boundary === "poll") return null;
  const flushMs = numberOf(worker, "offset.flush.interval.ms", 60_000);
  if (boundary === "interval") return numberOf(connector, "transaction.boundary.interval.ms", flushMs);
  throw new ConfigError(
    `Invalid value ${boundary} for configuration transaction.boundary: the connector does not define its own transaction boundaries`,
  );
}

export class TransactionalCommits implements SourceCommits {
  readonly #o: SourceCommitsOptions;
  readonly #topic: string;
  readonly #intervalMs: number | null;
  readonly #durable = new DurableOffsets();
  #open = false;
  #dueAt = 0;

  constructor(options: SourceCommitsOptions) {
    this.#o = options;
    const { workerConfig, connectorConfig } = options.host;
    this.#topic = connectorConfig["offsets.storage.topic"] ?? workerConfig["offset.storage.topic"] ?? "";
    this.#intervalMs = boundaryIntervalMs(workerConfig, connectorConfig);
  }
  async open(): Promise<void> {
    await this.#o.producer.initTransactions();
    await this.#o.producer.partitions(this.#topic);
  }
  beforeBatch(): void {
    if (this.#open) return;
    this.#o.producer.beginTransaction();
    this.#open = true;
    this.#dueAt = this.#o.host.clock.monotonic() + (this.#intervalMs ?? 0);
  }
  async afterBatch(): Promise<void> {
    if (this.#open && this.#o.host.clock.monotonic() >= this.#dueAt) await this.#commit();
  }
  tellDurable(task: SourceTask): Promise<void> {
    return this.#durable.tell(task);
  }
  async close(failed: boolean): Promise<void> {
    if (!this.#open) return;
    if (!failed) return this.#commit();
    this.#open = false;
    await this.#o.producer.abortTransaction();
  }
  async #commit(): Promise<void> {
    const { producer, ledger, host, advance } = this.#o;
    const started = host.clock.monotonic();
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
