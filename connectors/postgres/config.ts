/** The declaration of the settings, their checks, and what the connector makes of them. */
import type { ConfigDef, RawConfig } from "#connect/api/config";
import { type ConfigRules, configOf, refuseValues, unlistedKeys, type UnlistedSetting, withoutEffect } from "../cdc/declared-config.ts";
import { anyOf, splitExpressions } from "../cdc/expressions.ts";
import { handlingModes } from "../cdc/handling-modes.ts";
import { Settings } from "../cdc/settings.ts";
import type { TypeModes } from "./column-type.ts";
import { POSTGRES_KEYS } from "./config-keys.ts";

const IDENTITY_RULE = String.raw`(?i)^\s*(?<tablepredicate>[^\s:]+):(?<replicaidentity>DEFAULT|(INDEX) (?<indexname>.\w*)|FULL|NOTHING)\s*$`;
const RULES: ConfigRules = {
  exclusive: {
    "table.exclude.list": "table.include.list",
    "schema.exclude.list": "schema.include.list",
    "column.exclude.list": "column.include.list",
  },
  own: {
    "message.prefix.exclude.list": (value, _key, config) =>
      value !== null && (config["message.prefix.include.list"] ?? null) !== null
        ? ['"logical_decoding_message.prefix.include.list" is already specified']
        : [],
    "slot.name": (value) =>
      value === null || /^[a-z0-9_]{1,63}$/.test(value)
        ? []
        : ["Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63"],
    "replica.identity.autoset.values": (value) => [
      ...(value === "" ? ["Must not be empty"] : []),
      ...(value === null ? [] : value.split(","))
        .filter((rule) => !/^\s*[^\s:]+:(DEFAULT|INDEX .\w*|FULL|NOTHING)\s*$/i.test(rule))
        .map((rule) => `${rule} has an invalid format (expecting '${IDENTITY_RULE}')`),
    ],
  },
};
export const CONFIG: ConfigDef = configOf(POSTGRES_KEYS, RULES);

/** Settings that the reference knows but its ConfigDef does not list. */
const UNLISTED: readonly UnlistedSetting[] = [
  ["money.fraction.digits", "2"],
  ["read.only", "false"],
  ["millrace.streaming", "false"],
  ["millrace.ddl.events", "false"],
  ["millrace.slot.progress.interval.ms", "30000"],
  ["millrace.slot.guard", "warn"],
  ["millrace.slot.guard.max.bytes", "0"],
  ["millrace.slot.guard.interval.ms", "30000"],
  ["offset.mismatch.strategy", "trust_offset"],
  ["millrace.streaming.spill.dir", ""],
  ["millrace.streaming.spill.max.bytes", "10737418240"],
];

/** Throws ConfigError, naming the setting, for what is not supported. */
export function refuseUnsupported(config: RawConfig): void {
  refuseValues(
    config,
    {
      "plugin.name": ["pgoutput"],
      "snapshot.mode": ["initial", "always", "initial_only", "no_data", "when_needed", "configuration_based"],
      "snapshot.locking.mode": ["none", "shared"],
      "database.sslfactory": [],
      converters: [],
      "sourceinfo.struct.maker": ["io.debezium.connector.postgresql.PostgresSourceInfoStructMaker"],
      "event.processing.failure.handling.mode": ["fail"],
      "offset.mismatch.strategy": ["trust_offset", "trust_slot", "no_validation"],
      "millrace.slot.guard": ["off", "warn", "drop"],
    },
    {},
  );
}

/** Names of before 2.0, with what they are called now. */
const RENAMED: Readonly<Record<string, string>> = {
  "database.server.name": "topic.prefix",
  "table.whitelist": "table.include.list",
  "table.blacklist": "table.exclude.list",
  "schema.whitelist": "schema.include.list",
  "schema.blacklist": "schema.exclude.list",
  "column.whitelist": "column.include.list",
  "column.blacklist": "column.exclude.list",
};
export function settingsOf(config: Readonly<Record<string, string | null>>, warn: (message: string) => void = () => {}): Settings {
  const current: Record<string, string | null> = { ...config };
  for (const [old, name] of Object.entries(RENAMED)) {
    const value = config[old];
    if (value === undefined || value === null || config[name] !== undefined) continue;
    current[name] = value;
    warn(`the setting '${old}' is now called '${name}'`);
  }
  return new Settings(current, [...CONFIG, ...unlistedKeys(UNLISTED)]);
}

function placeholderOf(text: string): Buffer {
  return text.startsWith("hex:") ? Buffer.from(text.slice(4), "hex") : Buffer.from(text, "utf8");
}
export function typeModes(s: Settings): Omit<TypeModes, "snapshot"> {
  return {
    ...handlingModes(s),
    hstore: s.choice("hstore.handling.mode") as TypeModes["hstore"],
    interval: s.choice("interval.handling.mode") as TypeModes["interval"],
    moneyFractionDigits: s.int("money.fraction.digits"),
    includeUnknown: s.bool("include.unknown.datatypes"),
    placeholder: placeholderOf(s.string("unavailable.value.placeholder")),
  };
}

/** `replica.identity.autoset.values`. */
export function identityRules(s: Settings): readonly { readonly matches: (id: string) => boolean; readonly identity: string }[] {
  return splitExpressions(s.optional("replica.identity.autoset.values") ?? "").map((rule) => {
    const at = rule.lastIndexOf(":");
    return { matches: anyOf(rule.slice(0, at), "replica.identity.autoset.values") ?? (() => false), identity: rule.slice(at + 1) };
  });
}
/** Settings that are taken but change nothing here, with the reason. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "snapshot.fetch.size": "the snapshot is read by COPY, as fast as it is taken",
  "lsn.flush.timeout.ms": "positions are sent without waiting",
  "lsn.flush.timeout.action": "positions are sent without waiting",
  "query.fetch.size": "results of the connector's queries are small, tables are read by COPY",
  "schema.refresh.mode": "the stream itself says when a table's columns have changed",
  "snapshot.tables.order.by.row.count":
    "the reference knows no row counts of this database either; tables are read in the order of table.include.list",
  "snapshot.mode.configuration.based.snapshot.schema": "there is no schema history",
  "snapshot.mode.configuration.based.snapshot.on.schema.error": "there is no schema history",
  "internal.log.position.check.enable": "the position is always checked",
};
export const settingsWithoutEffect = (s: Settings): readonly string[] => withoutEffect(s, WITHOUT_EFFECT);
