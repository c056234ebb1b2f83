/**
 * Counters of a task in memory that its thread writes and the main thread reads: no messages, and they survive the thread.
 * Names follow Kafka Connect's metrics.
 */
const COUNTERS = [
  "source-record-poll-total",
  "source-record-write-total",
  "source-record-active-count",
  "sink-record-read-total",
  "sink-record-send-total",
  "sink-record-active-count",
  "partition-count",
  "batch-count",
  "batch-size-max",
  "batch-time-ms-total",
  "batch-time-ms-max",
  "offset-commit-success-total",
  "offset-commit-failure-total",
  "offset-commit-time-ms-total",
  "offset-commit-time-ms-max",
  "total-record-errors",
  "total-record-failures",
  "total-records-skipped",
  "total-retries",
  "total-errors-logged",
  "deadletterqueue-produce-requests",
  "deadletterqueue-produce-failures",
  "last-error-timestamp",
  // When the poll that runs now was called, milliseconds since 1970; 0: none runs.
  "poll-since-ms",
  "thread-start-ms",
  "task-restarts-total",
] as const;
export type CounterName = (typeof COUNTERS)[number];

const INDEX = new Map<string, number>(COUNTERS.map((name, i) => [name, i]));

export class Counters {
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(COUNTERS.length * 8)) {
    this.buffer = buffer;
    this.#values = new Float64Array(buffer);
  }
  add(name: CounterName, amount = 1): void {
    const i = INDEX.get(name) ?? 0;
    this.#values[i] = (this.#values[i] ?? 0) + amount;
  }
  set(name: CounterName, value: number): void {
    this.#values[INDEX.get(name) ?? 0] = value;
  }
  max(name: CounterName, value: number): void {
    if (value > this.get(name)) this.set(name, value);
  }
  get(name: CounterName): number {
    return this.#values[INDEX.get(name) ?? 0] ?? 0;
  }
  /** One batch of records through poll or put. */
  batch(records: number, ms: number): void {
    this.add("batch-count");
    this.max("batch-size-max", records);
    this.add("batch-time-ms-total", ms);
    this.max("batch-time-ms-max", ms);
  }
  commit(ok: boolean, ms: number): void {
    this.add(ok ? "offset-commit-success-total" : "offset-commit-failure-total");
    this.add("offset-commit-time-ms-total", ms);
    this.max("offset-commit-time-ms-max", ms);
  }
  all(): Record<string, number> {
    const all: Record<string, number> = {};
    for (const name of COUNTERS) all[name] = this.get(name);
    return all;
  }
}
