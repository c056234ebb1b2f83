/** Puts incremental snapshots together: with watermarks in the signal table, or without writing (`read.only=true`). */
import type { Client } from "pg";
import type { SourceOffset } from "#connect/api/record";
import type { EventWriter } from "../cdc/event-writer.ts";
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
  readonly snapshot: IncrementalSnapshot<TablePlan>;
  /** Null: the signal table has the watermarks. */
  readonly marks: ReadOnlyWatermarks | null;
}
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

/** Null: neither a signal table to write to nor `read.only`. */
export function incrementalRun(s: TaskSettings, parts: IncrementalParts): IncrementalRun | null {
  const readOnly = s.all.bool("read.only");
  const table = signalChannels(s.all).includes("source") ? s.all.optional("signal.data.collection") || null : null;
  if (!readOnly && table === null) return null;
  const deletes = s.all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete";
  const { plans, sql, events } = parts;
  const marks = readOnly
    ? new ReadOnlyWatermarks((closeId) => {
        events.tick();
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
    emit: (plan, { key, row, bytes }) =>
      events.upsert(
        plan,
        "r",
        key,
        null,
        row,
        parts.source.incremental(plan.schema, plan.table, events.nowMicros),
        null,
        parts.offset(),
        bytes,
      ),
    warn: parts.warn,
  });
  return { snapshot, marks };
}
