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
/** The queue of a task, `capacity` its most records. */
export interface ReportedTask {
  readonly metrics: TaskMetrics;
  /** `topic.prefix` */
  readonly name: string;
  readonly queue: RecordQueue;
  readonly capacity: number;
  readonly nowMs: number;
}
/** `connected`: it streams. Gives the labels of what there is to tell of its streams. */
export function reportTask({ metrics, name, queue, capacity }: ReportedTask, plugin: string, connected: boolean): Labels {
  const labels = { plugin, name, context: "streaming" };
  metrics.gauge("Connected", connected ? 1 : 0, labels);
  metrics.gauge("QueueTotalCapacity", capacity, labels);
  metrics.gauge("QueueRemainingCapacity", Math.max(0, capacity - queue.size), labels);
  return labels;
}
/** `others`: events that are neither creates, updates nor deletes. */
export function reportSeen({ metrics, nowMs }: ReportedTask, labels: Labels, seen: SeenEvents, others: number): void {
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
