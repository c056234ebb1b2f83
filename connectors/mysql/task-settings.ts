/** Everything a task takes from its settings, read once. */
import type { TaskConfig } from "#connect/api/connector";
import { anyOf } from "../cdc/expressions.ts";
import { type Filters, filtersOf } from "../cdc/filters.ts";
import type { Settings } from "../cdc/settings.ts";
import { chosenBy, commonPlanSettings, type CommonSettings, commonSettings } from "../cdc/task-settings.ts";
import type { TypeModes } from "./column-type.ts";
import { refuseUnsupported, settingsOf, settingsWithoutEffect, typeModes } from "./config.ts";
import { convertersOf } from "./converters.ts";
import type { Flavor } from "./ddl/ddl.ts";
import type { PlanSettings } from "./plans.ts";
import { SOURCE_SCHEMAS } from "./source-info.ts";

/** What happens when an event cannot be used. */
export type FailureMode = "fail" | "warn" | "skip" | "ignore";

export interface TaskSettings extends CommonSettings {
  readonly flavor: Flavor;
  readonly filters: Filters;
  readonly includeQuery: boolean;
  readonly includeSchemaChanges: boolean;
  readonly onInconsistentSchema: FailureMode;
  readonly onDeserializationFailure: FailureMode;
  readonly onProcessingFailure: FailureMode;
  /** Keeps the DDL of a table in the history and in the schema change topic. */
  readonly keepsDdl: (database: string, table: string | null) => boolean;
  /** `schema.history.internal.store.only.captured.tables.ddl` */
  readonly onlyTables: boolean;
  /** Whether a GTID source (server UUID; MariaDB: domain and server, `0-1`) is read. */
  readonly gtidSource: ((source: string) => boolean) | null;
  planSettings(charsetTables: TypeModes["charsetTables"]): PlanSettings;
}

const BUILTIN_DATABASES = ["mysql", "performance_schema", "sys", "information_schema"];
/** Which DDL goes into history: all, that of captured databases, or that of captured tables. */
function ddlFilter(s: Settings, filters: Filters): (database: string, table: string | null) => boolean {
  const onlyTables = s.bool("schema.history.internal.store.only.captured.tables.ddl");
  const onlyDatabases = s.bool("schema.history.internal.store.only.captured.databases.ddl");
  const database = chosenBy(s, "database.include.list", "database.exclude.list");
  return (db, table) => {
    if (db === "") return true;
    if (onlyTables && table !== null) return filters.table(db, table);
    return !(onlyDatabases || onlyTables) || database?.(db) !== false;
  };
}

/**
 * MariaDB's expressions may be of domain and server, which is what the reference matches, or of the domain, which is what it documents.
 * Asked for a domain alone: whether any of its servers may be read. Only expressions that are numbers rule that out.
 */
function gtidSources(flavor: Flavor, s: Settings): TaskSettings["gtidSource"] {
  const [includes, excludes] = ["gtid.source.includes", "gtid.source.excludes"] as const;
  const isIn = anyOf(s.optional(includes), includes),
    isOut = anyOf(s.optional(excludes), excludes);
  if (isIn === null && isOut === null) return null;
  const namesServers = flavor === "mariadb" && /[^\d,\s]/.test(s.optional(includes) ?? "");
  const names = (source: string): readonly string[] => (flavor === "mariadb" ? [source, source.split("-")[0] ?? ""] : [source]);
  return (source) => {
    if (isIn === null) return !names(source).some((name) => isOut?.(name) === true);
    return names(source).some(isIn) || (namesServers && !source.includes("-"));
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
  for (const notice of settingsWithoutEffect(flavor, s)) warn(notice);
  const common = commonSettings(s, flavor, taskId, nowMs);
  const filters = filtersOf(s, s.bool("table.ignore.builtin") ? BUILTIN_DATABASES : [], "database");
  const failureMode = (name: string): FailureMode => s.choice(name) as FailureMode;
  return {
    ...common,
    flavor,
    filters,
    includeQuery: s.bool("include.query"),
    includeSchemaChanges: s.bool("include.schema.changes"),
    onInconsistentSchema: failureMode("inconsistent.schema.handling.mode"),
    onDeserializationFailure: failureMode("event.deserialization.failure.handling.mode"),
    onProcessingFailure: failureMode("event.processing.failure.handling.mode"),
    keepsDdl: ddlFilter(s, filters),
    onlyTables: s.bool("schema.history.internal.store.only.captured.tables.ddl"),
    gtidSource: gtidSources(flavor, s),
    planSettings(charsetTables) {
      const modes: TypeModes = { ...typeModes(flavor, s), charsetTables };
      return {
        ...commonPlanSettings(s),
        filters,
        naming: common.naming,
        modes,
        converters: convertersOf(s, modes),
        // The reference's MariaDB connector always has them.
        comments: flavor === "mariadb" || s.bool("include.schema.comments"),
        source: SOURCE_SCHEMAS[flavor],
      };
    },
  };
}
