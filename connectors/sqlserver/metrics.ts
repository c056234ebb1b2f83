/**
 * What the task tells (`cdc/streaming-metrics.ts`): as in the reference, queue and connection of the task, and of each database its
 * stream and its snapshots.
 */
import { dottedTableId } from "../cdc/table-model.ts";
import { beanLabels, type ReportedTask, reportQueue, reportStream } from "../cdc/streaming-metrics.ts";
import type { DatabaseTask } from "./database-task.ts";

const PLUGIN = "sql_server";

export function report(task: ReportedTask, taskId: number, connected: boolean, databases: readonly DatabaseTask[]): void {
  const { sheet } = task;
  const bean = (context: string): Readonly<Record<string, string>> => ({ ...beanLabels(task, PLUGIN, context), task: String(taskId) });
  for (const context of ["streaming", "snapshot"]) reportQueue(task, bean(context));
  sheet.put("Connected", connected, bean("streaming"));
  for (const { context, stream } of databases) {
    const { database, notifier, tracker, settings } = context;
    const captured = tracker
      .tables()
      .filter(({ id }) => settings.captures({ database, schema: id.schema ?? "", table: id.table }))
      .map(({ id }) => dottedTableId(id));
    reportStream(task, { ...bean("streaming"), database }, stream === null ? null : figuresOf(stream.emitter, captured));
    notifier.figures.report(sheet, { ...bean("snapshot"), database });
  }
  databases[0]?.history.report(sheet, bean("schema-history"));
}
function figuresOf(
  { seen, position: { commit, change, serial } }: NonNullable<DatabaseTask["stream"]>["emitter"],
  tables: readonly string[],
): NonNullable<Parameters<typeof reportStream>[2]> {
  return {
    seen,
    total: seen.c + seen.u + seen.d,
    transactionId: null,
    position:
      seen.lastMs === 0 ? null : { commit_lsn: commit ?? "NULL", change_lsn: change ?? "NULL", event_serial_no: String(serial ?? "null") },
    tables,
  };
}
