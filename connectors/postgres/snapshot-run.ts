/** Runs a snapshot from an exported snapshot to its last row: sessions, transaction, tables. */
import type { Client } from "pg";
import type { SourceOffset } from "#connect/api/record";
import { listTables } from "./catalog.ts";
import { selectOverrides } from "./config.ts";
import type { EventWriter } from "./events.ts";
import type { TablePlans } from "./plans.ts";
import type { TableName } from "./publication.ts";
import { openSession } from "./replication.ts";
import { type RawSession } from "./raw-session.ts";
import { SnapshotReader } from "./snapshot.ts";
import { quoteLiteral } from "./slot.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";

/** Read-only and repeatable: all sessions see exactly what the slot's consistent point separates from the stream. */
const transactionIn = (snapshot: string | null): readonly string[] => [
  "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
  ...(snapshot === null ? [] : [`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`]),
];

export interface SnapshotRun {
  /** Reads all rows; resolves with the offset with which streaming goes on, and whether any record was written. */
  read(events: EventWriter, source: SourceInfo): Promise<{ readonly offset: SourceOffset; readonly txId: number; readonly rows: number }>;
  /** Goes on after the queue had been full. */
  resume(): void;
  close(): Promise<void>;
}

/** Resolves once both sessions have taken the exported snapshot, which may then be given up. */
export async function openSnapshot(
  s: TaskSettings,
  client: Client,
  plans: TablePlans,
  point: { readonly lsn: number; readonly snapshot: string | null },
  aborted: () => boolean,
  nowMicros: () => number,
  onTable?: (table: TableName, rows: number | null) => void,
): Promise<SnapshotRun> {
  const session: RawSession = await openSession(s.server, false, () => {});
  for (const sql of transactionIn(point.snapshot)) {
    await session.query(sql);
    await client.query(sql);
  }
  return {
    async read(events, source) {
      const { rows } = await client.query<{ xid: string }>("SELECT txid_snapshot_xmax(txid_current_snapshot())::text AS xid");
      const txId = Number(rows[0]?.xid ?? 0);
      const tables = (await listTables(client)).filter((t) => s.plans.filters.snapshot(t.schema, t.table));
      const reader = new SnapshotReader(
        {
          mode: "INITIAL",
          lsn: point.lsn,
          txId,
          nowMicros,
          overrides: selectOverrides(s.all),
          aborted,
          ...(onTable && { onTable }),
        },
        events,
        source,
      );
      await reader.read(tables, plans, client, session);
      const offset = reader.finish();
      await client.query("COMMIT");
      return { offset, txId, rows: reader.rows };
    },
    resume: () => session.resume(),
    close: () => session.close(),
  };
}
