/** Statements of the log that change tables, as records of the schema change topic and as truncations. */
import type { SourceOffset, SourcePartition } from "#connect/api/record";
import type { EventWriter } from "../cdc/event-writer.ts";
import { inHashMapOrder } from "../cdc/java-hash.ts";
import { dottedTableId } from "../cdc/table-model.ts";
import type { DdlEvent } from "./ddl/ddl.ts";
import type { TablePlans } from "./plans.ts";
import { schemaChangeRecord } from "./schema-change.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";

/** What the stream knows of the statement that is being read. */
export interface StatementContext {
  readonly settings: TaskSettings;
  readonly partition: SourcePartition;
  readonly schema: SchemaTracker;
  readonly plans: TablePlans;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  /** Its position in the log, for source blocks. */
  readonly at: number;
  /** Number of the row that was handed on last, in its event: the reference's records of statements carry it too. */
  readonly row: number;
  /** The position before it, and after it. */
  readonly previous: SourceOffset;
  readonly offset: SourceOffset;
}
/** `kept`: events of the statement that go into the history; `all`: every one it has. */
export function writeSchemaChanges(
  c: StatementContext,
  sql: string,
  kept: readonly DdlEvent[],
  all: readonly DdlEvent[],
  tsMs: number,
): void {
  const { settings } = c;
  if (!settings.includeSchemaChanges) return;
  const tables = tableNames(all);
  const shown = kept.filter((e) => e.type !== "TRUNCATE");
  const whole = shown.length > 0 && shown.every((e) => e.table === null) && !/^\s*(CREATE|DROP)\s+(DATABASE|SCHEMA)\b/i.test(sql);
  shown.forEach((e, i) => {
    const last = i === shown.length - 1;
    const source = c.source.block(e.databaseName, tables !== "" ? tables : whole ? "" : null, c.at, c.row, "false");
    const record = schemaChangeRecord[settings.flavor]({
      topic: settings.naming.prefix,
      partition: c.partition,
      headers: settings.headers,
      source,
      tsMs,
      databaseName: e.databaseName,
      schemaName: null,
      ddl: e.ddl,
      changes: e.changes,
      offset: last ? c.offset : c.previous,
    });
    c.events.other(record, !last, 1024);
  });
}
/** Returns how many there were. */
export function writeTruncates(c: StatementContext, events: readonly DdlEvent[]): number {
  let count = 0;
  if (c.settings.skipped.has("t")) return count;
  for (const e of events) {
    if (e.type !== "TRUNCATE" || e.table === null || !c.plans.captures(e.databaseName, e.table.table)) continue;
    const table = c.schema.table(e.databaseName, e.table.table);
    if (table === undefined) continue;
    const plan = c.plans.plan(table, { kind: "binlog", columns: [] });
    c.events.truncate(plan, c.source.block(e.databaseName, e.table.table, c.at, c.row, "false"), null, c.offset, false);
    count++;
  }
  return count;
}
/** Of all tables of a statement, also of those that are not captured; in the order of the reference's HashSet. */
function tableNames(events: readonly DdlEvent[]): string {
  const ids = new Map(
    events.flatMap(({ table, type }) => (table === null || type === "TRUNCATE" ? [] : [[dottedTableId(table), table.table] as const])),
  );
  return inHashMapOrder(ids)
    .map(([, name]) => name)
    .join(",");
}
