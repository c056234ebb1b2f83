/** Runs a snapshot from an exported snapshot to its last row: sessions, transaction, tables, notifications. */
import type { Client } from "pg";
import type { SourceOffset } from "#connect/api/record";
import type { Notifier } from "../cdc/notifications.ts";
import { listTables } from "./catalog.ts";
import type { EventWriter } from "./events.ts";
import type { TablePlans } from "./plans.ts";
import type { TableName } from "./publication.ts";
import type { RawSession } from "./raw-session.ts";
import { openSession } from "./replication.ts";
import { quoteLiteral } from "./slot.ts";
import { SnapshotReader } from "./snapshot.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";

/** Read-only and repeatable: all sessions see exactly what the slot's consistent point separates from the stream. */
const transactionIn = (snapshot: string | null): readonly string[] => [
  "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
  ...(snapshot === null ? [] : [`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`]),
];

export interface SnapshotPoint {
  /** Stands in events. */
  readonly lsn: number;
  /** Name of an exported snapshot; null: as things are now. */
  readonly snapshot: string | null;
  /** Null: what the settings ask for. */
  readonly tables: readonly string[] | null;
  readonly overrides: ReadonlyMap<string, string>;
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

async function chosenTables(s: TaskSettings, client: Client, point: SnapshotPoint): Promise<readonly TableName[]> {
  const all = await listTables(client);
  const tables = point.tables;
  return tables === null
    ? all.filter((t) => s.plans.filters.snapshot(t.schema, t.table))
    : all.filter((t) => tables.includes(`${t.schema}.${t.table}`));
}

/** Resolves once both sessions have taken the exported snapshot, which may then be given up. `client` must be free until the end. */
export async function openSnapshot(
  s: TaskSettings,
  client: Client,
  plans: TablePlans,
  point: SnapshotPoint,
  aborted: () => boolean,
  nowMicros: () => number,
): Promise<SnapshotRun> {
  const session: RawSession = await openSession(s.server, false, () => {});
  for (const sql of transactionIn(point.snapshot)) {
    await session.query(sql);
    await client.query(sql);
  }
  return {
    async read(events, source, notifier, position) {
      const { rows } = await client.query<{ xid: string }>("SELECT txid_snapshot_xmax(txid_current_snapshot())::text AS xid");
      const tables = await chosenTables(s, client, point);
      const ids = tables.map((t) => `${t.schema}.${t.table}`).join(",");
      const reader = new SnapshotReader(
        {
          mode: "INITIAL",
          lsn: point.lsn,
          txId: Number(rows[0]?.xid ?? 0),
          nowMicros,
          overrides: point.overrides,
          aborted,
          ...(point.offsets && { offsets: point.offsets }),
          onTable(t, scanned) {
            const id = `${t.schema}.${t.table}`;
            if (scanned === null)
              notifier.send("Initial Snapshot", "IN_PROGRESS", { current_collection_in_progress: id, data_collections: ids });
            else
              notifier.send("Initial Snapshot", "TABLE_SCAN_COMPLETED", {
                scanned_collection: id,
                total_rows_scanned: String(scanned),
                status: "SUCCEEDED",
                data_collections: ids,
              });
          },
        },
        events,
        source,
      );
      position(reader.offset);
      notifier.send("Initial Snapshot", "STARTED");
      await reader.read(tables, plans, client, session);
      const offset = reader.finish();
      position(offset);
      notifier.send("Initial Snapshot", "COMPLETED");
      await client.query("COMMIT");
      return { offset, rows: reader.rows };
    },
    resume: () => session.resume(),
    close: () => session.close(),
  };
}
