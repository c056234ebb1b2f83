/** The declaration of the settings, their checks, and what the connector makes of them. */
import type { ConfigDef, ConfigKey, ConfigValue, RawConfig } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";
import { anyOf } from "../cdc/expressions.ts";
import { messageKeys } from "../cdc/message-keys.ts";
import { HISTORY_SETTINGS } from "../cdc/schema-history/open.ts";
import { Settings } from "../cdc/settings.ts";
import { CHANNEL_SETTINGS, SIGNAL_CHANNELS } from "../cdc/signal-channels.ts";
import type { TypeModes } from "./column-type.ts";
import { type DeclaredKey, SQLSERVER_KEYS } from "./config-keys.ts";

const invalid = (name: string, problem: string): string => `The '${name}' value is invalid: ${problem}`;
const REQUIRED = new Set(["topic.prefix", "database.hostname"]);
const REGEX_LISTS = /^(table|column)\.(include|exclude)\.list$|^snapshot\.include\.collection\.list$|\.propagate\.source\.type$/;
/** Of each pair only one may be given. */
const EXCLUSIVE: Readonly<Record<string, string>> = {
  "table.exclude.list": "table.include.list",
  "column.exclude.list": "column.include.list",
};
const POSITIVE = new Set([
  "max.batch.size",
  "max.queue.size",
  "poll.interval.ms",
  "snapshot.max.threads",
  "incremental.snapshot.chunk.size",
]);
const NOT_NEGATIVE = new Set(["heartbeat.interval.ms", "snapshot.delay.ms", "max.iteration.transactions", "streaming.fetch.size"]);

const given = (value: ConfigValue | undefined): string | null =>
  value === null || value === undefined || value === "" ? null : Array.isArray(value) ? value.join(",") : String(value);

