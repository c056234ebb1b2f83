/** Blocking snapshots: streaming stops, tables are read, streaming goes on. Asked for by a signal or as a backfill. */
import type { BackfillTable } from "#connect/api/backfill";
import { RetriableError } from "#connect/api/errors";
import type { Client } from "pg";
import type { EventWriter } from "../cdc/event-writer.ts";
import type { Notifier } from "../cdc/notifications.ts";
import type { SignalOrigin } from "../cdc/signal-handler.ts";
import { backfillSelects, endsStream } from "./backfill.ts";
import { connect } from "./connection.ts";
import type { TablePlans } from "./plans.ts";
import { openSnapshot, type SnapshotRun } from "./snapshot-run.ts";
import type { SourceInfo } from "./source-info.ts";
import type { StreamReader } from "./stream.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface BlockingParts {
  readonly s: TaskSettings;
  readonly plans: TablePlans;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  readonly notifier: Notifier;
  /** Of the stream that is open; null: none is. */
  readonly reader: () => StreamReader | null;
  readonly stopping: () => boolean;
  /** The snapshot that is being read, told when there is room again; null: it is over. */
  readonly running: (snapshot: SnapshotRun | null) => void;
  readonly nowMicros: () => number;
  readonly failed: (error: unknown) => void;
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
    const client = await connect(p.s.server);
    const offsets = { during: from === "table" ? reader.heldOffset : reader.offset, last: reader.offset };
    let snapshot: SnapshotRun | null = null;
    try {
      const selects = typeof overrides === "function" ? await overrides(client) : overrides;
      const point = { lsn: reader.received, snapshot: null, tables, overrides: selects, progress: null, offsets };
      snapshot = await openSnapshot(p.s, client, p.plans, point, aborted, p.nowMicros);
      p.running(snapshot);
      await snapshot.read(p.events, p.source, p.notifier, () => {});
    } finally {
      p.running(null);
      await Promise.allSettled([snapshot?.close(), client.end()]);
    }
  });
}
/** Rejects where it was not read to its end; the stream goes on unless its connection is to blame. */
export async function blockingBackfill(p: BlockingParts, tables: readonly BackfillTable[], aborted: () => boolean): Promise<void> {
  const reader = p.reader();
  const selects = (client: Client): ReturnType<typeof backfillSelects> => backfillSelects(client, p.plans, tables);
  const names = tables.map((t) => t.table);
  try {
    await blockingSnapshot(p, "channel", names, selects, () => p.stopping() || aborted());
  } catch (error) {
    if (endsStream(error)) p.failed(error);
    throw error;
  }
  if (p.reader() !== reader || p.stopping()) throw new RetriableError("The stream ended before the tables were read");
}
