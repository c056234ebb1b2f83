/** The declaration of the settings, their checks, and what the connector makes of them. */
import type { ConfigDef, RawConfig } from "#connect/api/config";
import { type ConfigRules, configOf, refuseValues, unlistedKeys, type UnlistedSetting, withoutEffect } from "../cdc/declared-config.ts";
import { HISTORY_SETTINGS } from "../cdc/schema-history/open.ts";
import { Settings } from "../cdc/settings.ts";
import { SQLSERVER_KEYS } from "./config-keys.ts";
import { driverNotices } from "./server-settings.ts";

const RULES: ConfigRules = {
  exclusive: {
    "table.exclude.list": "table.include.list",
    "column.exclude.list": "column.include.list",
  },
  own: {},
};
export const CONFIG: ConfigDef = configOf(SQLSERVER_KEYS, RULES);

/** Settings that the reference knows but its ConfigDef does not list. */
const UNLISTED: readonly UnlistedSetting[] = [
  ["snapshot.locking.mode", "exclusive"],
  ["query.fetch.size", "10000"],
  ["sqlserver.agent.status.query", null],
  ...HISTORY_SETTINGS,
];

/** Throws ConfigError, naming the setting, for what is not supported. */
export function refuseUnsupported(config: RawConfig): void {
  refuseValues(
    config,
    { converters: [], "sourceinfo.struct.maker": ["io.debezium.connector.sqlserver.SqlServerSourceInfoStructMaker"] },
    { "snapshot.mode": ["custom"], "snapshot.locking.mode": ["custom"] },
  );
}

export const settingsOf = (config: Readonly<Record<string, string | null>>): Settings =>
  new Settings(config, [...CONFIG, ...unlistedKeys(UNLISTED)]);

/** Settings that are taken but change nothing here, with the reason. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "snapshot.fetch.size": "rows are taken from the socket as they come",
  "snapshot.max.threads": "one session reads the tables, so that all rows are of one transaction",
  "schema.history.internal.skip.unparseable.ddl": "no DDL is parsed for this database",
  "incremental.snapshot.allow.schema.changes": "each chunk is read by the definition that is known when it is read",
};
export const settingsWithoutEffect = (s: Settings): readonly string[] => [...withoutEffect(s, WITHOUT_EFFECT), ...driverNotices(s)];
