/** Debezium's streaming metrics, by the names that dashboards know: one set for each database. */
import type { TaskMetrics } from "#connect/api/connector";
import type { RecordQueue } from "../cdc/record-queue.ts";
import type { DatabaseStream } from "./stream.ts";

export function report(
  metrics: TaskMetrics,
  name: string,
  streams: readonly DatabaseStream[],
  queue: RecordQueue,
  capacity: number,
  nowMs: number,
): void {
  const task = { plugin: "sqlserver", name, context: "streaming" };
  metrics.gauge("Connected", streams.length === 0 ? 0 : 1, task);
  metrics.gauge("QueueTotalCapacity", capacity, task);
  metrics.gauge("QueueRemainingCapacity", Math.max(0, capacity - queue.size), task);
  for (const { database, emitter } of streams) {
    const set = (metric: string, value: number): void => metrics.gauge(metric, value, { ...task, database });
    const { c, u, d, transactions, lastMs, behindMs } = emitter.seen;
    set("TotalNumberOfEventsSeen", c + u + d);
    set("TotalNumberOfCreateEventsSeen", c);
    set("TotalNumberOfUpdateEventsSeen", u);
    set("TotalNumberOfDeleteEventsSeen", d);
    set("NumberOfCommittedTransactions", transactions);
    set("MilliSecondsBehindSource", behindMs);
    set("MilliSecondsSinceLastEvent", lastMs === 0 ? -1 : nowMs - lastMs);
  }
}
