/**
 * Records between the reader of a source and `poll`, bounded by count and bytes. Records of one event stay in one
 * batch, so that a transactional producer commits them together. The reader stops while `full`, and is woken by `onSpace`.
 */
import type { SourceRecord } from "#connect/api/record";

export interface QueueLimits {
  readonly maxBatchRecords: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/**
 * Reader and poll share a thread, so reading far ahead wins no time. It costs: records that wait outlive collections of the young
 * generation, and collecting the old one for them takes as much CPU as all the rest.
 */
const AHEAD_RECORDS_MAX = 512;

interface Batch {
  readonly records: SourceRecord[];
  bytes: number;
  /** Called when the batch has been dealt with. */
  after: (() => void)[] | null;
}

export class RecordQueue {
  readonly limits: QueueLimits;
  readonly #batches: Batch[] = [];
  #open: Batch = { records: [], bytes: 0, after: null };
  #records = 0;
  #bytes = 0;
  #waiting: (() => void) | null = null;
  #error: Error | null = null;
  /** Of the batch that was taken last. */
  #after: (() => void)[] | null = null;
  onSpace: () => void = () => {};

  constructor(limits: QueueLimits) {
    this.limits = limits;
  }
  get full(): boolean {
    return this.#records >= Math.min(this.limits.maxRecords, AHEAD_RECORDS_MAX) || this.#bytes >= this.limits.maxBytes;
  }
  get empty(): boolean {
    return this.#records === 0;
  }
  get size(): number {
    return this.#records;
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** `continues`: the event has more records, which must go into the same batch. */
  add(record: SourceRecord, bytes: number, continues: boolean): void {
    const open = this.#open;
    open.records.push(record);
    open.bytes += bytes;
    this.#records++;
    this.#bytes += bytes;
    if (!continues && open.records.length >= this.limits.maxBatchRecords) {
      this.#batches.push(open);
      this.#open = { records: [], bytes: 0, after: null };
    }
  }
  /**
   * `done` is called when all that was added so far has been dealt with, which the caller of `take` says by calling it again.
   * Never called for what nobody takes.
   */
  afterUse(done: () => void): void {
    const last = this.#open.records.length > 0 ? this.#open : this.#batches[this.#batches.length - 1];
    if (last === undefined) (this.#after ??= []).push(done);
    else (last.after ??= []).push(done);
  }
  /** Lets a waiting poll go on. Called after adding, once per piece of input rather than once per record. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }
  /** Throws a failure that was noted, once. */
  throwFailure(): void {
    const error = this.#error;
    this.#error = null;
    if (error !== null) throw error;
  }
  /** The next poll that finds the queue empty throws this. */
  fail(error: Error): void {
    this.#error ??= error;
    this.wake();
  }
  /** The next batch; empty after `waitMs` without any. */
  async take(waitMs: number): Promise<readonly SourceRecord[]> {
    const after = this.#after;
    this.#after = null;
    if (after !== null) for (const done of after) done();
    if (this.#records === 0 && this.#error === null && this.#waiting === null) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => this.wake(), waitMs);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.#records === 0) {
      this.throwFailure();
      return [];
    }
    const wasFull = this.full;
    const batch = this.#batches.shift() ?? this.#open;
    if (batch === this.#open) this.#open = { records: [], bytes: 0, after: null };
    this.#records -= batch.records.length;
    this.#bytes -= batch.bytes;
    if (batch.after !== null) this.#after = this.#after === null ? batch.after : [...this.#after, ...batch.after];
    if (wasFull && !this.full) setImmediate(this.onSpace);
    return batch.records;
  }
}
