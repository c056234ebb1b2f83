/**
 * Runs a snapshot: definitions into history and schema change topic, then the rows of the tables, in chunks by key.
 *
 * A snapshot that was interrupted goes on in a new transaction, but streaming still begins at the LSN of the first try, so every
 * change since then is streamed: rows that were read at either time converge to the last change of each.
 */
import { inHashSetOrder } from "../cdc/java-hash.ts";
import type { SourceOffset } from "#connect/api/record";
import { rangeConditions } from "../cdc/incremental-snapshot/conditions.ts";
import type { KeyValues } from "../cdc/incremental-snapshot/port.ts";
import { shapeOf, type SnapshotProgress } from "../cdc/snapshot-progress.ts";
import { SnapshotRows, type TableRun } from "../cdc/snapshot-rows.ts";
import { byRowCount, readChunks, type SnapshotWork, tableRun, takingTurns } from "../cdc/snapshot-work.ts";
import type { Table, TableChange } from "../cdc/table-model.ts";
import { fromOf, idOf, serverMicros } from "./catalog.ts";
import { quoted } from "./change-tables/statements.ts";
import { selectOverrides } from "../cdc/declared-config.ts";
import type { Lsn } from "./change-tables/lsn.ts";
import type { DatabaseContext } from "./database-context.ts";
import { keyDialect, keyValues } from "./key-values.ts";
import type { PlannedTable } from "./plans.ts";
import { schemaChangeRecord } from "./schema-change.ts";
import type { OpenSnapshot } from "./snapshot-open.ts";
import { SnapshotReader } from "./snapshot-reader.ts";

export interface SnapshotOffsets {
  readonly during: SourceOffset;
  readonly last: SourceOffset;
  /** What source blocks say: of a snapshot next to the stream, where the stream is. */
  readonly at: { readonly commit: Lsn | null; readonly change: Lsn | null; readonly serial: number | null };
  /** Null: a restart begins anew. */
  readonly progress: SnapshotProgress | null;
}
export interface SnapshotRun {
  readonly context: DatabaseContext;
  readonly opened: OpenSnapshot;
  readonly offsets: SnapshotOffsets;
  /** Conditions of a signal, by table id. */
  readonly conditions: ReadonlyMap<string, string>;
}

/** The tables' definitions. `ends`: nothing follows. Resolves with the number of records. */
export async function snapshotSchema(run: SnapshotRun, historyPosition: SourceOffset, ends: boolean): Promise<number> {
  const { context, opened, offsets } = run;
  const { settings, events, source, tracker } = context;
  source.time(await serverMicros(opened.session));
  const tsMs = Math.floor(context.nowMicros() / 1000);
  const changes = opened.known.map((table): TableChange => ({ type: "CREATE", id: table.id, previousId: null, table }));
  await tracker.record(changes, null, historyPosition, tsMs);
  if (!settings.includeSchemaChanges) return 0;
  changes.forEach((change, i) => {
    const last = ends && i === changes.length - 1;
    events.other(
      schemaChangeRecord({
        topic: settings.naming.prefix,
        partition: context.partition,
        headers: settings.headers,
        source: source.block(
          { schema: change.id.schema ?? "", table: change.id.table },
          last ? "last" : "true",
          offsets.at.commit,
          offsets.at.change,
          offsets.at.serial,
        ),
        tsMs,
        databaseName: change.id.catalog,
        schemaName: change.id.schema,
        ddl: null,
        changes: [change],
        offset: last ? offsets.last : { ...offsets.during, ...offsets.progress?.keys() },
      }),
      false,
      1024,
    );
  });
  events.flush();
  return changes.length;
}

/** All rows; resolves with their number. */
export async function snapshotData(run: SnapshotRun, resumable: (resume: (() => void) | null) => void): Promise<number> {
  const { context, opened } = run;
  const { settings } = context;
  context.source.time(await serverMicros(opened.session));
  resumable(() => opened.session.resume());
  const tables = await inOrder(
    run,
    // Signals are for what comes after them.
    opened.tables.filter((t) => settings.snapshots(nameOf(t)) && idOf(nameOf(t)) !== settings.signalTable),
  );
  const rows = rowsOf(run);
  const reader = new SnapshotReader(rows);
  try {
    await readChunks(takingTurns(chunksOf(run, tables)), {
      rows: reader.rows,
      read({ sql, types }: TableWork) {
        reader.types = types;
        return opened.session.stream(sql, reader);
      },
      ended() {
        // The rest of it may be missing.
        if (!context.stopping()) reader.ended();
      },
    });
    if (!context.stopping()) rows.finish();
  } finally {
    resumable(null);
  }
  return rows.emitted;
}
function rowsOf({ context, offsets }: SnapshotRun): SnapshotRows {
  const { during, last, progress } = offsets;
  const { commit, change, serial } = offsets.at;
  const { source, database } = context;
  return new SnapshotRows(
    {
      progress,
      during,
      last,
      source: (plan, marker, shared) =>
        source.block({ schema: plan.schema.slice(database.length + 1), table: plan.table }, marker, commit, change, serial, shared),
      position: () => {},
    },
    context.events,
  );
}
const nameOf = (t: Table): { database: string; schema: string; table: string } => ({
  database: t.id.catalog ?? "",
  schema: t.id.schema ?? "",
  table: t.id.table,
});
async function inOrder(run: SnapshotRun, tables: readonly Table[]): Promise<readonly Table[]> {
  const order = run.context.settings.all.choice("snapshot.tables.order.by.row.count");
  if (order === "disabled") return tables;
  const counted = new Map<Table, number>();
  for (const table of tables) {
    const row = await run.opened.session.first(`SELECT COUNT_BIG(*) FROM ${fromOf(nameOf(table))}`);
    counted.set(table, Number(row?.[0] ?? 0));
  }
  return byRowCount(tables, order, (table) => counted.get(table) ?? 0);
}