function problems(key: DeclaredKey, value: ConfigValue, config: RawConfig): readonly string[] {
  const text = given(value);
  const name = key.name;
  if (text === null) {
    if (name === "database.names") return [invalid(name, "Cannot be empty")];
    return REQUIRED.has(name) ? [invalid(name, "A value is required")] : [];
  }
  if (key.choices !== undefined && !key.choices.includes(text.toLowerCase()))
    return [invalid(name, `Value must be one of ${key.choices.join(", ")}`)];
  if (name === "topic.prefix" && !/^[a-zA-Z0-9._-]+$/.test(text))
    return [invalid(name, `${text} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)`)];
  if (key.type === "INT" && !/^[+-]?\d+$/.test(text)) return [invalid(name, "An integer is expected")];
  if (key.type === "LONG" && !/^[+-]?\d+$/.test(text)) return [invalid(name, "A long value is expected")];
  const other = EXCLUSIVE[name];
  if (other !== undefined && given(config[other]) !== null) return [invalid(name, `"${other}" is already specified`)];
  if (POSITIVE.has(name) && Number(text) <= 0) return [invalid(name, "A positive, non-zero integer value is expected")];
  if (NOT_NEGATIVE.has(name) && Number(text) < 0) return [invalid(name, "An non-negative integer is expected")];
  if (name === "max.queue.size" && Number(text) <= Number(config["max.batch.size"] ?? 2048))
    return [invalid(name, `Must be larger than the maximum batch size`)];
  return malformed(name, text);
}
function malformed(name: string, text: string): readonly string[] {
  try {
    if (REGEX_LISTS.test(name)) anyOf(text, name);
    if (name === "message.key.columns") messageKeys(text);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return [];
}
const toConfigKey = (key: DeclaredKey): ConfigKey => ({
  name: key.name,
  type: key.type,
  default: key.default,
  importance: key.importance,
  doc: key.doc,
  group: key.group,
  orderInGroup: key.order,
  width: key.width,
  displayName: key.displayName,
  ...(key.dependents && { dependents: key.dependents }),
  ...(key.choices && { recommended: () => key.choices ?? [] }),
  ...(key.visible === false && { visible: () => false }),
  validate: (value, config) => problems(key, value, config),
});
export const CONFIG: ConfigDef = SQLSERVER_KEYS.map(toConfigKey);

/** Settings that the reference knows but its ConfigDef does not list. */
const UNLISTED: readonly (readonly [name: string, value: string | null])[] = [
  ["field.name.adjustment.mode", "none"],
  ["snapshot.locking.mode", "exclusive"],
  ["query.fetch.size", "10000"],
  ["topic.delimiter", "."],
  ["topic.transaction", "transaction"],
  ["topic.heartbeat.prefix", null],
  ["sqlserver.agent.status.query", null],
  ["millrace.snapshot.chunk.rows", "100000"],
  ...CHANNEL_SETTINGS,
  ...HISTORY_SETTINGS,
];
const unlisted = ([name, value]: readonly [string, string | null]): ConfigKey => ({
  name,
  type: "STRING",
  default: value,
  importance: "LOW",
  doc: "",
  internal: true,
});

/** Values that need something we do not have; anything but these is refused instead of being ignored. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  converters: [],
  "post.processors": [],
  "openlineage.integration.enabled": ["false"],
  "internal.snapshot.scan.all.columns.force": ["false"],
  "sourceinfo.struct.maker": ["io.debezium.connector.sqlserver.SqlServerSourceInfoStructMaker"],
  "transaction.metadata.factory": ["io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory"],
  "topic.naming.strategy": ["io.debezium.schema.DefaultTopicNamingStrategy", "io.debezium.schema.SchemaTopicNamingStrategy"],
};
/** Of settings whose other values are served. */
const REFUSED: Readonly<Record<string, readonly string[]>> = { "snapshot.mode": ["custom"], "snapshot.locking.mode": ["custom"] };

/** Throws ConfigError, naming the setting, for what is not supported. */
export function refuseUnsupported(config: Readonly<Record<string, string | null>>): void {
  for (const [name, allowed] of Object.entries(UNSUPPORTED)) {
    const value = config[name];
    if (value === undefined || value === null || value.trim() === "" || allowed.includes(value.trim())) continue;
    throw unsupported(name, value, allowed);
  }
  for (const [name, refused] of Object.entries(REFUSED)) {
    const value = config[name]?.trim().toLowerCase();
    if (value !== undefined && refused.includes(value)) throw unsupported(name, value, []);
  }
  const channels = (config["signal.enabled.channels"] ?? "").split(",").map((c) => c.trim().toLowerCase());
  const other = channels.find((c) => c !== "" && !SIGNAL_CHANNELS.includes(c));
  if (other !== undefined) throw unsupported("signal.enabled.channels", other, SIGNAL_CHANNELS);
}
function unsupported(name: string, value: string, allowed: readonly string[]): ConfigError {
  const instead = allowed.length === 0 ? "use one of its other values, or remove the setting" : `use ${allowed.join(", ")}`;
  return new ConfigError(`The '${name}' value is invalid: '${value}' is not supported by this connector; ${instead}`);
}

export const settingsOf = (config: Readonly<Record<string, string | null>>): Settings =>
  new Settings(config, [...CONFIG, ...UNLISTED.map(unlisted)]);

export const typeModes = (s: Settings): TypeModes => ({
  decimal: s.choice("decimal.handling.mode") as TypeModes["decimal"],
  time: s.choice("time.precision.mode") as TypeModes["time"],
  binary: s.choice("binary.handling.mode") as TypeModes["binary"],
});

/** `snapshot.select.statement.overrides` and the statements beside it, by schema.table or database.schema.table. */
export function selectOverrides(s: Settings): ReadonlyMap<string, string> {
  const overrides = new Map<string, string>();
  for (const table of s.list("snapshot.select.statement.overrides")) {
    const statement = s.optional(`snapshot.select.statement.overrides.${table}`);
    if (statement === null)
      throw new ConfigError(invalid("snapshot.select.statement.overrides", `snapshot.select.statement.overrides.${table} is missing`));
    overrides.set(table, statement);
  }
  return overrides;
}
/** `guardrail.collections.max`: too many captured tables are a mistake that is better found at the start. */
export function checkGuardrail(s: Settings, captured: number, warn: (message: string) => void): void {
  const limit = s.int("guardrail.collections.max");
  if (limit === 0 || captured <= limit) return;
  const message = `${captured} tables are captured, more than guardrail.collections.max=${limit} allows; narrow table.include.list or raise the limit`;
  if (s.choice("guardrail.collections.limit.action") === "fail") throw new ConfigError(message);
  warn(message);
}

/** Settings that are taken but change nothing here, with the reason: said once at the start instead of being passed over. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "snapshot.fetch.size": "rows are taken from the socket as they come",
  "snapshot.max.threads": "one session reads the tables, so that all rows are of one transaction",
  "custom.metric.tags": "metrics carry no additional labels yet",
  "signal.poll.interval.ms": "only the channel file is looked at from time to time",
  "signal.kafka.poll.timeout.ms": "the signal topic is read all the time",
  "schema.history.internal.skip.unparseable.ddl": "no DDL is parsed for this database",
  "connection.validation.timeout.ms": "validation is limited to 8 seconds",
  "executor.shutdown.timeout.ms": "there are no threads to wait for",
  "incremental.snapshot.allow.schema.changes": "each chunk is read by the definition that is known when it is read",
};
export const settingsWithoutEffect = (s: Settings): readonly string[] =>
  Object.entries(WITHOUT_EFFECT)
    .filter(([name]) => s.isGiven(name))
    .map(([name, reason]) => `the setting '${name}' has no effect: ${reason}`);
