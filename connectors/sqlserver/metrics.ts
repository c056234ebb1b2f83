/** What the task tells of its streams (`cdc/streaming-metrics.ts`): one set for each database. */
import type { TaskMetrics } from "#connect/api/connector";
import type { RecordQueue } from "../cdc/record-queue.ts";
import { reportQueue, reportSeen } from "../cdc/streaming-metrics.ts";
import type { DatabaseStream } from "./stream.ts";

export function report(
  metrics: TaskMetrics,
  name: string,
  streams: readonly DatabaseStream[],
  queue: RecordQueue,
  capacity: number,
  nowMs: number,
): void {
  const labels = { plugin: "sqlserver", name, context: "streaming" };
  reportQueue(metrics, labels, streams.length > 0, queue, capacity);
  for (const { database, emitter } of streams) reportSeen(metrics, { ...labels, database }, emitter.seen, 0, nowMs);
}
