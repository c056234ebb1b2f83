/**
 * Runs an opened snapshot to its last row: tables and chunks, notifications.
 *
 * Why a resumed snapshot is correct. The slot was created with the first try, at position L; the server keeps all changes since
 * L, and nothing is confirmed to it before the snapshot is complete. An exported snapshot dies with the process, so a later
 * try reads what is left in a new snapshot, taken at M ≥ L, and streaming still begins at L. For each row of a table:
 * - its chunk was done before: the topic has its state at L or an earlier try's; every later change of it is streamed;
 * - it is read now: the topic gets its state at M, then its changes since L, of which those up to M are repeated. The last one
 *   that is streamed is the last one of the table, so the state converges, and deletes come after whatever they delete;
 * - it was sent by an earlier try and is gone at M: it was deleted after L (its chunk's state was not older), and the
 *   stream has that delete;
 * - its key moved from one chunk into another: that is a delete and an insert in the stream.
 * After M no row stands in the topic that a SELECT would not give. Chunks are ranges of the key, which mean the same in every
 * snapshot; ranges of pages do not, so tables without a key are read again as a whole.
 */
import type { Client } from "pg";
import { RetriableError } from "#connect/api/errors";
import type { SourceOffset } from "#connect/api/record";
import type { Notifier } from "../cdc/notifications.ts";
import { shapeOf } from "../cdc/snapshot-progress.ts";
import { SnapshotRows, type TableRun } from "../cdc/snapshot-rows.ts";
import { type ChunkReader, readChunks, type SnapshotWork, tableRun, takingTurns } from "../cdc/snapshot-work.ts";
import { type CatalogTable, holdDefinition, nextTransaction, readTable, rewritten } from "./catalog.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import { inHashSetOrder } from "../cdc/java-hash.ts";
import type { TablePlans, WireColumn } from "./plans.ts";
import { snapshotOffset, streamingOffset } from "./position.ts";
import type { TableName } from "./publication.ts";
import { sqlState } from "./failures.ts";
import type { RawSession } from "./raw-session.ts";
import { quoteIdentifier } from "./slot.ts";
import { SnapshotReader, tooFewColumns } from "./snapshot-reader.ts";
import { chunkCondition, type Cuts, cutsOf, UNCUT } from "./snapshot-chunks.ts";
import { chosenTables, type OpenSnapshot, type SnapshotPoint } from "./snapshot-open.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";

/** A snapshot that is open, and where its rows go. */
export interface SnapshotRun {
  readonly settings: TaskSettings;
  readonly opened: OpenSnapshot;
  readonly plans: TablePlans;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  readonly notifier: Notifier;
  /** Told whenever the offset changes. */
  readonly position: (offset: SourceOffset) => void;
  readonly aborted: () => boolean;
  readonly nowMicros: () => number;
}
type OnTable = (table: TableName, rows: number | null) => void;
const idOf = (t: TableName): string => `${t.schema}.${t.table}`;
/** All rows; resolves with the offset with which streaming goes on. */
export async function snapshotData(run: SnapshotRun): Promise<{ readonly offset: SourceOffset; readonly rows: number }> {
  const { settings, opened, notifier } = run;
  const { client, point } = opened;
  const { chosen: tables, captured } = await chosenTables(settings, client, point);
  const rows = rowsOf(run, await nextTransaction(client));
  const onTable = tableNotices(notifier, tables, captured);
  notifier.send("Initial Snapshot", "STARTED");
  notifier.figures.determined(captured.map(idOf), tables.map(idOf));
  await lockTables(settings, client, tables);
  const work = takingTurns(chunksOf(run, tables, onTable));
  await Promise.all(opened.sessions.map((session) => readChunks(work, chunkReader(session, point, rows))));
  const offset = rows.finish();
  run.position(streamingOffset(offset));
  notifier.send("Initial Snapshot", "COMPLETED");
  await client.query("COMMIT");
  return { offset, rows: rows.emitted };
}
/** Where the rows of all sessions come together. */
function rowsOf({ opened, events, source, nowMicros, position }: SnapshotRun, txId: number): SnapshotRows {
  const { lsn, offsets, progress } = opened.point;
  const micros = Math.floor(nowMicros());
  source.transaction(micros, txId);
  source.lastCommit(null);
  const own = (done: boolean): SourceOffset => snapshotOffset("INITIAL", lsn, txId, micros, done);
  return new SnapshotRows(
    {
      progress: offsets === undefined ? progress : null,
      during: offsets?.during ?? own(false),
      last: offsets?.last ?? own(true),
      source: ({ schema, table }, marker, shared) => source.block(lsn, schema, table, marker, shared),
      position,
    },
    events,
  );
}

