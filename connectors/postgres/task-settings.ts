/** Everything a task takes from its settings, read once. */
import { tmpdir } from "node:os";
import type { TaskConfig } from "#connect/api/connector";
import { filtersOf } from "../cdc/filters.ts";
import { chosenBy, commonPlanSettings, type CommonSettings, commonSettings } from "../cdc/task-settings.ts";
import { refuseUnsupported, settingsOf, settingsWithoutEffect, typeModes } from "./config.ts";
import { messageForm } from "./message-record.ts";
import type { PlanSettings } from "./plans.ts";
import { type PostgresServer, serverOf } from "./server-settings.ts";
import type { StreamSettings } from "./stream-settings.ts";

export interface TaskSettings extends CommonSettings {
  readonly server: PostgresServer;
  readonly plans: PlanSettings;
  readonly stream: Pick<StreamSettings, "skipped" | "skipsUnchanged" | "messageForm" | "wantsMessage">;
  /** False: something else moves the slot. */
  readonly flushes: boolean;
  /** For transactions that are sent while they are in progress. */
  readonly spillFolder: string;
}

const BUILTIN_SCHEMAS = ["pg_catalog", "information_schema", "pg_toast"];
/** Tables that extensions bring, in any schema (PostGIS). */
const BUILTIN_TABLES = ["spatial_ref_sys"];

export function taskSettings(config: TaskConfig, taskId: number, nowMs: number, warn: (message: string) => void): TaskSettings {
  refuseUnsupported(config);
  const s = settingsOf(config, warn);
  for (const notice of settingsWithoutEffect(s)) warn(notice);
  const ignoresBuiltin = s.bool("table.ignore.builtin");
  const modes = typeModes(s);
  const common = commonSettings(s, "postgresql", taskId, nowMs);
  return {
    ...common,
    server: serverOf(s),
    plans: {
      ...commonPlanSettings(s),
      filters: filtersOf(s, ignoresBuiltin ? BUILTIN_SCHEMAS : [], "schema", ignoresBuiltin ? BUILTIN_TABLES : []),
      naming: common.naming,
      modes,
    },
    stream: {
      skipped: common.skipped,
      skipsUnchanged: common.skipsUnchanged,
      messageForm: messageForm(modes.binary),
      wantsMessage: chosenBy(s, "message.prefix.include.list", "message.prefix.exclude.list") ?? (() => true),
    },
    flushes: s.bool("flush.lsn.source") && (s.optional("lsn.flush.mode") ?? "connector") !== "manual",
    spillFolder: s.optional("millrace.streaming.spill.dir") || tmpdir(),
  };
}
