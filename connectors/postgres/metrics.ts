/** What the task tells of its stream and its snapshots (`cdc/streaming-metrics.ts`). */
import type { SnapshotFigures } from "../cdc/snapshot-figures.ts";
import { beanLabels, type ReportedTask, reportQueue, reportStream } from "../cdc/streaming-metrics.ts";
import type { StreamReader } from "./stream.ts";

/** `reader` null: not streaming (yet). */
export function report(task: ReportedTask, reader: StreamReader | null, snapshot: SnapshotFigures, tables: readonly string[]): void {
  const streaming = beanLabels(task, "postgres", "streaming");
  reportQueue(task, streaming);
  task.sheet.put("Connected", reader !== null, streaming);
  reportStream(task, streaming, reader === null ? null : figuresOf(reader, tables));
  const taken = beanLabels(task, "postgres", "snapshot");
  reportQueue(task, taken);
  snapshot.report(task.sheet, taken);
}
function figuresOf(reader: StreamReader, tables: readonly string[]): NonNullable<Parameters<typeof reportStream>[2]> {
  const { seen, lastTransaction } = reader;
  return {
    seen,
    total: seen.c + seen.u + seen.d + seen.t + seen.m,
    transactionId: lastTransaction === null ? null : String(lastTransaction),
    position: seen.lastMs === 0 ? null : { lsn: String(reader.position.lsn) },
    tables,
  };
}
