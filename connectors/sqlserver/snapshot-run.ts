/**
 * Runs a snapshot: definitions into history and schema change topic, then the rows of the tables, in chunks by key.
 *
 * A snapshot that was interrupted goes on in a new transaction, but streaming still begins at the LSN of the first try, so every
 * change since then is streamed: rows that were read at either time converge to the last change of each.
 */
import { inHashMapOrder } from "../cdc/java-hash.ts";
import type { SourceOffset } from "#connect/api/record";
import { rangeConditions } from "../cdc/incremental-snapshot/conditions.ts";
import type { KeyValues } from "../cdc/incremental-snapshot/port.ts";
import { shapeOf } from "../cdc/snapshot-progress.ts";
import { byRowCount } from "../cdc/snapshot-work.ts";
import type { Table, TableChange } from "../cdc/table-model.ts";
import { fromOf, idOf, serverMicros } from "./catalog.ts";
import { quoted } from "./change-tables/statements.ts";
import { selectOverrides } from "../cdc/declared-config.ts";
import type { DatabaseContext } from "./database-context.ts";
import { keyDialect, keyValues } from "./key-values.ts";
import type { PlannedTable } from "./plans.ts";
import { schemaChangeRecord } from "./schema-change.ts";
import type { OpenSnapshot } from "./snapshot-open.ts";
import { type SnapshotOffsets, SnapshotReader } from "./snapshot-reader.ts";

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
  const { notifier, settings } = context;
  const reader = new SnapshotReader(context, run.offsets);
  context.source.time(await serverMicros(opened.session));
  resumable(() => opened.session.resume());
  const tables = await inOrder(
    run,
    // Signals are for what comes after them.
    opened.tables.filter((t) => settings.snapshots(nameOf(t)) && idOf(nameOf(t)) !== settings.signalTable),
  );
  // A set of the JVM's, where the scanned ones are a list.
  const ids = inHashMapOrder(tables.map((t) => [idOf(nameOf(t)), null] as const))
    .map(([id]) => id)
    .join(",");
  const captured = opened.tables.map((t) => idOf(nameOf(t))).join(",");
  try {
    for (const table of tables) {
      if (context.stopping()) return reader.rows;
      const id = idOf(nameOf(table));
      notifier.tableBegun(id, ids);
      await readTable(run, reader, table);
      notifier.tableScanned(id, reader.tableRows, captured);
    }
    if (!context.stopping()) reader.finish();
  } finally {
    resumable(null);
  }
  return reader.rows;
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

async function readTable(run: SnapshotRun, reader: SnapshotReader, table: Table): Promise<void> {
  const { plans, settings } = run.context;
  const columns = plans.selected(table);
  if (columns.length === 0) return;
  const planned = plans.plan(table, columns);
  const overrides = selectOverrides(settings.all);
  const given = run.conditions.get(planned.id) ?? null;
  // For a blocking snapshot the filter is the whole statement.
  const select = given !== null && /^\s*select\b/i.test(given) ? given : null;
  const override = select ?? overrides.get(planned.id) ?? overrides.get(`${planned.name.schema}.${planned.name.table}`) ?? null;
  const condition = select === null ? given : null;
  const shape = shapeOf(columns, override, condition, plans.keyOf(table));
  const progress = run.offsets.progress;
  reader.table(planned);
  if (progress?.isComplete(planned.id, shape) === true) return;
  if (override === null && condition === null) await readChunks(run, reader, table, planned, shape);
  else await run.opened.session.stream(statement(planned, override, condition === null ? [] : [`(${condition})`]), reader);
  reader.endOfTable(planned.id, shape);
}
/** `*` of an override stands for the captured columns. */
function statement(planned: PlannedTable, override: string | null, conditions: readonly string[]): string {
  const columns = planned.select.join(", ");
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  if (override === null) return `SELECT ${columns} FROM ${fromOf(planned.name)}${where}`;
  const own = override.replace(/;\s*$/, "");
  return own.includes("*") ? own.replace("*", columns) : own;
}
async function readChunks(run: SnapshotRun, reader: SnapshotReader, table: Table, planned: PlannedTable, shape: string): Promise<void> {
  const { context, opened, offsets } = run;
  const key = table.primaryKeyColumnNames;
  // Rows with nulls in the key would be in no range.
  const cuttable =
    offsets.progress !== null && key.length > 0 && key.every((k) => table.columns.find((c) => c.name === k)?.optional === false);
  const earlier = cuttable ? (offsets.progress?.chunks(planned.id, shape) ?? null) : null;
  const bounds = earlier?.bounds ?? (cuttable ? await boundsOf(run, table, planned, key) : []);
  const dialect = keyDialect(table, key);
  for (let chunk = 0; chunk <= bounds.length; chunk++) {
    if (context.stopping()) return;
    if (earlier?.done.has(chunk) === true) continue;
    const conditions = rangeConditions(key, bounds[chunk - 1], bounds[chunk], dialect);
    await opened.session.stream(statement(planned, null, conditions), reader);
    if (bounds.length > 0 && !context.stopping()) reader.endOfChunk(planned.id, { shape, bounds }, chunk);
  }
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
