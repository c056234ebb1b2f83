/** One partition of __transaction_state that this node leads: its transactional ids, and the markers that are under way. */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { recordPrefix } from "../../protocol/record-codec.ts";
import { codeOf } from "../error-code.ts";
import type { CoordinatorDeps } from "../types.ts";
import type { MarkerSender } from "./marker-sender.ts";
import { isPreparing, readTransactionRecord, transactionRecord, type TransactionState } from "./transaction-state.ts";
import { complete, fenceAndAbort, type Step } from "./transitions.ts";

export interface Transaction {
  readonly id: string;
  state: TransactionState;
  /** A transition is being written: everything else must wait for it. */
  pending: boolean;
  /** Resolves when the markers of the ending transaction are written; null when nothing is ending. */
  ending: Promise<void> | null;
}

export class TransactionShard {
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly transactions = new Map<string, Transaction>();
  state: "loading" | "active" | "closed" = "loading";
  private readonly deps: CoordinatorDeps;
  private readonly sender: MarkerSender;

  constructor(deps: CoordinatorDeps, sender: MarkerSender, partition: number, leaderEpoch: number) {
    this.deps = deps;
    this.sender = sender;
    this.partition = partition;
    this.leaderEpoch = leaderEpoch;
  }
  async load(): Promise<void> {
    for await (const batch of this.deps.transactionLog.load(this.partition)) {
      if (this.closed()) return;
      for (const record of batch.records) {
        // Other key types are newer than we are.
        if (recordPrefix(record.key) !== 0) continue;
        const { transactionalId, state } = readTransactionRecord(record);
        if (state === null || state.status === "Dead") this.transactions.delete(transactionalId);
        else this.transactions.set(transactionalId, { id: transactionalId, state, pending: false, ending: null });
      }
    }
    if (this.closed()) return;
    this.state = "active";
    for (const transaction of this.transactions.values()) if (isPreparing(transaction.state.status)) this.startEnding(transaction);
  }
  closed(): boolean {
    return this.state === "closed";
  }
  close(): void {
    this.state = "closed";
  }
  getOrCreate(id: string, state: () => TransactionState): Transaction {
    let found = this.transactions.get(id);
    if (found === undefined) this.transactions.set(id, (found = { id, state: state(), pending: false, ending: null }));
    return found;
  }

  /** Writes the step's next state and takes it on when it is durable. Returns the answer's code. */
  async take(transaction: Transaction, step: Step): Promise<number> {
    if (step.next === null) return step.errorCode;
    if (transaction.pending) return ErrorCode.CONCURRENT_TRANSACTIONS;
    transaction.pending = true;
    try {
      await this.write(transaction.id, step.next);
      transaction.state = step.next;
    } catch (error) {
      return codeOf(error);
    } finally {
      transaction.pending = false;
    }
    if (isPreparing(step.next.status)) this.startEnding(transaction);
    return ErrorCode.NONE;
  }
  private write(id: string, state: TransactionState | null): Promise<void> {
    if (this.state !== "active") return Promise.reject(new KafkaError(ErrorCode.NOT_COORDINATOR));
    return this.deps.transactionLog.append(this.partition, [transactionRecord(id, state)]);
  }

  /** The outcome is decided: markers are written until they all are there, then the end is recorded. Never rejects. */
  private startEnding(transaction: Transaction): void {
    const decided = transaction.state;
    transaction.ending = this.sender
      .send(decided, this.leaderEpoch, () => this.closed())
      .then(async (sent) => {
        for (let attempt = 0; sent && !this.closed(); attempt++) {
          try {
            transaction.pending = true;
            const done = complete(decided, this.deps.clock.now());
            await this.write(transaction.id, done);
            transaction.state = done;
            break;
          } catch (error) {
            this.deps.logger.warn("the end of a transaction could not be recorded", {
              transactionalId: transaction.id,
              error: String(error),
            });
            await this.deps.clock.sleep(Math.min(100 * 2 ** attempt, 5000));
          } finally {
            transaction.pending = false;
          }
        }
        transaction.ending = null;
      });
  }

  /** Aborts what has been open for longer than its producer allowed. */
  async abortTimedOut(): Promise<void> {
    const nowMs = this.deps.clock.now();
    for (const transaction of this.transactions.values()) {
      const { state } = transaction;
      if (state.status !== "Ongoing" || transaction.pending || nowMs < state.startMs + state.timeoutMs) continue;
      this.deps.logger.info("transaction timed out and is aborted", { transactionalId: transaction.id, timeoutMs: state.timeoutMs });
      await this.take(transaction, { errorCode: ErrorCode.NONE, next: fenceAndAbort(state, nowMs) });
    }
  }
  /** Forgets ids that have not been used for `transactional.id.expiration.ms`. */
  async expireIds(): Promise<void> {
    const nowMs = this.deps.clock.now();
    for (const transaction of this.transactions.values()) {
      const { status, updateMs } = transaction.state;
      const idle = status === "Empty" || status === "CompleteCommit" || status === "CompleteAbort";
      if (!idle || transaction.pending || nowMs - updateMs < this.deps.config.transactionalIdExpirationMs) continue;
      transaction.pending = true;
      try {
        await this.write(transaction.id, null);
        this.transactions.delete(transaction.id);
      } finally {
        transaction.pending = false;
      }
    }
  }
}
