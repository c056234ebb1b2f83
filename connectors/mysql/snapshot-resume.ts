/** Whether a snapshot that an earlier run began can go on (why that is correct: `snapshot-run.ts`). */
import type { SourceOffset } from "#connect/api/record";
import type { SchemaHistory } from "../cdc/schema-history/history.ts";
import { SnapshotProgress } from "../cdc/snapshot-progress.ts";
import type { Server } from "./catalog.ts";
import { type BinlogPosition, readOffset } from "./position.ts";
import type { SchemaTracker } from "./schema-tracker.ts";
import type { OpenSnapshot } from "./snapshot-open.ts";
import { missingLog } from "./start.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface Interruption {
  readonly settings: TaskSettings;
  readonly info: Server;
  readonly opened: OpenSnapshot;
  readonly history: SchemaHistory;
  /** Left with the tables as they were when the snapshot began. */
  readonly schema: SchemaTracker;
  readonly warn: (message: string) => void;
}
export interface Begun extends BinlogPosition {
  readonly tsSec: number;
  readonly progress: SnapshotProgress;
}
/** Null: there is none, or nothing of it is of use. */
export async function begunSnapshot(stored: SourceOffset | null, i: Interruption): Promise<Begun | null> {
  const at = readOffset(stored);
  if (stored === null || at === null || at.complete) return null;
  const missing = await missingLog(i.opened.sql, i.info, at, i.settings.gtidSource);
  const reason = missing ?? ((await i.history.exists()) ? null : `${i.history.description} holds no records`);
  if (reason !== null) {
    i.warn(`an interrupted snapshot cannot go on, it begins anew; rows that were deleted since it began stay in the topics: ${reason}`);
    return null;
  }
  await i.schema.recover(stored);
  const unknown = i.opened.tables.find((t) => i.schema.table(t.database, t.table) === undefined);
  // With the other setting the history has all tables, and one that it does not have came into being since.
  if (unknown !== undefined && i.settings.all.bool("schema.history.internal.store.only.captured.tables.ddl")) {
    i.warn(`an interrupted snapshot begins anew: ${unknown.database}.${unknown.table} was not captured when it began`);
    return null;
  }
  const tsSec = stored["ts_sec"];
  return {
    ...at,
    tsSec: typeof tsSec === "number" || typeof tsSec === "bigint" ? Number(tsSec) : 0,
    progress: SnapshotProgress.of(stored),
  };
}
