/** Puts incremental snapshots together: with watermarks in the signal table, or without writing (`read.only=true`). */
import type { Client } from "pg";
import type { SourceOffset } from "#connect/api/record";
import type { EventWriter } from "../cdc/event-writer.ts";
import { inHashMapOrder } from "../cdc/java-hash.ts";
import { IncrementalSnapshot } from "../cdc/incremental-snapshot/snapshot.ts";
import type { Notifier } from "../cdc/notifications.ts";
import { signalChannels } from "../cdc/signal-channels.ts";
import type { TablePlan } from "../cdc/table-plan.ts";
import { PostgresChunks } from "./incremental.ts";
import type { TablePlans } from "./plans.ts";
import { ReadOnlyWatermarks } from "./read-only-watermarks.ts";
import { openSession } from "./replication.ts";
import type { SourceInfo } from "./source-info.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface IncrementalRun {
  /** Signals may ask for it: there is a signal table to write to, or `read.only` is set. Backfills by REST may in any case. */
  readonly bySignal: boolean;
  readonly snapshot: IncrementalSnapshot<TablePlan>;
  /** Null: the signal table has the watermarks. */
  readonly marks: ReadOnlyWatermarks | null;
  /** Rows of it are being read, or are not durable yet: the stored offset must not move on by itself. */
  readonly busy: boolean;
  /** A durable offset. */
  settled(offset: SourceOffset): void;
}
/** Where streaming stands, and how far the snapshot had come before this chunk. */
function chunkOffsetOf(streamed: SourceOffset, incremental: SourceOffset): SourceOffset {
  const entries = Object.entries(streamed).filter(([key]) => !key.startsWith("incremental_snapshot_"));
  return Object.fromEntries(inHashMapOrder([...entries, ...Object.entries(incremental)]));
}
const lsnOf = (offset: SourceOffset): number => Number(offset["lsn"] ?? 0);
export interface IncrementalParts {
  readonly plans: TablePlans;
  readonly sql: () => Promise<Client>;
  readonly notifier: Notifier;
  readonly events: EventWriter;
  readonly source: SourceInfo;
  /** What rows of a chunk carry. */
  readonly offset: () => SourceOffset;
  readonly askPosition: () => void;
  readonly warn: (message: string) => void;
}

export function incrementalRun(s: TaskSettings, parts: IncrementalParts): IncrementalRun {
  const table = signalChannels(s.all).includes("source") ? s.all.optional("signal.data.collection") || null : null;
  const readOnly = s.all.bool("read.only") || table === null;
  const deletes = s.all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete";
  const { plans, sql, events } = parts;
  // Watermarks in a table are changes of the stream, so that its offset has the snapshot's state of then; here nothing is streamed.
  let chunkOffset: SourceOffset | null = null;
  let unsettled: SourceOffset | null = null;
  const marks = readOnly
    ? new ReadOnlyWatermarks((closeId) => {
        events.tick();
        chunkOffset = chunkOffsetOf(parts.offset(), snapshot.offset());
        snapshot.closed(closeId);
        events.flush();
      })
    : null;
  const windows = marks === null ? null : { marks, opened: (id: string) => snapshot.opened(id), askPosition: parts.askPosition };
  const snapshot = new IncrementalSnapshot<TablePlan>({
    signalTable: table,
    chunkSize: s.all.int("incremental.snapshot.chunk.size"),
    deletes: deletes && !readOnly,
    database: new PostgresChunks({
      watermarks: windows ?? table ?? "",
      deletes,
      plans,
      sql,
      openSession: () => openSession(s.server, false, () => {}),
    }),
    notifier: parts.notifier,
    emit(plan, { key, row, bytes }) {
      unsettled = chunkOffset;
      const source = parts.source.incremental(plan.schema, plan.table, events.nowMicros);
      events.upsert(plan, "r", key, null, row, source, null, chunkOffset ?? parts.offset(), bytes);
    },
    warn: parts.warn,
  });
  return {
    bySignal: table !== null || s.all.bool("read.only"),
    snapshot,
    marks,
    get busy() {
      return snapshot.active || unsettled !== null;
    },
    settled(offset) {
      if (unsettled === null) return;
      if (lsnOf(offset) > lsnOf(unsettled) || JSON.stringify(offset) === JSON.stringify(unsettled)) unsettled = null;
    },
  };
}
