/** Everything a task takes from its settings, read once. */
import type { TaskConfig } from "#connect/api/connector";
import type { Header } from "#connect/api/record";
import { columnMasks } from "../cdc/column-mask.ts";
import { contextHeaders, uuidV7 } from "../cdc/context-headers.ts";
import { anyOf } from "../cdc/expressions.ts";
import { type Filters, filtersOf } from "../cdc/filters.ts";
import { messageKeys } from "../cdc/message-keys.ts";
import { nameAdjuster } from "../cdc/name-adjustment.ts";
import type { QueueLimits } from "../cdc/record-queue.ts";
import type { Settings } from "../cdc/settings.ts";
import { type TopicNaming, topicNaming } from "../cdc/topic-naming.ts";
import type { TypeModes } from "./column-type.ts";
import { refuseUnsupported, settingsOf, settingsWithoutEffect, typeModes } from "./config.ts";
import { convertersOf } from "./converters.ts";
import type { Flavor } from "./ddl/ddl.ts";
import type { PlanSettings } from "./plans.ts";
import { SOURCE_SCHEMAS } from "./source-info.ts";

/** What happens when an event cannot be used. */
export type FailureMode = "fail" | "warn" | "skip" | "ignore";

export interface TaskSettings {
  readonly flavor: Flavor;
  readonly all: Settings;
  readonly naming: TopicNaming;
  readonly filters: Filters;
  readonly headers: readonly Header[];
  readonly queue: QueueLimits;
  readonly snapshotMode: string;
  readonly skipped: ReadonlySet<string>;
  readonly includeQuery: boolean;
  readonly includeSchemaChanges: boolean;
  readonly onInconsistentSchema: FailureMode;
  readonly onDeserializationFailure: FailureMode;
  readonly onProcessingFailure: FailureMode;
  /** Keeps the DDL of a table in the history and in the schema change topic. */
  readonly keepsDdl: (database: string, table: string | null) => boolean;
  /** Whether a GTID source (server UUID, domain id) is read. */
  readonly gtidSource: ((source: string) => boolean) | null;
  planSettings(charsetTables: TypeModes["charsetTables"]): PlanSettings;
}

const BUILTIN_DATABASES = ["mysql", "performance_schema", "sys", "information_schema"];
/** Bound of the queue where `max.queue.size.in.bytes` sets none: a burst must not grow the process. */
const DEFAULT_QUEUE_BYTES = 32 * 1024 * 1024;

function skippedOperations(s: Settings): ReadonlySet<string> {
  const listed = s.list("skipped.operations").map((o) => o.toLowerCase());
  return new Set(listed.includes("none") ? [] : listed);
}
function gtidSources(s: Settings): ((source: string) => boolean) | null {
  const included = anyOf(s.optional("gtid.source.includes"), "gtid.source.includes");
  const excluded = anyOf(s.optional("gtid.source.excludes"), "gtid.source.excludes");
  if (included === null && excluded === null) return null;
  return (source) => (included !== null ? included(source) : excluded?.(source) !== true);
}
/** Which DDL goes into history: all, that of captured databases, or that of captured tables. */
function ddlFilter(s: Settings, filters: Filters): (database: string, table: string | null) => boolean {
  const onlyTables = s.bool("schema.history.internal.store.only.captured.tables.ddl");
  const onlyDatabases = s.bool("schema.history.internal.store.only.captured.databases.ddl");
  const databaseIn = anyOf(s.optional("database.include.list"), "database.include.list");
  const databaseOut = anyOf(s.optional("database.exclude.list"), "database.exclude.list");
  const database = (name: string): boolean => (databaseIn !== null ? databaseIn(name) : databaseOut?.(name) !== true);
  return (db, table) => {
    if (db === "") return true;
    if (onlyTables && table !== null) return filters.table(db, table);
    return !(onlyDatabases || onlyTables) || database(db);
  };
}

export function taskSettings(
  flavor: Flavor,
  config: TaskConfig,
  taskId: number,
  nowMs: number,
  warn: (message: string) => void,
): TaskSettings {
  refuseUnsupported(config);
  const s = settingsOf(flavor, config, warn);
  for (const notice of settingsWithoutEffect(s)) warn(notice);
  const naming = topicNaming(s);
  const byColumn = anyOf(s.optional("column.propagate.source.type"), "column.propagate.source.type");
  const byType = anyOf(s.optional("datatype.propagate.source.type"), "datatype.propagate.source.type");
  const queueBytes = s.int("max.queue.size.in.bytes");
  const filters = filtersOf(s, s.bool("table.ignore.builtin") ? BUILTIN_DATABASES : [], "database");
  const failureMode = (name: string): FailureMode => s.choice(name) as FailureMode;
  return {
    flavor,
    all: s,
    naming,
    filters,
    headers: s.bool("extended.headers.enabled") ? contextHeaders(naming.prefix, taskId, flavor, uuidV7(nowMs)) : [],
    queue: {
      maxBatchRecords: s.int("max.batch.size"),
      maxRecords: s.int("max.queue.size"),
      maxBytes: queueBytes > 0 ? queueBytes : DEFAULT_QUEUE_BYTES,
    },
    snapshotMode: s.choice("snapshot.mode"),
    skipped: skippedOperations(s),
    includeQuery: s.bool("include.query"),
    includeSchemaChanges: s.bool("include.schema.changes"),
    onInconsistentSchema: failureMode("inconsistent.schema.handling.mode"),
    onDeserializationFailure: failureMode("event.deserialization.failure.handling.mode"),
    onProcessingFailure: failureMode("event.processing.failure.handling.mode"),
    keepsDdl: ddlFilter(s, filters),
    gtidSource: gtidSources(s),
    planSettings(charsetTables) {
      const modes: TypeModes = { ...typeModes(s), charsetTables };
      return {
        filters,
        naming,
        keys: messageKeys(s.optional("message.key.columns")),
        modes,
        adjustSchema: nameAdjuster(s.choice("schema.name.adjustment.mode"), false),
        adjustField: nameAdjuster(s.choice("field.name.adjustment.mode"), true),
        mask: columnMasks(s),
        propagate: (column, type) => byColumn?.(column) === true || byType?.(type) === true,
        converters: convertersOf(s, modes),
        // The reference's MariaDB connector always has them.
        comments: flavor === "mariadb" || s.bool("include.schema.comments"),
        source: SOURCE_SCHEMAS[flavor],
      };
    },
  };
}
