/** What the task tells of its stream (`cdc/streaming-metrics.ts`). */
import type { TaskMetrics } from "#connect/api/connector";
import type { RecordQueue } from "../cdc/record-queue.ts";
import { reportQueue, reportSeen } from "../cdc/streaming-metrics.ts";
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
  reportQueue(metrics, labels, reader !== null, queue, capacity);
  if (reader === null) return;
  reportSeen(metrics, labels, reader.seen, reader.seen.t, nowMs);
  metrics.gauge("BinlogPosition", reader.position.position, labels);
}
