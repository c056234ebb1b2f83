/** Everything a task takes from its settings, read once. */
import type { TaskConfig } from "#connect/api/connector";
import type { Header } from "#connect/api/record";
import { columnMasks } from "../cdc/column-mask.ts";
import { contextHeaders, uuidV7 } from "../cdc/context-headers.ts";
import { anyOf } from "../cdc/expressions.ts";
import { filtersOf } from "../cdc/filters.ts";
import { messageKeys } from "../cdc/message-keys.ts";
import { nameAdjuster } from "../cdc/name-adjustment.ts";
import type { QueueLimits } from "../cdc/record-queue.ts";
import type { Settings } from "../cdc/settings.ts";
import { type TopicNaming, topicNaming } from "../cdc/topic-naming.ts";
import { idOf, type TableName } from "./catalog.ts";
import { refuseUnsupported, settingsOf, settingsWithoutEffect, typeModes } from "./config.ts";
import type { PlanSettings } from "./plans.ts";

export interface TaskSettings {
  readonly all: Settings;
  readonly naming: TopicNaming;
  readonly databases: readonly string[];
  /** Captured, or the signal table. */
  readonly captures: (table: TableName) => boolean;
  /** Its rows are read by the initial snapshot. */
  readonly snapshots: (table: TableName) => boolean;
  readonly headers: readonly Header[];
  readonly queue: QueueLimits;
  readonly snapshotMode: string;
  /** Operation codes of change tables that are left out. */
  readonly skipped: readonly number[];
  readonly skipsReads: boolean;
  readonly includeSchemaChanges: boolean;
  /** database.schema.table; null: none. */
  readonly signalTable: string | null;
  readonly queryMode: "direct" | "function";
  readonly transactionMetadata: boolean;
  readonly plans: PlanSettings;
}

/** Bound of the queue where `max.queue.size.in.bytes` sets none: a burst must not grow the process. */
const DEFAULT_QUEUE_BYTES = 32 * 1024 * 1024;
const CODES: Readonly<Record<string, readonly number[]>> = { c: [2], u: [3, 4], d: [1] };

export function taskSettings(config: TaskConfig, taskId: number, nowMs: number, warn: (message: string) => void): TaskSettings {
  refuseUnsupported(config);
  const s = settingsOf(config);
  for (const notice of settingsWithoutEffect(s)) warn(notice);
  const naming = topicNaming(s);
  const delimiter = s.optional("topic.delimiter") ?? ".";
  const byColumn = anyOf(s.optional("column.propagate.source.type"), "column.propagate.source.type");
  const byType = anyOf(s.optional("datatype.propagate.source.type"), "datatype.propagate.source.type");
  const queueBytes = s.int("max.queue.size.in.bytes");
  const filters = filtersOf(s, ["cdc", "sys"]);
  const signalTable = s.optional("signal.data.collection");
  const skipped = s.list("skipped.operations").map((o) => o.toLowerCase());
  return {
    all: s,
    naming,
    databases: s.list("database.names"),
    captures: (t) => idOf(t) === signalTable || filters.table(t.schema, t.table),
    snapshots: (t) => idOf(t) === signalTable || filters.snapshot(t.schema, t.table),
    headers: s.bool("extended.headers.enabled") ? contextHeaders(naming.prefix, taskId, "sqlserver", uuidV7(nowMs)) : [],
    queue: {
      maxBatchRecords: s.int("max.batch.size"),
      maxRecords: s.int("max.queue.size"),
      maxBytes: queueBytes > 0 ? queueBytes : DEFAULT_QUEUE_BYTES,
    },
    snapshotMode: s.choice("snapshot.mode"),
    skipped: skipped.flatMap((o) => CODES[o] ?? []),
    skipsReads: skipped.includes("r"),
    includeSchemaChanges: s.bool("include.schema.changes"),
    signalTable: signalTable === "" ? null : signalTable,
    queryMode: s.choice("data.query.mode") === "function" ? "function" : "direct",
    transactionMetadata: s.bool("provide.transaction.metadata"),
    plans: {
      column: (schema, table, column) => filters.column(schema, table, column),
      topic: (t) => naming.data(`${t.database}${delimiter}${t.schema}`, t.table),
      keys: messageKeys(s.optional("message.key.columns")),
      modes: typeModes(s),
      adjustSchema: nameAdjuster(s.choice("schema.name.adjustment.mode"), false),
      adjustField: nameAdjuster(s.choice("field.name.adjustment.mode"), true),
      mask: columnMasks(s),
      propagate: (column, type) => byColumn?.(column) === true || byType?.(type) === true,
      comments: s.bool("include.schema.comments"),
    },
  };
}