/** Which lists, and in which order, as the reference's answers have them. */
function tableNotices(notifier: Notifier, chosen: readonly TableName[], captured: readonly TableName[]): OnTable {
  const inProgress = inHashSetOrder(chosen.map(idOf)).join(",");
  const ids = captured.map(idOf).join(",");
  return (t, scanned) => {
    const id = idOf(t);
    if (scanned === null) notifier.tableBegun(id, inProgress);
    else notifier.tableScanned(id, scanned, ids);
  };
}
/** `snapshot.locking.mode=shared`: nobody may change the tables' columns while they are read. Rows may change. */
async function lockTables(s: TaskSettings, client: Client, tables: readonly TableName[]): Promise<void> {
  if (s.all.choice("snapshot.locking.mode") !== "shared" || tables.length === 0) return;
  await client.query(`SET LOCAL lock_timeout = ${s.all.int("snapshot.lock.timeout.ms")}`);
  const names = tables.map((t) => `${quoteIdentifier(t.schema)}.${quoteIdentifier(t.table)}`).join(", ");
  await client.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`);
}

function chunkReader(session: RawSession, point: SnapshotPoint, rows: SnapshotRows): ChunkReader<SnapshotWork> {
  const reader = new SnapshotReader(rows);
  return {
    rows: reader.rows,
    read: ({ table, sql }) => definedAs(point, table.id, session.copyOut(sql, reader)),
    ended: () => reader.ended(),
  };
}

/**
 * The chunks of all tables in their order. Tables are looked at when their turn comes, by `client` alone: it is inside the snapshot
 * too, and no session has to wait for its own rows to do it.
 */
async function* chunksOf(run: SnapshotRun, tables: readonly TableName[], onTable: OnTable): AsyncGenerator<SnapshotWork, void> {
  for (const name of tables) {
    if (run.aborted()) return;
    const catalog = await heldTable(run.opened, name);
    if (catalog === null) continue;
    const read = await definedAs(run.opened.point, `${name.schema}.${name.table}`, tableRead(run, catalog, onTable));
    if (read === null) continue;
    const { table, cuts, from, done } = read;
    onTable(catalog, null);
    run.notifier.figures.reading(table.id, () => table.rows);
    for (let chunk = 0; chunk <= cuts.bounds.length; chunk++) {
      if (run.aborted()) return;
      if (done.has(chunk)) continue;
      const condition = chunkCondition(catalog, cuts, chunk);
      yield { table, chunk, sql: `COPY (${from}${condition === "" ? "" : ` WHERE ${condition}`}) TO STDOUT` };
    }
  }
}
/** Unknown column, table or schema: what a statement meets when its table was altered after the snapshot was taken. */
const ALTERED = /^(42703|42P01|3F000)$/;
const altered = (id: string, cause?: unknown): RetriableError =>
  new RetriableError(`The definition of ${id} has changed since the snapshot was taken; the snapshot goes on with a new one.`, cause);
/** A statement of the user's own may name what was never there, and would fail for ever. */
async function definedAs<T>(point: SnapshotPoint, id: string, statement: Promise<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    throw ALTERED.test(sqlState(error)) && !point.overrides.has(id) ? altered(id, error) : error;
  }
}
/**
 * The table as the snapshot sees it, held as it is from here to the snapshot's end, which the COPY of its rows would do anyway. An old
 * snapshot sees no row of a table that was rewritten since (a column's type was changed, say), and names columns that are gone: both
 * pass with a newer snapshot. https://www.postgresql.org/docs/current/mvcc-caveats.html
 */
async function heldTable({ client, point }: OpenSnapshot, { schema, table }: TableName): Promise<CatalogTable | null> {
  const id = `${schema}.${table}`;
  await definedAs(point, id, holdDefinition(client, schema, table));
  if (await rewritten(client, schema, table)) throw altered(id);
  return readTable(client, schema, table);
}

const NOTHING: ReadonlySet<number> = new Set();

/** Null: there is nothing (left) to read of it. */
async function tableRead(
  { settings, opened, plans }: SnapshotRun,
  catalog: CatalogTable,
  onTable: OnTable,
): Promise<{ readonly table: TableRun; readonly cuts: Cuts; readonly from: string; readonly done: ReadonlySet<number> } | null> {
  const { client, point } = opened;
  const captured = plans.selected(catalog);
  if (captured.length === 0) return null;
  const id = `${catalog.schema}.${catalog.table}`;
  const override = point.overrides.get(id)?.replace(/;\s*$/, "");
  const selected = override === undefined ? captured : await overrideColumns(client, override, catalog, captured);
  const shape = shapeOf(selected, override ?? null, catalog.key);
  if (point.progress?.isComplete(id, shape) === true) return null;
  const earlier = point.progress?.chunks(id, shape) ?? null;
  const cuts: Cuts =
    override !== undefined
      ? UNCUT
      : earlier !== null
        ? { by: "key", bounds: earlier.bounds }
        : await cutsOf(catalog, client, settings.all.int("millrace.snapshot.chunk.rows"));
  const names = selected.map((c) => quoteIdentifier(c.name)).join(", ");
  const done = earlier?.done ?? NOTHING;
  const table = tableRun({
    id,
    plan: plans.plan(catalog.schema, catalog.table, selected, catalog, true),
    columns: selected.length,
    chunks: { shape, bounds: cuts.bounds },
    resumable: cuts.by === "key",
    left: cuts.bounds.length + 1 - done.size,
    scanned: (rows) => onTable(catalog, rows),
  });
  const from = override ?? `SELECT ${names} FROM ${quoteIdentifier(catalog.schema)}.${quoteIdentifier(catalog.table)}`;
  return { table, cuts, from, done };
}

/** The columns that a statement of the user gives, in its order. Throws SourceError if a captured one is missing. */
async function overrideColumns(
  client: Client,
  statement: string,
  catalog: CatalogTable,
  captured: readonly WireColumn[],
): Promise<readonly WireColumn[]> {
  const { fields } = await client.query(`SELECT * FROM (${statement}) AS s LIMIT 0`);
  const names = new Set(fields.map((f) => f.name));
  if (captured.some((c) => !names.has(c.name))) throw tooFewColumns();
  return fields.map(
    (f) => catalog.columns.find((c) => c.name === f.name) ?? { name: f.name, typeOid: f.dataTypeID, typmod: f.dataTypeModifier },
  );
}
