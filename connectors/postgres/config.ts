/** The declaration of the settings, their checks, and what the connector makes of them. */
import type { ConfigDef, ConfigKey, ConfigValue, RawConfig } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";
import { anyOf, splitExpressions } from "../cdc/expressions.ts";
import { messageKeys } from "../cdc/message-keys.ts";
import { Settings } from "../cdc/settings.ts";
import { CHANNEL_SETTINGS, SIGNAL_CHANNELS, signalChannels } from "../cdc/signal-channels.ts";
import type { TypeModes } from "./column-type.ts";
import { DECLARED, type DeclaredKey } from "./config-keys.ts";

const invalid = (name: string, problem: string): string => `The '${name}' value is invalid: ${problem}`;
const REQUIRED = new Set(["topic.prefix", "database.hostname", "database.user", "database.dbname"]);
const REGEX_LISTS =
  /^(schema|table|column|message\.prefix)\.(include|exclude)\.list$|^snapshot\.include\.collection\.list$|\.propagate\.source\.type$/;
/** Of each pair only one may be given. */
const EXCLUSIVE: Readonly<Record<string, string>> = {
  "table.exclude.list": "table.include.list",
  "schema.exclude.list": "schema.include.list",
  "column.exclude.list": "column.include.list",
  "message.prefix.exclude.list": "message.prefix.include.list",
};
const POSITIVE = new Set([
  "max.batch.size",
  "max.queue.size",
  "poll.interval.ms",
  "snapshot.max.threads",
  "incremental.snapshot.chunk.size",
  "status.update.interval.ms",
]);

const given = (value: ConfigValue): string | null =>
  value === null || value === "" ? null : Array.isArray(value) ? value.join(",") : String(value);

