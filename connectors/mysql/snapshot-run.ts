/**
 * Runs an opened snapshot: definitions into history and schema change topic, then the rows of the tables.
 *
 * Why a resumed snapshot is correct. The position L of the first try is stored before any row is sent. A consistent snapshot dies
 * with its session, so a later try reads what is left at M ≥ L; streaming still begins at L, with the tables as the history has
 * them at L. For each row of a table:
 * - its chunk was done before: the topic has its state at L or an earlier try's; every later change of it is streamed;
 * - it is read now: the topic gets its state at M, then its changes since L, of which those up to M are repeated. The last one
 *   that is streamed is the last one of the table, so the state converges, and deletes come after whatever they delete;
 * - it was sent by an earlier try and is gone at M: it was deleted after L, and the stream has that delete;
 * - its key moved from one chunk into another: that is a delete and an insert in the stream.
 * Rows at M are read by the definitions at M; a table that was altered since is another shape, and is read again as a whole. When
 * the log does not reach back to L any more, nothing of this holds: the snapshot begins anew.
 */
import { RetriableError } from "#connect/api/errors";
import type { SourceOffset, SourcePartition } from "#connect/api/record";
import type { EventWriter } from "../cdc/event-writer.ts";
import { inHashSetOrder } from "../cdc/java-hash.ts";
import type { Notifier } from "../cdc/notifications.ts";
import { shapeOf, type SnapshotProgress } from "../cdc/snapshot-progress.ts";
import { SnapshotRows, type TableRun } from "../cdc/snapshot-rows.ts";
import { byRowCount, type ChunkReader, readChunks, type SnapshotWork, tableRun, takingTurns } from "../cdc/snapshot-work.ts";
import { selectOverrides } from "../cdc/declared-config.ts";
import { firstRow, quoted, showCreateTable, type TableName } from "./catalog.ts";
import type { DdlEvent } from "./ddl/ddl.ts";
import { errorNumber } from "./failures.ts";
import type { TablePlans } from "./plans.ts";
import { schemaChangeRecord } from "./schema-change.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import { boundsOf, chunkCondition, cutColumns, rowEstimates } from "./snapshot-chunks.ts";
import type { OpenSnapshot } from "./snapshot-open.ts";
import { SnapshotReader } from "./snapshot-reader.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";
import type { TextSession } from "./text-session.ts";

export interface SnapshotOffsets {
  readonly during: SourceOffset;
  readonly last: SourceOffset;
  /** Position of the log, for source blocks. */
  readonly position: number;
}
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
  /** Null: offsets say nothing of it (a snapshot asked for while streaming). */
  readonly progress: SnapshotProgress | null;
  /** Told whenever the offset changes. */
  readonly position: (offset: SourceOffset) => void;
  readonly aborted: () => boolean;
  readonly nowMicros: () => number;
}

