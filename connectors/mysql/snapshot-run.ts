/** Runs an opened snapshot: definitions into history and schema change topic, then the rows of the tables. */
import type { SourceOffset, SourcePartition } from "#connect/api/record";
import type { EventWriter } from "../cdc/event-writer.ts";
import type { Notifier } from "../cdc/notifications.ts";
import { quoted, type TableName } from "./catalog.ts";
import { selectOverrides } from "./config.ts";
import type { DdlEvent } from "./ddl/ddl.ts";
import type { TablePlans } from "./plans.ts";
import { schemaChangeRecord } from "./schema-change.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import type { OpenSnapshot } from "./snapshot-open.ts";
import { type SnapshotOffsets, SnapshotReader } from "./snapshot-reader.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";
import type { TextSession } from "./text-session.ts";

export interface SnapshotRun {
  readonly settings: TaskSettings;
  readonly partition: SourcePartition;
  readonly opened: OpenSnapshot;
  readonly schema: SchemaTracker;
  readonly plans: TablePlans;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  readonly notifier: Notifier;
  readonly offsets: SnapshotOffsets;
  /** Statements of the user to read tables by, beside those of the settings: by table id. */
  readonly conditions: ReadonlyMap<string, string>;
  readonly aborted: () => boolean;
  readonly nowMicros: () => number;
}

/** The tables' definitions. `last`: nothing follows, so the last record ends the snapshot. Resolves with the number of records. */
export async function snapshotSchema(run: SnapshotRun, historyPosition: SourceOffset, last: boolean): Promise<number> {
  const { settings, schema, opened } = run;
  const nowMicros = run.nowMicros();
  run.source.time(nowMicros);
  const events: { readonly event: DdlEvent; readonly database: string; readonly table: string | null }[] = [];
  for (const { database, table, ddl } of opened.statements)
    for (const event of schema.snapshot(ddl, database).events) events.push({ event, database, table });
  await schema.record(
    events.map((e) => e.event),
    historyPosition,
    Math.floor(nowMicros / 1000),
  );
  if (!settings.includeSchemaChanges) return 0;
  run.events.tick();
  events.forEach(({ event, database, table }, i) => {
    const ends = last && i === events.length - 1;
    const source = run.source.block(database, table, run.offsets.position, 0, ends ? "last" : "true");
    run.events.other(
      schemaChangeRecord({
        flavor: settings.flavor,
        topic: settings.naming.prefix,
        partition: run.partition,
        headers: settings.headers,
        source,
        tsMs: Math.floor(nowMicros / 1000),
        databaseName: event.databaseName,
        ddl: event.ddl,
        changes: event.changes,
        offset: ends ? run.offsets.last : run.offsets.during,
      }),
      false,
      1024,
    );
  });
  run.events.flush();
  return events.length;
}

const idOf = (t: TableName): string => `${t.database}.${t.table}`;

/** All rows; resolves with their number. */
export async function snapshotData(
  run: SnapshotRun,
  tables: readonly TableName[],
  resumable: (session: TextSession | null) => void,
): Promise<number> {
  const { opened, notifier } = run;
  const session = opened.sessions[0];
  if (session === undefined) return 0;
  const reader = new SnapshotReader(run.events, run.source, run.offsets);
  run.source.time(run.nowMicros());
  resumable(session);
  const overrides = selectOverrides(run.settings.all);
  const ids = tables.map(idOf).join(",");
  try {
    for (const name of tables) {
      if (run.aborted()) return reader.rows;
      notifier.send("Initial Snapshot", "IN_PROGRESS", { current_collection_in_progress: idOf(name), data_collections: ids });
      await readTable(run, session, reader, name, overrides.get(idOf(name)) ?? null);
      notifier.send("Initial Snapshot", "TABLE_SCAN_COMPLETED", {
        scanned_collection: idOf(name),
        total_rows_scanned: String(reader.tableRows),
        status: "SUCCEEDED",
        data_collections: ids,
      });
    }
    reader.finish();
  } finally {
    resumable(null);
  }
  return reader.rows;
}
async function readTable(
  run: SnapshotRun,
  session: TextSession,
  reader: SnapshotReader,
  name: TableName,
  override: string | null,
): Promise<void> {
  const table = run.schema.table(name.database, name.table);
  if (table === undefined) return;
  const columns = run.plans.selected(table);
  if (columns.length === 0) return;
  const list = columns.map(quoted).join(", ");
  const condition = run.conditions.get(idOf(name));
  const from = override === null ? `${quoted(name.database)}.${quoted(name.table)}` : `(${override.replace(/;\s*$/, "")}) AS o`;
  reader.table(run.plans.plan(table, { kind: "text", columns }));
  await session.query(`SELECT ${list} FROM ${from}${condition === undefined ? "" : ` WHERE ${condition}`}`, reader);
  reader.endOfTable();
}
