/** What the task tells of its streams (`cdc/streaming-metrics.ts`): one set for each database. */
import { type ReportedTask, reportSeen, reportTask } from "../cdc/streaming-metrics.ts";
import type { DatabaseStream } from "./stream.ts";

export function report(task: ReportedTask, streams: readonly DatabaseStream[]): void {
  const labels = reportTask(task, "sqlserver", streams.length > 0);
  for (const { database, emitter } of streams) reportSeen(task, { ...labels, database }, emitter.seen, 0);
}