export interface SchemaRecords {
  /** Null: the history has the definitions already. */
  readonly historyPosition: SourceOffset | null;
  /** Whether the schema change topic gets them. */
  readonly announced: boolean;
  /** Nothing follows, so the last record ends the snapshot. */
  readonly last: boolean;
}
/** The tables' definitions. Resolves with the number of records. */
export async function snapshotSchema(run: SnapshotRun, { historyPosition, announced, last }: SchemaRecords): Promise<number> {
  const { settings, schema, opened } = run;
  const nowMicros = run.nowMicros();
  run.source.time(nowMicros);
  const events: { readonly event: DdlEvent; readonly database: string; readonly table: string | null; readonly kept: boolean }[] = [];
  for (const { database, table, ddl, implied } of opened.statements) {
    const kept = !(settings.onlyTables && implied === true);
    for (const event of schema.snapshot(ddl, database).events) events.push({ event, database, table, kept });
  }
  if (historyPosition !== null)
    await schema.record(
      events.filter((e) => e.kept).map((e) => e.event),
      historyPosition,
      Math.floor(nowMicros / 1000),
    );
  if (!settings.includeSchemaChanges || !announced) return 0;
  run.events.tick();
  events.forEach(({ event, database, table }, i) => {
    const ends = last && i === events.length - 1;
    const source = run.source.block(database, table, run.offsets.position, 0, ends ? "last" : "true");
    run.events.other(
      schemaChangeRecord[settings.flavor]({
        topic: settings.naming.prefix,
        partition: run.partition,
        headers: settings.headers,
        source,
        tsMs: Math.floor(nowMicros / 1000),
        databaseName: event.databaseName,
        schemaName: null,
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

/**
 * Whether no table has a row to send: the last of the definitions ends the snapshot then, as in the reference. Statements of
 * `snapshot.select.statement.overrides` count as if they had rows, because a look could take as long as reading them.
 */
export async function isWithoutRows({ settings, opened }: SnapshotRun): Promise<boolean> {
  const overrides = selectOverrides(settings.all);
  for (const { database, table } of opened.tables) {
    if (overrides.has(`${database}.${table}`)) return false;
    const row = await firstRow(opened.sql, `SELECT 1 AS there FROM ${quoted(database)}.${quoted(table)} LIMIT 1`);
    if (row["there"] !== undefined) return false;
  }
  return true;
}
/** Whatever reads rows and may have to wait for room. */
export interface Reading {
  resume(): void;
  close(): Promise<void>;
}
/** All rows; resolves with the number of those that were sent. */
export async function snapshotData(
  run: SnapshotRun,
  tables: readonly TableName[],
  reading: (reading: Reading | null) => void,
): Promise<number> {
  const { sessions, captured } = run.opened;
  if (sessions.length === 0) return 0;
  run.notifier.figures.determined(captured.map(idOf), tables.map(idOf));
  run.source.time(run.nowMicros());
  const { during, last, position } = run.offsets;
  const rows = new SnapshotRows(
    {
      progress: run.progress,
      during,
      last,
      source: (plan, marker, shared) => run.source.block(plan.schema, plan.table, position, 0, marker, shared),
      position: run.position,
    },
    run.events,
  );
  reading({
    resume: () => sessions.forEach((session) => session.resume()),
    close: async () => void (await Promise.all(sessions.map((session) => session.close()))),
  });
  try {
    const work = takingTurns(chunksOf(run, tables));
    await Promise.all(sessions.map((session) => readChunks(work, chunkReader(session, run.opened, rows))));
    if (run.aborted()) throw new Error("the task was stopped during its snapshot");
    rows.finish();
  } finally {
    reading(null);
  }
  return rows.emitted;
}
/** `snapshot.tables.order.by.row.count` */
async function inOrder({ settings, opened }: SnapshotRun, tables: readonly TableName[]): Promise<readonly TableName[]> {
  const order = settings.all.choice("snapshot.tables.order.by.row.count");
  if (order === "disabled") return tables;
  const estimates = await rowEstimates(opened.sql, [...new Set(tables.map((t) => t.database))]);
  return byRowCount(tables, order, (t) => estimates.get(idOf(t)) ?? 0);
}
function chunkReader(session: TextSession, opened: OpenSnapshot, rows: SnapshotRows): ChunkReader<SnapshotWork> {
  const reader = new SnapshotReader(rows);
  return {
    rows: reader.rows,
    async read({ table, sql }) {
      try {
        await session.query(sql, reader);
      } catch (error) {
        throw await alteredOr(error, table.id, opened);
      }
    },
    // The memory that a session read into is not used again, so the row that is held keeps it.
    ended: () => reader.rows.end(null),
  };
}
/** Unknown column, no such table, definition has changed: what a statement meets when its table was altered after the locks were gone. */
const ALTERED = new Set([1054, 1146, 1412]);
/** A table that was altered or dropped under the snapshot is a reason to try again by its new definition; a wrong statement is not. */
async function alteredOr(error: unknown, id: string, { sql, statements }: OpenSnapshot): Promise<unknown> {
  if (!ALTERED.has(errorNumber(error))) return error;
  const began = statements.findLast(({ database, table }) => table !== null && `${database}.${table}` === id);
  if (began === undefined || began.table === null) return error;
  const now = await showCreateTable(sql, { database: began.database, table: began.table }).catch(() => null);
  const plain = (ddl: string): string => ddl.replace(/\bAUTO_INCREMENT=\d+/, "");
  if (now !== null && plain(now) === plain(began.ddl)) return error;
  return new RetriableError(`The definition of ${id} has changed during its snapshot; the snapshot goes on by the new one.`, error);
}
/** The chunks of all tables in their order. */
async function* chunksOf(run: SnapshotRun, tables: readonly TableName[]): AsyncGenerator<SnapshotWork, void> {
  const overrides = selectOverrides(run.settings.all);
  const captured = run.opened.captured.map(idOf).join(",");
  // A set of the JVM's, where the scanned ones are a list.
  const begun = inHashSetOrder(tables.map(idOf)).join(",");
  const ordered = await inOrder(run, tables);
  for (const name of ordered) {
    if (run.aborted()) return;
    const id = idOf(name);
    const scanned = (rows: number): void => run.notifier.tableScanned(id, rows, captured);
    const read = await tableRead(run, name, statementOf(run.conditions.get(id)) ?? overrides.get(id) ?? null, scanned);
    if (read === null) continue;
    run.notifier.tableBegun(id, begun);
    run.notifier.figures.reading(id, () => read.table.rows);
    const { table, select, conditions } = read;
    for (const [chunk, condition] of conditions) {
      if (run.aborted()) return;
      yield { table, chunk, sql: condition === "" ? select : `${select} WHERE ${condition}` };
    }
  }
}
/** The filter of a blocking snapshot may be a whole statement, in the reference it has to be one; null: it is a condition, or none. */
const statementOf = (filter: string | undefined): string | null => (filter !== undefined && /^\s*SELECT\b/i.test(filter) ? filter : null);
/** A statement inside another one keeps its ORDER BY only where it has a LIMIT too. */
function inItsOrder(statement: string): string {
  const own = statement.replace(/;\s*$/, "");
  return /\bORDER\s+BY\b/i.test(own) && !/\bLIMIT\b/i.test(own) ? `${own} LIMIT 18446744073709551615` : own;
}
interface TableRead {
  readonly table: TableRun;
  readonly select: string;
  /** Of the chunks that are left, by number. */
  readonly conditions: readonly (readonly [chunk: number, condition: string])[];
}
/** Null: there is nothing (left) to read of it. */
async function tableRead(
  run: SnapshotRun,
  name: TableName,
  override: string | null,
  scanned: (rows: number) => void,
): Promise<TableRead | null> {
  const { progress, settings } = run;
  const table = run.schema.table(name.database, name.table);
  if (table === undefined) return null;
  const columns = run.plans.selected(table);
  if (columns.length === 0) return null;
  const id = idOf(name);
  const from = override === null ? `${quoted(name.database)}.${quoted(name.table)}` : `(${inItsOrder(override)}) AS o`;
  const types = table.columns.map((c) => [c.name, c.typeExpression, c.length, c.scale]);
  const shape = shapeOf(columns, types, override, table.primaryKeyColumnNames);
  if (progress?.isComplete(id, shape) === true) return null;
  const cut = override === null && progress !== null ? cutColumns(table) : [];
  const earlier = progress?.chunks(id, shape) ?? null;
  const bounds =
    earlier?.bounds ?? (await boundsOf(run.opened.sql, name, cut, settings.all.int("millrace.snapshot.chunk.rows"), run.aborted));
  const numbers = Array.from({ length: bounds.length + 1 }, (_, i) => i).filter((i) => earlier?.done.has(i) !== true);
  const condition = statementOf(run.conditions.get(id)) === null ? run.conditions.get(id) : "";
  return {
    table: tableRun({
      id,
      plan: run.plans.plan(table, { kind: "text", columns }),
      columns: columns.length,
      chunks: { shape, bounds },
      resumable: bounds.length > 0,
      left: numbers.length,
      scanned,
    }),
    select: `SELECT ${columns.map(quoted).join(", ")} FROM ${from}`,
    conditions: numbers.map((i) => [i, condition ?? chunkCondition(cut, bounds, i)]),
  };
}
