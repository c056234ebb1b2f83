/** Debezium's streaming metrics, by the names that dashboards know. */
import type { TaskMetrics } from "#connect/api/connector";
import type { RecordQueue } from "../cdc/record-queue.ts";
import type { Flavor } from "./ddl/ddl.ts";
import type { StreamReader } from "./stream.ts";

/** `reader` null: not streaming (yet). */
export function report(
  metrics: TaskMetrics,
  flavor: Flavor,
  name: string,
  reader: StreamReader | null,
  queue: RecordQueue,
  capacity: number,
  nowMs: number,
): void {
  const labels = { plugin: flavor, name, context: "streaming" };
  const set = (metric: string, value: number): void => metrics.gauge(metric, value, labels);
  set("Connected", reader === null ? 0 : 1);
  set("QueueTotalCapacity", capacity);
  set("QueueRemainingCapacity", Math.max(0, capacity - queue.size));
  if (reader === null) return;
  const { c, u, d, t, transactions, lastMs, behindMs } = reader.seen;
  set("TotalNumberOfEventsSeen", c + u + d + t);
  set("TotalNumberOfCreateEventsSeen", c);
  set("TotalNumberOfUpdateEventsSeen", u);
  set("TotalNumberOfDeleteEventsSeen", d);
  set("NumberOfCommittedTransactions", transactions);
  set("BinlogPosition", reader.position.position);
  set("MilliSecondsBehindSource", behindMs);
  set("MilliSecondsSinceLastEvent", lastMs === 0 ? -1 : nowMs - lastMs);
}
