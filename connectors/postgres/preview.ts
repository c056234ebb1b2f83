/** Some rows of each captured table as the snapshot would send them, read in a read-only transaction: no slot, no publication. */
import type { TaskConfig } from "#connect/api/connector";
import type { SourceRecord } from "#connect/api/record";
import { RecordQueue } from "../cdc/record-queue.ts";
import { type CatalogTable, listTables, readTable } from "./catalog.ts";
import { selectOverrides } from "../cdc/declared-config.ts";
import { connect } from "./connection.ts";
import { EventWriter } from "../cdc/event-writer.ts";
import { TupleScan } from "./pgoutput/tuple.ts";
import { TablePlans } from "./plans.ts";
import { snapshotOffset } from "./position.ts";
import type { CopyConsumer } from "./raw-session.ts";
import { openSession } from "./replication.ts";
import { quoteIdentifier } from "./slot.ts";
import { SourceInfo } from "./source-info.ts";
import { taskSettings } from "./task-settings.ts";
import { TypeRegistry } from "./type-registry.ts";

const READ_ONLY = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
const nowMicros = (): number => Date.now() * 1000;

/** Tables share the limit: each gives at most its part of what is left. One batch for each table. */
export async function* previewTables(config: TaskConfig, limit: number, signal: AbortSignal): AsyncIterable<readonly SourceRecord[]> {
  const s = taskSettings(config, 0, Date.now(), () => {});
  const client = await connect(s.server, { applicationName: "Millrace Preview" });
  const session = await openSession(s.server, false, () => {});
  try {
    await session.query(READ_ONLY);
    const types = new TypeRegistry();
    await types.load(client);
    const plans = new TablePlans(s.plans, types);
    const source = new SourceInfo(s.naming.prefix, s.server.database);
    source.transaction(nowMicros(), null);
    source.lastCommit(null);
    const overrides = selectOverrides(s.all);
    const tables = (await listTables(client)).filter((t) => s.plans.filters.snapshot(t.schema, t.table));
    let left = limit;
    for (const [i, { schema, table }] of tables.entries()) {
      if (left <= 0 || signal.aborted) return;
      const catalog = await readTable(client, schema, table);
      if (catalog === null) continue;
      const share = Math.max(1, Math.ceil(left / (tables.length - i)));
      const queue = new RecordQueue({ maxBatchRecords: share, maxRecords: share + 1, maxBytes: Number.MAX_SAFE_INTEGER });
      const partition = { server: s.naming.prefix };
      const events = new EventWriter({ partition, headers: s.headers, tombstones: true, nowMicros }, queue);
      events.tick();
      const reader = tableReader(catalog, plans, events, source);
      const override = overrides.get(`${schema}.${table}`)?.replace(/;\s*$/, "");
      const from = override ?? `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
      const rows = `SELECT ${reader.columns.map(quoteIdentifier).join(", ")} FROM ${override === undefined ? from : `(${from}) AS s`} LIMIT ${share}`;
      if (reader.columns.length === 0) continue;
      await session.copyOut(`COPY (${rows}) TO STDOUT`, reader);
      if (queue.empty) continue;
      const batch = await queue.take(0);
      left -= batch.length;
      yield batch;
    }
  } finally {
    await Promise.allSettled([session.close(), client.end()]);
  }
}
function tableReader(
  catalog: CatalogTable,
  plans: TablePlans,
  events: EventWriter,
  source: SourceInfo,
): CopyConsumer & { readonly columns: readonly string[] } {
  const selected = plans.selected(catalog);
  const plan = plans.plan(catalog.schema, catalog.table, selected, catalog, true);
  const scan = new TupleScan();
  const offset = snapshotOffset("INITIAL", 0, 0, nowMicros(), false);
  return {
    ready: true,
    columns: selected.map((c) => c.name),
    data(bytes, start, end) {
      // A copy: the session's memory is used again for what comes next.
      const row = Buffer.from(bytes.subarray(start, end));
      scan.scanCopy(row, 0, row.length - 1);
      const block = source.block(0, catalog.schema, catalog.table, "true");
      events.upsert(plan, "r", plan.key(scan, row), null, plan.row(scan, row), block, null, offset, row.length);
    },
    flushed() {},
  };
}
