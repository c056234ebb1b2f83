/** Blocking snapshots: streaming stops, tables are read, streaming goes on. Asked for by a signal or as a backfill. */
import type { BackfillTable } from "#connect/api/backfill";
import type { Client } from "pg";
import { readStopped } from "../cdc/backfill-parts.ts";
import type { EventWriter } from "../cdc/event-writer.ts";
import type { Notifier } from "../cdc/notifications.ts";
import type { SignalOrigin } from "../cdc/signal-handler.ts";
import { backfillSelects, endsStream } from "./backfill.ts";
import { connect } from "./connection.ts";
import type { TablePlans } from "./plans.ts";
import { openSnapshot, type OpenSnapshot } from "./snapshot-open.ts";
import { snapshotData } from "./snapshot-run.ts";
import type { SourceInfo } from "./source-info.ts";
import type { StreamReader } from "./stream.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface BlockingParts {
  readonly settings: TaskSettings;
  readonly plans: TablePlans;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  readonly notifier: Notifier;
  /** Of the stream that is open; null: none is. */
  readonly reader: () => StreamReader | null;
  readonly stopping: () => boolean;
  /** The snapshot that is being read, told when there is room again; null: it is over. */
  readonly reading: (snapshot: OpenSnapshot | null) => void;
  readonly nowMicros: () => number;
  readonly fail: (error: unknown) => void;
}
/** `overrides`: statements by table that read it instead. Rejects where it could not be read. */
export async function blockingSnapshot(
  p: BlockingParts,
  from: SignalOrigin,
  tables: readonly string[],
  overrides: ReadonlyMap<string, string> | ((client: Client) => Promise<ReadonlyMap<string, string>>),
  aborted: () => boolean,
): Promise<void> {
  const reader = p.reader();
  if (reader === null) return;
  await reader.stopWhile(async () => {
    const client = await connect(p.settings.server);
    const offsets = { during: from === "table" ? reader.heldOffset : reader.offset, last: reader.offset };
    let opened: OpenSnapshot | null = null;
    try {
      const selects = typeof overrides === "function" ? await overrides(client) : overrides;
      const point = { lsn: reader.received, snapshot: null, tables, overrides: selects, progress: null, offsets };
      opened = await openSnapshot(p.settings, client, point);
      p.reading(opened);
      await snapshotData({ ...p, opened, aborted, position: () => {} });
    } finally {
      p.reading(null);
      await Promise.allSettled([opened?.close(), client.end()]);
    }
  });
}
/** As a backfill. Rejects where it was not read to its end. */
export const blockingBackfill = (p: BlockingParts, tables: readonly BackfillTable[], aborted: () => boolean): Promise<void> =>
  readStopped({ stream: p.reader, stopping: p.stopping, endsStream, fail: p.fail }, () => {
    const names = tables.map((t) => t.table);
    return blockingSnapshot(
      p,
      "channel",
      names,
      (client) => backfillSelects(client, p.plans, tables),
      () => p.stopping() || aborted(),
    );
  });
