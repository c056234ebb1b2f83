/** What a task has asked for with `transaction.boundary=connector` (KIP-618), until the loop has carried it out. */
import type { TransactionContext } from "../api/connector.ts";
import type { SourceRecord } from "../api/record.ts";

export type BoundaryRequest = "commit" | "abort" | null;

export class RequestedBoundaries implements TransactionContext {
  #batch: BoundaryRequest = null;
  readonly #after = new Map<SourceRecord, "commit" | "abort">();

  commit(after?: SourceRecord): void {
    this.#request("commit", after);
  }
  abort(after?: SourceRecord): void {
    this.#request("abort", after);
  }
  /** An abort wins over a commit of the same place, as in Kafka Connect. */
  #request(what: "commit" | "abort", after: SourceRecord | undefined): void {
    if (after === undefined) this.#batch = this.#batch === "abort" ? "abort" : what;
    else if (this.#after.get(after) !== "abort") this.#after.set(after, what);
  }
  takeRecord(record: SourceRecord): BoundaryRequest {
    if (this.#after.size === 0) return null;
    const request = this.#after.get(record) ?? null;
    this.#after.delete(record);
    return request;
  }
  /** Requests for records that were not in the batch end with it. */
  takeBatch(): BoundaryRequest {
    const request = this.#batch;
    this.#batch = null;
    this.#after.clear();
    return request;
  }
}