interface TableWork extends SnapshotWork {
  readonly types: PlannedTable["types"];
}
/** The chunks of all tables in their order. */
async function* chunksOf(run: SnapshotRun, tables: readonly Table[]): AsyncGenerator<TableWork, void> {
  const { notifier, stopping } = run.context;
  // A set of the JVM's, where the scanned ones are a list.
  const ids = inHashSetOrder(tables.map((t) => idOf(nameOf(t)))).join(",");
  const captured = run.opened.tables.map((t) => idOf(nameOf(t))).join(",");
  const idsOf = (each: readonly Table[]): readonly string[] => each.map((t) => idOf(nameOf(t)));
  notifier.figures.determined(idsOf(run.opened.tables), idsOf(tables));
  for (const table of tables) {
    if (stopping()) return;
    const id = idOf(nameOf(table));
    notifier.tableBegun(id, ids);
    const scanned = (rows: number): void => notifier.tableScanned(id, rows, captured);
    const read = await tableRead(run, table, scanned);
    if (read !== null) notifier.figures.reading(id, () => read.table.rows);
    if (read === null) scanned(0);
    else
      for (const [chunk, sql] of read.statements) {
        if (stopping()) return;
        yield { table: read.table, chunk, sql, types: read.types };
      }
  }
}
interface TableRead {
  readonly table: TableRun;
  readonly types: PlannedTable["types"];
  /** Of the chunks that are left, by number. */
  readonly statements: readonly (readonly [chunk: number, sql: string])[];
}
/** Null: there is nothing (left) to read of it. */
async function tableRead(run: SnapshotRun, table: Table, scanned: (rows: number) => void): Promise<TableRead | null> {
  const { plans, settings } = run.context;
  const columns = plans.selected(table);
  if (columns.length === 0) return null;
  const planned = plans.plan(table, columns);
  const overrides = selectOverrides(settings.all);
  const given = run.conditions.get(planned.id) ?? null;
  // For a blocking snapshot the filter is the whole statement.
  const select = given !== null && /^\s*select\b/i.test(given) ? given : null;
  const override = select ?? overrides.get(planned.id) ?? overrides.get(`${planned.name.schema}.${planned.name.table}`) ?? null;
  const condition = select === null ? given : null;
  const shape = shapeOf(columns, override, condition, plans.keyOf(table));
  if (run.offsets.progress?.isComplete(planned.id, shape) === true) return null;
  const { bounds, statements } =
    override === null && condition === null
      ? await chunkStatements(run, table, planned, shape)
      : { bounds: [], statements: [[0, statement(planned, override, condition === null ? [] : [`(${condition})`])] as const] };
  const chunks = { shape, bounds };
  const resumable = bounds.length > 0;
  const { id, plan, types } = planned;
  return { table: tableRun({ id, plan, columns: columns.length, chunks, resumable, left: statements.length, scanned }), types, statements };
}
/** `*` of an override stands for the captured columns. */
function statement(planned: PlannedTable, override: string | null, conditions: readonly string[]): string {
  const columns = planned.select.join(", ");
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  if (override === null) return `SELECT ${columns} FROM ${fromOf(planned.name)}${where}`;
  const own = override.replace(/;\s*$/, "");
  return own.includes("*") ? own.replace("*", columns) : own;
}
async function chunkStatements(
  run: SnapshotRun,
  table: Table,
  planned: PlannedTable,
  shape: string,
): Promise<Pick<TableRead, "statements"> & { readonly bounds: readonly KeyValues[] }> {
  const { progress } = run.offsets;
  const key = table.primaryKeyColumnNames;
  // Rows with nulls in the key would be in no range.
  const cuttable = progress !== null && key.length > 0 && key.every((k) => table.columns.find((c) => c.name === k)?.optional === false);
  const earlier = cuttable ? progress.chunks(planned.id, shape) : null;
  const bounds = earlier?.bounds ?? (cuttable ? await boundsOf(run, table, planned, key) : []);
  const dialect = keyDialect(table, key);
  const numbers = Array.from({ length: bounds.length + 1 }, (_, i) => i).filter((i) => earlier?.done.has(i) !== true);
  const statements = numbers.map((i) => [i, statement(planned, null, rangeConditions(key, bounds[i - 1], bounds[i], dialect))] as const);
  return { bounds, statements };
}
/** Every so many rows in the order of the key, its values. */
async function boundsOf(run: SnapshotRun, table: Table, planned: PlannedTable, key: readonly string[]): Promise<readonly KeyValues[]> {
  const chunkRows = run.context.settings.all.int("millrace.snapshot.chunk.rows");
  const columns = key.map(quoted).join(", ");
  const shown = run.context.plans.plan(table, key).select.join(", ");
  const rows = await run.opened.session.rows(
    `SELECT ${shown} FROM (SELECT ${columns}, ROW_NUMBER() OVER (ORDER BY ${columns}) AS n FROM ${fromOf(planned.name)}) AS numbered WHERE n % ${chunkRows} = 0 ORDER BY n`,
  );
  return rows.map((row) => keyValues(table, key, row));
}
