/** What the task tells of its stream (`cdc/streaming-metrics.ts`). */
import { type ReportedTask, reportSeen, reportTask } from "../cdc/streaming-metrics.ts";
import type { Flavor } from "./ddl/ddl.ts";
import type { StreamReader } from "./stream.ts";

/** `reader` null: not streaming (yet). */
export function report(task: ReportedTask, flavor: Flavor, reader: StreamReader | null): void {
  const labels = reportTask(task, flavor, reader !== null);
  if (reader === null) return;
  reportSeen(task, labels, reader.seen, reader.seen.t);
  task.metrics.gauge("BinlogPosition", reader.position.position, labels);
}
