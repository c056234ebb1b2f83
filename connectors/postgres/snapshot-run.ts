/**
 * Runs a snapshot from an exported snapshot to its last row: sessions, transactions, tables and chunks, notifications.
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
import { shapeOf, type SnapshotProgress } from "../cdc/snapshot-progress.ts";
import type { SnapshotRows, TableRun } from "../cdc/snapshot-rows.ts";
import { type SnapshotWork, tableRun, takingTurns } from "../cdc/snapshot-work.ts";
import { type CatalogTable, holdDefinition, listTables, readTable, rewritten, nextTransaction } from "./catalog.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import { inHashMapOrder } from "../cdc/java-hash.ts";
import type { TablePlans, WireColumn } from "./plans.ts";
import { streamingOffset } from "./position.ts";
import type { TableName } from "./publication.ts";
import { sqlState } from "./failures.ts";
import type { RawSession } from "./raw-session.ts";
import { openSession } from "./replication.ts";
import { quoteIdentifier, quoteLiteral } from "./slot.ts";
import { SnapshotSession, snapshotRows, tooFewColumns } from "./snapshot.ts";
import { chunkCondition, type Cuts, cutsOf, UNCUT } from "./snapshot-chunks.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";

/**
 * All sessions see exactly what the slot's consistent point separates from the stream. An exported snapshot can only be read
 * with REPEATABLE READ, which gives at least what the weaker modes ask for.
 */
function transactionIn(snapshot: string | null, isolation: string): readonly string[] {
  if (snapshot !== null)
    return ["BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", `SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`];
  const level = isolation.replaceAll("_", " ").toUpperCase();
  return [`BEGIN TRANSACTION ISOLATION LEVEL ${level} READ ONLY${level === "SERIALIZABLE" ? " DEFERRABLE" : ""}`];
}

export interface SnapshotPoint {
  /** Stands in events. */
  readonly lsn: number;
  /** Name of an exported snapshot; null: as things are now. */
  readonly snapshot: string | null;
  /** Null: what the settings ask for. */
  readonly tables: readonly string[] | null;
  readonly overrides: ReadonlyMap<string, string>;
  /** Null: offsets say nothing of it, a restart begins anew. */
  readonly progress: SnapshotProgress | null;
  readonly offsets?: { readonly during: SourceOffset; readonly last: SourceOffset };
}
export interface SnapshotRun {
  /** Reads all rows; resolves with the offset with which streaming goes on. */
  read(
    events: EventWriter,
    source: SourceInfo,
    notifier: Notifier,
    position: (offset: SourceOffset) => void,
  ): Promise<{ readonly offset: SourceOffset; readonly rows: number }>;
  /** Goes on after the queue had been full. */
  resume(): void;
  close(): Promise<void>;
}
/** What is needed all the way down. */
interface Reading {
  readonly s: TaskSettings;
  readonly client: Client;
  readonly plans: TablePlans;
  readonly point: SnapshotPoint;
  readonly aborted: () => boolean;
  readonly onTable: (table: TableName, rows: number | null) => void;
}
const idOf = (t: TableName): string => `${t.schema}.${t.table}`;
interface ChosenTables {
  readonly chosen: readonly TableName[];
  /** What notifications of a table's end list. */
  readonly captured: readonly TableName[];
}
async function chosenTables(s: TaskSettings, client: Client, point: SnapshotPoint): Promise<ChosenTables> {
  const all = await listTables(client);
  const tables = point.tables;
  if (tables !== null) {
    const chosen = all.filter((t) => tables.includes(idOf(t)));
    return { chosen, captured: chosen };
  }
  // Signals are for what comes after them.
  const signals = s.all.optional("signal.data.collection");
  return {
    chosen: all.filter((t) => s.plans.filters.snapshot(t.schema, t.table) && idOf(t) !== signals),
    captured: all.filter((t) => s.plans.filters.table(t.schema, t.table)),
  };
}

