/** Debezium's streaming metrics, by the names that dashboards know. */
import type { TaskMetrics } from "#connect/api/connector";
import type { RecordQueue } from "./record-queue.ts";

type Labels = Readonly<Record<string, string>>;
/** Events that a stream has seen. */
export interface SeenEvents {
  readonly c: number;
  readonly u: number;
  readonly d: number;
  readonly transactions: number;
  /** When the last one came; 0: none did. */
  readonly lastMs: number;
  readonly behindMs: number;
}
export function reportQueue(metrics: TaskMetrics, labels: Labels, connected: boolean, queue: RecordQueue, capacity: number): void {
  metrics.gauge("Connected", connected ? 1 : 0, labels);
  metrics.gauge("QueueTotalCapacity", capacity, labels);
  metrics.gauge("QueueRemainingCapacity", Math.max(0, capacity - queue.size), labels);
}
/** `others`: events that are neither creates, updates nor deletes. */
export function reportSeen(metrics: TaskMetrics, labels: Labels, seen: SeenEvents, others: number, nowMs: number): void {
  const set = (metric: string, value: number): void => metrics.gauge(metric, value, labels);
  const { c, u, d, transactions, lastMs, behindMs } = seen;
  set("TotalNumberOfEventsSeen", c + u + d + others);
  set("TotalNumberOfCreateEventsSeen", c);
  set("TotalNumberOfUpdateEventsSeen", u);
  set("TotalNumberOfDeleteEventsSeen", d);
  set("NumberOfCommittedTransactions", transactions);
  set("MilliSecondsBehindSource", behindMs);
  set("MilliSecondsSinceLastEvent", lastMs === 0 ? -1 : nowMs - lastMs);
}
