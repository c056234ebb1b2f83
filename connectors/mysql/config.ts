/** The declaration of the settings, their checks, and what the connectors make of them. */
import type { ConfigDef, RawConfig } from "#connect/api/config";
import { type ConfigRules, configOf, refuseValues, unlistedKeys, type UnlistedSetting, withoutEffect } from "../cdc/declared-config.ts";
import { HISTORY_SETTINGS } from "../cdc/schema-history/open.ts";
import { CHECKS } from "../cdc/value-checks.ts";
import { handlingModes } from "../cdc/handling-modes.ts";
import { Settings } from "../cdc/settings.ts";
import type { TypeModes } from "./column-type.ts";
import { MARIADB_KEYS, MYSQL_KEYS } from "./config-keys.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { driverNotices, refuseDriverSettings } from "./driver-settings.ts";
import { currentNames, isFormerName } from "./former-names.ts";

const RULES: ConfigRules = {
  exclusive: {
    "table.exclude.list": "table.include.list",
    "database.exclude.list": "database.include.list",
    "column.exclude.list": "column.include.list",
  },
  own: {
    "time.precision.mode": (value, key, config) =>
      value?.toLowerCase() === "adaptive"
        ? ["The 'adaptive' time.precision.mode is no longer supported"]
        : CHECKS.choice(value, key, config),
    "snapshot.locking.mode": (value, key, config) =>
      CHECKS.choice(value, key, config).length > 0 ? ["Must be a valid snapshot.locking.mode value"] : [],
    "gtid.source.excludes": (value, _key, config) =>
      value !== null && (config["gtid.source.includes"] ?? null) !== null
        ? ["Cannot specify GTID excludes when includes are provided."]
        : [],
    // The reference takes what no server can have.
    "database.server.id": (value) => (Number(value) > 4_294_967_295 ? ["Must be between 1 and 4294967295"] : []),
  },
  replaced: (name, config) => currentNames(config).values[name] ?? null,
};
export const CONFIGS: Readonly<Record<Flavor, ConfigDef>> = {
  mysql: configOf(MYSQL_KEYS, RULES),
  mariadb: configOf(MARIADB_KEYS, RULES),
};

/** Settings that the reference knows but its ConfigDef does not list. */
const UNLISTED: readonly UnlistedSetting[] = [
  ["binary.handling.mode", "bytes"],
  ["snapshot.isolation.mode", "repeatable_read"],
  ["read.only", "false"],
  ["driver.connectionTimeZone", null],
  ["database.connectionTimeZone", null],
  ...HISTORY_SETTINGS,
];

/** Throws ConfigError, naming the setting, for what is not supported. */
export function refuseUnsupported(config: RawConfig): void {
  refuseDriverSettings(config);
  refuseValues(
    config,
    {
      "sourceinfo.struct.maker": [
        "io.debezium.connector.mysql.MySqlSourceInfoStructMaker",
        "io.debezium.connector.mariadb.MariaDbSourceInfoStructMaker",
      ],
    },
    { "snapshot.mode": ["custom"], "snapshot.locking.mode": ["custom"] },
  );
}

export function settingsOf(
  flavor: Flavor,
  config: Readonly<Record<string, string | null>>,
  warn: (message: string) => void = () => {},
): Settings {
  const { values, warnings } = currentNames(config);
  for (const warning of warnings) warn(warning);
  return new Settings({ ...config, ...values }, [...CONFIGS[flavor], ...unlistedKeys(UNLISTED)]);
}

/** `connectionTimeZone` of MySQL's driver, by which it reads texts of the server's zone; null: none, so moments are what they are. */
function connectionZone(flavor: Flavor, s: Settings): string | null {
  const zone = s.optional("driver.connectionTimeZone") ?? s.optional("database.connectionTimeZone") ?? "";
  return flavor === "mariadb" || zone === "" || /^(SERVER|LOCAL)$/i.test(zone) ? null : zone;
}
/** The time zone of sessions that read tables; null: the server's. */
export const sessionZone = (flavor: Flavor, s: Settings): string | null => (connectionZone(flavor, s) === null ? "+00:00" : null);

export function typeModes(flavor: Flavor, s: Settings): Omit<TypeModes, "charsetTables"> {
  return {
    ...handlingModes(s),
    bigintUnsigned: s.choice("bigint.unsigned.handling.mode") as TypeModes["bigintUnsigned"],
    adjustYears: s.bool("enable.time.adjuster"),
    zone: connectionZone(flavor, s),
  };
}

/** Settings that are taken but change nothing here, with the reason. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "database.jdbc.driver": "there is no JDBC driver here",
  "database.protocol": "there is no JDBC URL here",
  "database.server.id.offset": "one task reads the log under database.server.id",
  "binlog.buffer.size": "changes are handed on as they come",
  "snapshot.fetch.size": "rows are taken from the socket as they come",
  "min.row.count.to.stream.results": "rows of all tables are streamed",
  "query.fetch.size": "results of the connector's queries are small, tables are streamed",
  "use.nongraceful.disconnect": "connections are always cut at once",
};
export function settingsWithoutEffect(flavor: Flavor, s: Settings): readonly string[] {
  const known = new Set([...CONFIGS[flavor], ...unlistedKeys(UNLISTED)].map((key) => key.name));
  return [...withoutEffect(s, WITHOUT_EFFECT), ...driverNotices(s, (name) => known.has(name) || isFormerName(name))];
}