/** Resolves once all sessions have taken the exported snapshot, which may then be given up. `client` must be free until the end. */
export async function openSnapshot(
  s: TaskSettings,
  client: Client,
  plans: TablePlans,
  point: SnapshotPoint,
  aborted: () => boolean,
  nowMicros: () => number,
): Promise<SnapshotRun> {
  const sessions: RawSession[] = [];
  const close = async (): Promise<void> => void (await Promise.allSettled(sessions.map((each) => each.close())));
  try {
    while (sessions.length < s.all.int("snapshot.max.threads")) sessions.push(await openSession(s.server, false, () => {}));
    for (const sql of transactionIn(point.snapshot, s.all.choice("snapshot.isolation.mode"))) {
      for (const session of sessions) await session.query(sql);
      await client.query(sql);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async read(events, source, notifier, position) {
      const { chosen: tables, captured } = await chosenTables(s, client, point);
      const { mode, txId } = { mode: "INITIAL", txId: await nextTransaction(client) };
      const rows = snapshotRows({ ...point, mode, txId, nowMicros, position }, events, source);
      const onTable = tableNotices(notifier, tables, captured);
      notifier.send("Initial Snapshot", "STARTED");
      await lockTables(s, client, tables);
      const work = takingTurns(chunksOf({ s, client, plans, point, aborted, onTable }, tables));
      await Promise.all(sessions.map((session) => readChunks(session, point, work, rows)));
      const offset = rows.finish();
      position(streamingOffset(offset));
      notifier.send("Initial Snapshot", "COMPLETED");
      await client.query("COMMIT");
      return { offset, rows: rows.emitted };
    },
    resume() {
      for (const session of sessions) session.resume();
    },
    close,
  };
}

/** Which lists, and in which order, as the reference's answers have them. */
function tableNotices(notifier: Notifier, chosen: readonly TableName[], captured: readonly TableName[]): Reading["onTable"] {
  const inProgress = inHashMapOrder(chosen.map((t) => [idOf(t), null]))
    .map(([id]) => id)
    .join(",");
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

async function readChunks(
  session: RawSession,
  point: SnapshotPoint,
  work: () => Promise<SnapshotWork | null>,
  rows: SnapshotRows,
): Promise<void> {
  const consumer = new SnapshotSession(rows);
  for (let next = await work(); next !== null; next = await work()) {
    consumer.begin(next.table, next.chunk);
    await definedAs({ point }, next.table.id, session.copyOut(next.sql, consumer));
    consumer.end();
  }
}

/**
 * The chunks of all tables in their order. Tables are looked at when their turn comes, by `client` alone: it is inside the snapshot
 * too, and no session has to wait for its own rows to do it.
 */
async function* chunksOf(r: Reading, tables: readonly TableName[]): AsyncGenerator<SnapshotWork, void> {
  for (const name of tables) {
    if (r.aborted()) return;
    const catalog = await heldTable(r, name);
    if (catalog === null) continue;
    const read = await definedAs(r, `${name.schema}.${name.table}`, tableRead(r, catalog));
    if (read === null) continue;
    const { table, cuts, from, done } = read;
    r.onTable(catalog, null);
    for (let chunk = 0; chunk <= cuts.bounds.length; chunk++) {
      if (r.aborted()) return;
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
async function definedAs<T>(r: Pick<Reading, "point">, id: string, statement: Promise<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    throw ALTERED.test(sqlState(error)) && !r.point.overrides.has(id) ? altered(id, error) : error;
  }
}
/**
 * The table as the snapshot sees it, held as it is from here to the snapshot's end, which the COPY of its rows would do anyway. An old
 * snapshot sees no row of a table that was rewritten since (a column's type was changed, say), and names columns that are gone: both
 * pass with a newer snapshot. https://www.postgresql.org/docs/current/mvcc-caveats.html
 */
async function heldTable(r: Reading, { schema, table }: TableName): Promise<CatalogTable | null> {
  const id = `${schema}.${table}`;
  await definedAs(r, id, holdDefinition(r.client, schema, table));
  if (await rewritten(r.client, schema, table)) throw altered(id);
  return readTable(r.client, schema, table);
}

const NOTHING: ReadonlySet<number> = new Set();

/** Null: there is nothing (left) to read of it. */
async function tableRead(
  r: Reading,
  catalog: CatalogTable,
): Promise<{ readonly table: TableRun; readonly cuts: Cuts; readonly from: string; readonly done: ReadonlySet<number> } | null> {
  const captured = r.plans.selected(catalog);
  if (captured.length === 0) return null;
  const id = `${catalog.schema}.${catalog.table}`;
  const override = r.point.overrides.get(id)?.replace(/;\s*$/, "");
  const selected = override === undefined ? captured : await overrideColumns(r.client, override, catalog, captured);
  const shape = shapeOf(selected, override ?? null, catalog.key);
  if (r.point.progress?.isComplete(id, shape) === true) return null;
  const earlier = r.point.progress?.chunks(id, shape) ?? null;
  const cuts: Cuts =
    override !== undefined
      ? UNCUT
      : earlier !== null
        ? { by: "key", bounds: earlier.bounds }
        : await cutsOf(catalog, r.client, r.s.all.int("millrace.snapshot.chunk.rows"));
  const names = selected.map((c) => quoteIdentifier(c.name)).join(", ");
  const done = earlier?.done ?? NOTHING;
  const table = tableRun({
    id,
    plan: r.plans.plan(catalog.schema, catalog.table, selected, catalog, true),
    columns: selected.length,
    chunks: { shape, bounds: cuts.bounds },
    resumable: cuts.by === "key",
    left: cuts.bounds.length + 1 - done.size,
    scanned: (rows) => r.onTable(catalog, rows),
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