function problems(key: DeclaredKey, value: ConfigValue, config: RawConfig): readonly string[] {
  const text = given(value);
  const name = key.name;
  if (text === null) return REQUIRED.has(name) ? [invalid(name, "A value is required")] : [];
  if (key.choices !== undefined && !key.choices.includes(text.toLowerCase().replace(/^verify_/, "verify-")))
    return [invalid(name, `Value must be one of ${key.choices.join(", ")}`)];
  if (name === "slot.name" && !/^[a-z0-9_]{1,63}$/.test(text))
    return [invalid(name, "Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63")];
  if (name === "topic.prefix" && !/^[a-zA-Z0-9._-]+$/.test(text))
    return [invalid(name, `${text} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)`)];
  if (key.type === "INT" && !/^[+-]?\d+$/.test(text)) {
    const problem = invalid(name, "An integer is expected");
    // The reference says it twice for the port.
    return name === "database.port" ? [problem, problem] : [problem];
  }
  const other = EXCLUSIVE[name];
  if (other !== undefined && given(config[other] ?? null) !== null) return [invalid(name, `"${other}" is already specified`)];
  if (POSITIVE.has(name) && Number(text) <= 0) return [invalid(name, "A positive, non-zero integer value is expected")];
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
export const CONFIG: ConfigDef = DECLARED.map(toConfigKey);

/** Settings that the reference knows but its ConfigDef does not list. */
const UNLISTED: readonly (readonly [name: string, value: string | null])[] = [
  ["field.name.adjustment.mode", "none"],
  ["money.fraction.digits", "2"],
  ["topic.delimiter", "."],
  ["topic.transaction", "transaction"],
  ["topic.heartbeat.prefix", null],
  ["read.only", "false"],
  ["millrace.snapshot.chunk.rows", "100000"],
  ["millrace.streaming", "false"],
  ["millrace.slot.progress.interval.ms", "30000"],
  ["millrace.slot.guard", "warn"],
  ["millrace.slot.guard.max.bytes", "0"],
  ["millrace.slot.guard.interval.ms", "30000"],
  ["offset.mismatch.strategy", "trust_offset"],
  ["millrace.streaming.spill.dir", ""],
  ["millrace.streaming.spill.max.bytes", "10737418240"],
  ...CHANNEL_SETTINGS,
];
const unlisted = ([name, value]: readonly [string, string | null]): ConfigKey => ({
  name,
  type: "STRING",
  default: value,
  importance: "LOW",
  doc: "",
  internal: true,
});

/** Values that need something we do not have; anything but these defaults is refused instead of being ignored. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  "plugin.name": ["pgoutput"],
  "snapshot.mode": ["initial", "always", "initial_only", "no_data", "when_needed", "configuration_based"],
  "snapshot.query.mode": ["select_all"],
  "snapshot.locking.mode": ["none", "shared"],
  "database.sslfactory": [],
  converters: [],
  "post.processors": [],
  "openlineage.integration.enabled": ["false"],
  "include.schema.comments": ["false"],
  "internal.snapshot.scan.all.columns.force": ["false"],
  "sourceinfo.struct.maker": ["io.debezium.connector.postgresql.PostgresSourceInfoStructMaker"],
  "transaction.metadata.factory": ["io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory"],
  "topic.naming.strategy": ["io.debezium.schema.SchemaTopicNamingStrategy", "io.debezium.schema.DefaultTopicNamingStrategy"],
  "event.processing.failure.handling.mode": ["fail"],
  "offset.mismatch.strategy": ["trust_offset", "trust_slot", "no_validation"],
  "millrace.slot.guard": ["off", "warn", "drop"],
};

/** Throws ConfigError, naming the setting, for what is not supported. */
export function refuseUnsupported(config: Readonly<Record<string, string | null>>): void {
  for (const [name, allowed] of Object.entries(UNSUPPORTED)) {
    const value = config[name];
    if (value === undefined || value === null || value.trim() === "" || allowed.includes(value.trim())) continue;
    throw unsupported(name, value, allowed);
  }
  const channels = (config["signal.enabled.channels"] ?? "").split(",").map((c) => c.trim().toLowerCase());
  const other = channels.find((c) => c !== "" && !SIGNAL_CHANNELS.includes(c));
  if (other !== undefined) throw unsupported("signal.enabled.channels", other, SIGNAL_CHANNELS);
}
function unsupported(name: string, value: string, allowed: readonly string[]): ConfigError {
  const instead = allowed.length === 0 ? "remove the setting" : `use ${allowed.join(", ")}`;
  return new ConfigError(`The '${name}' value is invalid: '${value}' is not supported by this connector yet; ${instead}`);
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
  return new Settings(current, [...CONFIG, ...UNLISTED.map(unlisted)]);
}

function placeholderOf(text: string): Buffer {
  return text.startsWith("hex:") ? Buffer.from(text.slice(4), "hex") : Buffer.from(text, "utf8");
}
export function typeModes(s: Settings): Omit<TypeModes, "snapshot"> {
  return {
    decimal: s.choice("decimal.handling.mode") as TypeModes["decimal"],
    time: s.choice("time.precision.mode") as TypeModes["time"],
    binary: s.choice("binary.handling.mode") as TypeModes["binary"],
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
/** `snapshot.select.statement.overrides` and the statements beside it. */
export function selectOverrides(s: Settings): ReadonlyMap<string, string> {
  const overrides = new Map<string, string>();
  for (const table of s.list("snapshot.select.statement.overrides")) {
    const statement = s.optional(`snapshot.select.statement.overrides.${table}`);
    if (statement === null)
      throw new ConfigError(
        `The 'snapshot.select.statement.overrides' value is invalid: snapshot.select.statement.overrides.${table} is missing`,
      );
    overrides.set(table, statement);
  }
  return overrides;
}

/** `guardrail.collections.max`: too many captured tables are a mistake that is better found at the start. */
export function checkGuardrail(s: Settings, captured: readonly unknown[], warn: (message: string) => void): void {
  const limit = s.int("guardrail.collections.max");
  if (limit === 0 || captured.length <= limit) return;
  const message = `${captured.length} tables are captured, more than guardrail.collections.max=${limit} allows; narrow table.include.list or raise the limit`;
  if (s.choice("guardrail.collections.limit.action") === "fail") throw new ConfigError(message);
  warn(message);
}

/** Settings that are taken but change nothing here, with the reason: said once at the start instead of being passed over. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "snapshot.fetch.size": "the snapshot is read by COPY, as fast as it is taken",
  "lsn.flush.timeout.ms": "positions are sent without waiting",
  "custom.metric.tags": "metrics carry no additional labels yet",
  "lsn.flush.timeout.action": "positions are sent without waiting",
  "query.fetch.size": "results of the connector's queries are small, tables are read by COPY",
  "schema.refresh.mode": "the stream itself says when a table's columns have changed",
  "signal.poll.interval.ms": "only the channel file is looked at from time to time",
  "signal.kafka.poll.timeout.ms": "the signal topic is read all the time",
  "errors.max.retries": "what may pass is tried again without limit",
  "retriable.restart.connector.wait.ms": "the worker's back-off decides",
  "executor.shutdown.timeout.ms": "the worker's task.shutdown.graceful.timeout.ms decides",
  "custom.sanitize.pattern": "the connector does not log its settings",
  "snapshot.mode.configuration.based.snapshot.schema": "there is no schema history",
  "snapshot.mode.configuration.based.snapshot.on.schema.error": "there is no schema history",
  "internal.log.position.check.enable": "the position is always checked",
  "internal.advanced.metrics.enable": "there are no such metrics",
};
export function settingsWithoutEffect(s: Settings): readonly string[] {
  const hasEffect = (name: string): boolean => name === "signal.poll.interval.ms" && signalChannels(s).includes("file");
  return Object.entries(WITHOUT_EFFECT).flatMap(([name, reason]) =>
    s.isGiven(name) && !hasEffect(name) ? [`${name} has no effect: ${reason}`] : [],
  );
}
