/** Everything a task takes from its settings, read once. */
import { tmpdir } from "node:os";
import type { TaskConfig } from "#connect/api/connector";
import type { Header } from "#connect/api/record";
import { columnMasks } from "../cdc/column-mask.ts";
import { contextHeaders, uuidV7 } from "../cdc/context-headers.ts";
import { filtersOf } from "../cdc/filters.ts";
import { anyOf } from "../cdc/expressions.ts";
import { messageKeys } from "../cdc/message-keys.ts";
import { nameAdjuster } from "../cdc/name-adjustment.ts";
import type { QueueLimits } from "../cdc/record-queue.ts";
import type { Settings } from "../cdc/settings.ts";
import { type TopicNaming, topicNaming } from "../cdc/topic-naming.ts";
import { refuseUnsupported, settingsOf, settingsWithoutEffect, typeModes } from "./config.ts";
import { type Server, serverOf } from "./connection.ts";
import type { PlanSettings } from "./plans.ts";

export type SnapshotMode = "initial" | "always" | "initial_only" | "no_data" | "when_needed" | "configuration_based";

export interface TaskSettings {
  readonly all: Settings;
  readonly server: Server;
  readonly naming: TopicNaming;
  readonly plans: PlanSettings;
  readonly headers: readonly Header[];
  readonly queue: QueueLimits;
  readonly snapshotMode: SnapshotMode;
  readonly skipped: ReadonlySet<string>;
  readonly wantsMessage: (prefix: string) => boolean;
  /** False: something else moves the slot. */
  readonly flushes: boolean;
  /** For transactions that are sent while they are in progress. */
  readonly spillFolder: string;
}

const BUILTIN_SCHEMAS = ["pg_catalog", "information_schema", "pg_toast"];
/** Bound of the queue where `max.queue.size.in.bytes` sets none: a burst must not grow the process. */
const DEFAULT_QUEUE_BYTES = 32 * 1024 * 1024;

function skippedOperations(s: Settings): ReadonlySet<string> {
  const listed = s.list("skipped.operations").map((o) => o.toLowerCase());
  return new Set(listed.includes("none") ? [] : listed);
}
function messageFilter(s: Settings): (prefix: string) => boolean {
  const included = anyOf(s.optional("message.prefix.include.list"), "message.prefix.include.list");
  const excluded = anyOf(s.optional("message.prefix.exclude.list"), "message.prefix.exclude.list");
  return (prefix) => (included !== null ? included(prefix) : excluded?.(prefix) !== true);
}

export function taskSettings(config: TaskConfig, taskId: number, nowMs: number, warn: (message: string) => void): TaskSettings {
  refuseUnsupported(config);
  const s = settingsOf(config, warn);
  for (const notice of settingsWithoutEffect(s)) warn(notice);
  const naming = topicNaming(s);
  const byColumn = anyOf(s.optional("column.propagate.source.type"), "column.propagate.source.type");
  const byType = anyOf(s.optional("datatype.propagate.source.type"), "datatype.propagate.source.type");
  const queueBytes = s.int("max.queue.size.in.bytes");
  return {
    all: s,
    server: serverOf(s),
    naming,
    plans: {
      filters: filtersOf(s, s.bool("table.ignore.builtin") ? BUILTIN_SCHEMAS : []),
      naming,
      keys: messageKeys(s.optional("message.key.columns")),
      modes: typeModes(s),
      adjustSchema: nameAdjuster(s.choice("schema.name.adjustment.mode"), false),
      adjustField: nameAdjuster(s.choice("field.name.adjustment.mode"), true),
      mask: columnMasks(s),
      propagate: (column, type) => byColumn?.(column) === true || byType?.(type) === true,
    },
    headers: s.bool("extended.headers.enabled") ? contextHeaders(naming.prefix, taskId, "postgresql", uuidV7(nowMs)) : [],
    queue: {
      maxBatchRecords: s.int("max.batch.size"),
      maxRecords: s.int("max.queue.size"),
      maxBytes: queueBytes > 0 ? queueBytes : DEFAULT_QUEUE_BYTES,
    },
    snapshotMode: s.choice("snapshot.mode") as SnapshotMode,
    skipped: skippedOperations(s),
    wantsMessage: messageFilter(s),
    flushes: s.bool("flush.lsn.source") && (s.optional("lsn.flush.mode") ?? "connector") !== "manual",
    spillFolder: s.optional("millrace.streaming.spill.dir") || tmpdir(),
  };
}
