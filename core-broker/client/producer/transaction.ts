/**
 * The transaction's state. Transactions v2 (KIP-890: the cluster feature transaction.version ≥ 2) add partitions implicitly by
 * Produce v12 and raise the epoch at each end; v1 adds them by requests of their own before the first batch.
 */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import type { Cluster } from "../cluster.ts";
import type { PartitionOffset } from "../types.ts";
import type { ProducerConfig } from "./config.ts";
import type { ProducerIdentity } from "./identity.ts";
import type { PartitionQueue } from "./partition-queue.ts";
import type { Sender, TransactionGate } from "./sender.ts";
import { TransactionRequests } from "./transaction-requests.ts";

type State = "uninitialized" | "ready" | "open" | "ending" | "abortable" | "fatal";
const V1_PRODUCE_MAX = 11;
const V2_PRODUCE_MAX = 13;
const V1_END_TXN_MAX = 4;
const V2_END_TXN_MAX = 5;
const FATAL: readonly number[] = [
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.UNSUPPORTED_VERSION,
];

export class Transaction implements TransactionGate {
  #state: State = "uninitialized";
  #error: Error | null = null;
  #v2 = false;
  /** Something of this transaction may have reached a broker. */
  #started = false;
  #sequenceLost = false;
  readonly #added = new Set<PartitionQueue>();
  readonly #toAdd = new Set<PartitionQueue>();
  #adding = false;
  readonly #groups = new Set<string>();
  readonly #cluster: Cluster;
  readonly #config: ProducerConfig;
  readonly #sender: Sender;
  readonly #requests: TransactionRequests;
  readonly #flush: () => Promise<void>;

  constructor(
    cluster: Cluster,
    config: ProducerConfig,
    transactionalId: string,
    identity: ProducerIdentity,
    sender: Sender,
    flush: () => Promise<void>,
  ) {
    this.#cluster = cluster;
    this.#config = config;
    this.#sender = sender;
    this.#flush = flush;
    this.#requests = new TransactionRequests(cluster, transactionalId, identity, config.maxBlockMs);
  }
  get produceVersionMax(): number {
    return this.#v2 ? V2_PRODUCE_MAX : V1_PRODUCE_MAX;
  }
  /** Why nothing may be appended now; null: it may. */
  refusal(): Error | null {
    if (this.#state === "open") return null;
    if (this.#error !== null) return this.#error;
    return new KafkaError(
      ErrorCode.INVALID_TXN_STATE,
      `records need an open transaction; call beginTransaction first (state: ${this.#state})`,
    );
  }
  fail(error: Error): void {
    this.#state = "fatal";
    this.#error = error;
  }

  admits(queue: PartitionQueue): boolean {
    if (this.#v2 || this.#added.has(queue)) {
      this.#started = true;
      return true;
    }
    this.#toAdd.add(queue);
    if (!this.#adding) {
      this.#adding = true;
      // Partitions of the same burst go together.
      queueMicrotask(() => void this.#addPartitions());
    }
    return false;
  }
  async #addPartitions(): Promise<void> {
    const queues = [...this.#toAdd];
    this.#toAdd.clear();
    try {
      await this.#requests.addPartitions(queues);
      this.#started = true;
      for (const queue of queues) this.#added.add(queue);
    } catch (error) {
      this.#sender.dropUnsent(this.#failed(error));
    } finally {
      this.#adding = false;
      this.#sender.wake();
    }
  }
  batchFailed(error: Error, sequenced: boolean): void {
    this.#sequenceLost ||= sequenced;
    if (this.#state !== "open") return;
    this.#state = "abortable";
    this.#error = error;
  }
  #failed(error: unknown): Error {
    const known = error instanceof Error ? error : new Error(String(error));
    const code = error instanceof KafkaError ? error.code : null;
    if (code !== null && FATAL.includes(code)) {
      const fenced = code === ErrorCode.INVALID_PRODUCER_EPOCH || code === ErrorCode.PRODUCER_FENCED;
      const text = "There is a newer producer with the same transactionalId which fences the current one.";
      this.fail(fenced ? new KafkaError(ErrorCode.PRODUCER_FENCED, text, error) : known);
    } else if (this.#state !== "fatal") {
      this.#state = "abortable";
      this.#error = known;
    }
    return this.#error ?? known;
  }
  #require(state: State, what: string): void {
    if (this.#state === state) return;
    if (this.#state === "fatal" || this.#state === "abortable") throw this.#error ?? new Error(what);
    throw new KafkaError(ErrorCode.INVALID_TXN_STATE, `${what} is not possible in state ${this.#state}`);
  }

  async init(): Promise<void> {
    this.#require("uninitialized", "initTransactions");
    try {
      await this.#requests.init(this.#config.transactionTimeoutMs, false);
      this.#state = "ready";
    } catch (error) {
      const code = error instanceof KafkaError ? error.code : null;
      if (code !== null && FATAL.includes(code)) throw this.#failed(error);
      throw error;
    }
  }
  begin(): void {
    this.#require("ready", "beginTransaction");
    this.#v2 = this.#cluster.feature("transaction.version") >= 2;
    this.#state = "open";
    this.#error = null;
    this.#started = false;
    this.#sequenceLost = false;
    this.#added.clear();
    this.#groups.clear();
  }
  async sendOffsets(offsets: readonly PartitionOffset[], groupId: string): Promise<void> {
    this.#require("open", "sendOffsetsToTransaction");
    if (offsets.length === 0) return;
    try {
      this.#started = true;
      if (!this.#v2 && !this.#groups.has(groupId)) {
        await this.#requests.addOffsets(groupId);
        this.#groups.add(groupId);
      }
      await this.#requests.commitOffsets(offsets, groupId, this.#v2 ? V2_END_TXN_MAX : V1_END_TXN_MAX);
    } catch (error) {
      throw this.#failed(error);
    }
  }
  async commit(): Promise<void> {
    this.#require("open", "commitTransaction");
    await this.#flush();
    this.#require("open", "commitTransaction");
    try {
      if (this.#started) await this.#end(true);
      this.#state = "ready";
    } catch (error) {
      const code = error instanceof KafkaError ? error.code : null;
      // A commit whose answer never came may be asked for again; anything else decides the transaction.
      if (code === ErrorCode.NETWORK_EXCEPTION || code === ErrorCode.REQUEST_TIMED_OUT) throw error;
      throw this.#failed(error);
    }
  }
  async abort(): Promise<void> {
    if (this.#state !== "abortable") this.#require("open", "abortTransaction");
    this.#state = "ending";
    this.#sender.dropUnsent(new KafkaError(ErrorCode.TRANSACTION_ABORTABLE, "the transaction was aborted before this was sent"));
    await this.#flush();
    try {
      if (this.#started) await this.#end(false);
      if (!this.#v2 && this.#sequenceLost) await this.#requests.init(this.#config.transactionTimeoutMs, true);
      this.#state = "ready";
      this.#error = null;
    } catch (error) {
      throw this.#failed(error);
    }
  }
  #end(committed: boolean): Promise<void> {
    return this.#requests.end(committed, this.#v2 ? V2_END_TXN_MAX : V1_END_TXN_MAX);
  }
}
