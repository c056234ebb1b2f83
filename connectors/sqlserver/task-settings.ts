/** Everything a task takes from its settings, read once. */
import type { TaskConfig } from "#connect/api/connector";
import { anyOf } from "../cdc/expressions.ts";
import { handlingModes } from "../cdc/handling-modes.ts";
import { filtersOf } from "../cdc/filters.ts";
import { commonPlanSettings, type CommonSettings, commonSettings } from "../cdc/task-settings.ts";
import { idOf, type TableName } from "./catalog.ts";
import { refuseUnsupported, settingsOf, settingsWithoutEffect } from "./config.ts";
import type { PlanSettings } from "./plans.ts";

export interface TaskSettings extends CommonSettings {
  readonly databases: readonly string[];
  /** Captured, or the signal table. */
  readonly captures: (table: TableName) => boolean;
  /** Tables of one database in the order in which a snapshot reads them. */
  readonly inSnapshotOrder: (tables: readonly TableName[]) => readonly TableName[];
  /** Its rows are read by the initial snapshot. */
  readonly snapshots: (table: TableName) => boolean;
  /** Operation codes of change tables that are left out. */
  readonly skippedCodes: readonly number[];
  readonly includeSchemaChanges: boolean;
  /** database.schema.table; null: none. */
  readonly signalTable: string | null;
  readonly queryMode: "direct" | "function";
  readonly transactionMetadata: boolean;
  readonly plans: PlanSettings;
}

const CODES: Readonly<Record<string, readonly number[]>> = { c: [2], u: [3, 4], d: [1] };

export function taskSettings(config: TaskConfig, taskId: number, nowMs: number, warn: (message: string) => void): TaskSettings {
  refuseUnsupported(config);
  const s = settingsOf(config);
  for (const notice of settingsWithoutEffect(s)) warn(notice);
  const common = commonSettings(s, "sqlserver", taskId, nowMs);
  const delimiter = s.optional("topic.delimiter") ?? ".";
  const filters = filtersOf(s, ["cdc", "sys"]);
  const signalTable = s.optional("signal.data.collection");
  const snapshotOf = anyOf(s.optional("snapshot.include.collection.list"), "snapshot.include.collection.list");
  return {
    ...common,
    databases: s.list("database.names"),
    captures: (t) => idOf(t) === signalTable || filters.table(t.schema, t.table),
    inSnapshotOrder: (tables) => filters.inSnapshotOrder(tables, (t) => `${t.schema}.${t.table}`),
    // Unlike the other lists this one is of names with the database.
    snapshots: (t) => filters.table(t.schema, t.table) && (snapshotOf === null || snapshotOf(idOf(t))),
    skippedCodes: [...common.skipped].flatMap((o) => CODES[o] ?? []),
    includeSchemaChanges: s.bool("include.schema.changes"),
    signalTable: signalTable === "" ? null : signalTable,
    queryMode: s.choice("data.query.mode") === "function" ? "function" : "direct",
    transactionMetadata: s.bool("provide.transaction.metadata"),
    plans: {
      ...commonPlanSettings(s),
      column: (schema, table, column) => filters.column(schema, table, column),
      topic: (t) => common.naming.data(`${t.database}${delimiter}${t.schema}`, t.table),
      modes: handlingModes(s),
      comments: s.bool("include.schema.comments"),
    },
  };
}
