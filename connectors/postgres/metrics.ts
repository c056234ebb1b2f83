/** What the task tells of its stream (`cdc/streaming-metrics.ts`). */
import { type ReportedTask, reportSeen, reportTask } from "../cdc/streaming-metrics.ts";
import type { StreamReader } from "./stream.ts";

/** `reader` null: not streaming (yet). */
export function report(task: ReportedTask, reader: StreamReader | null): void {
  const labels = reportTask(task, "postgres", reader !== null);
  if (reader !== null) reportSeen(task, labels, reader.seen, reader.seen.t + reader.seen.m);
}
