/** From declared settings to Kafka's ConfigDef, and the checks that all database connectors make in the reference's words. */
import type { ConfigDef, ConfigKey, ConfigValue, RawConfig } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";
import type { DeclaredKey } from "./declared-keys.ts";
import { anyOf } from "./expressions.ts";
import { messageKeys } from "./message-keys.ts";
import type { Settings } from "./settings.ts";
import { CHANNEL_SETTINGS, SIGNAL_CHANNELS, signalChannels } from "./signal-channels.ts";

/** What one connector asks of its settings, beyond types and choices. */
export interface ConfigRules {
  /** By setting, the problem when it is not given; the others may be missing. */
  readonly required: Readonly<Record<string, string>>;
  /** Whether another setting stands for one that is required. */
  readonly replaced?: (name: string, config: RawConfig) => boolean;
  /** Whether a value that is not among the choices is taken all the same. */
  readonly alsoChosen?: (name: string, value: string, config: RawConfig) => boolean;
  /** Of each pair only one may be given. */
  readonly exclusive: Readonly<Record<string, string>>;
  /** Settings whose values are lists of regular expressions. */
  readonly expressionLists: RegExp;
  /** By setting, the least value and the problem with a smaller one. */
  readonly atLeast: Readonly<Record<string, readonly [least: number, problem: string]>>;
  /** By setting, the problem with a value that the connector alone can judge; null: it is fine. */
  readonly own: Readonly<Record<string, (value: string) => string | null>>;
}
/** A setting with its default that the reference reads but does not list. */
export type UnlistedSetting = readonly [name: string, value: string | null];

export const invalidValue = (name: string, problem: string): string => `The '${name}' value is invalid: ${problem}`;
const given = (value: ConfigValue | undefined): string | null =>
  value === null || value === undefined || value === "" ? null : Array.isArray(value) ? value.join(",") : String(value);

function problems(key: DeclaredKey, value: ConfigValue, config: RawConfig, rules: ConfigRules): readonly string[] {
  const text = given(value);
  const name = key.name;
  if (text === null) {
    const missing = rules.required[name];
    return missing === undefined || rules.replaced?.(name, config) === true ? [] : [invalidValue(name, missing)];
  }
  if (key.choices !== undefined && !key.choices.includes(text.toLowerCase()) && rules.alsoChosen?.(name, text, config) !== true)
    return [invalidValue(name, `Value must be one of ${key.choices.join(", ")}`)];
  if (name === "topic.prefix" && !/^[a-zA-Z0-9._-]+$/.test(text))
    return [invalidValue(name, `${text} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)`)];
  const number = notANumber(key, text);
  if (number.length > 0) return number;
  const other = rules.exclusive[name];
  if (other !== undefined && given(config[other]) !== null) return [invalidValue(name, `"${other}" is already specified`)];
  const bound = rules.atLeast[name];
  if (bound !== undefined && Number(text) < bound[0]) return [invalidValue(name, bound[1])];
  const own = rules.own[name]?.(text) ?? null;
  if (own !== null) return [invalidValue(name, own)];
  if (name === "max.queue.size" && Number(text) <= Number(config["max.batch.size"] ?? 2048))
    return [invalidValue(name, `Must be larger than the maximum batch size`)];
  return malformed(name, text, rules);
}
function notANumber(key: DeclaredKey, text: string): readonly string[] {
  if ((key.type !== "INT" && key.type !== "LONG") || /^[+-]?\d+$/.test(text)) return [];
  const problem = invalidValue(key.name, key.type === "INT" ? "An integer is expected" : "A long value is expected");
  // The reference says it twice for the port.
  return key.name === "database.port" ? [problem, problem] : [problem];
}
function malformed(name: string, text: string, rules: ConfigRules): readonly string[] {
  try {
    if (rules.expressionLists.test(name)) anyOf(text, name);
    if (name === "message.key.columns") messageKeys(text);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return [];
}

/** The ConfigDef of declared keys. */
export const configOf = (keys: readonly DeclaredKey[], rules: ConfigRules): ConfigDef =>
  keys.map((key) => ({
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
    validate: (value, config) => problems(key, value, config, rules),
  }));
const UNLISTED: readonly UnlistedSetting[] = [
  ["field.name.adjustment.mode", "none"],
  ["topic.delimiter", "."],
  ["topic.transaction", "transaction"],
  ["topic.heartbeat.prefix", null],
  // Not the reference's: about how many rows a chunk of the initial snapshot has.
  ["millrace.snapshot.chunk.rows", "100000"],
  ...CHANNEL_SETTINGS,
];
/** Keys of settings that are read but not listed in answers: those of all databases, and a connector's own. */
export const unlistedKeys = (own: readonly UnlistedSetting[]): ConfigDef =>
  [...UNLISTED, ...own].map(
    ([name, value]): ConfigKey => ({ name, type: "STRING", default: value, importance: "LOW", doc: "", internal: true }),
  );

/** Settings of which only these values are served; none: the setting must not be given. */
export type ServedValues = Readonly<Record<string, readonly string[]>>;
/** Settings of which all values but these are served. */
export type RefusedValues = Readonly<Record<string, readonly string[]>>;
const SERVED: ServedValues = {
  "snapshot.query.mode": ["select_all"],
  "post.processors": [],
  "openlineage.integration.enabled": ["false"],
  "internal.snapshot.scan.all.columns.force": ["false"],
  "transaction.metadata.factory": ["io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory"],
  "topic.naming.strategy": ["io.debezium.schema.SchemaTopicNamingStrategy", "io.debezium.schema.DefaultTopicNamingStrategy"],
};
/** Throws ConfigError, naming the setting, for values that need something that is not here, instead of ignoring them. */
export function refuseValues(config: RawConfig, served: ServedValues, refused: RefusedValues): void {
  for (const [name, allowed] of Object.entries({ ...SERVED, ...served })) {
    const value = config[name]?.trim() ?? "";
    if (value !== "" && !allowed.includes(value)) throw unsupported(name, value, allowed);
  }
  for (const [name, values] of Object.entries(refused)) {
    const value = config[name]?.trim().toLowerCase();
    if (value !== undefined && values.includes(value)) throw unsupported(name, value, []);
  }
  const channels = (config["signal.enabled.channels"] ?? "").split(",").map((c) => c.trim().toLowerCase());
  const other = channels.find((c) => c !== "" && !SIGNAL_CHANNELS.includes(c));
  if (other !== undefined) throw unsupported("signal.enabled.channels", other, SIGNAL_CHANNELS);
}
function unsupported(name: string, value: string, allowed: readonly string[]): ConfigError {
  const instead = allowed.length === 0 ? "use one of its other values, or remove the setting" : `use ${allowed.join(", ")}`;
  return new ConfigError(invalidValue(name, `'${value}' is not supported by this connector; ${instead}`));
}

const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "custom.metric.tags": "metrics carry no additional labels yet",
  "signal.poll.interval.ms": "only the channel file is looked at from time to time",
  "signal.kafka.poll.timeout.ms": "the signal topic is read all the time",
};
/**
 * One notice for each setting that is given but changes nothing here, said at the start instead of being passed over. `own`: what
 * has no effect in this connector beyond what has none in any, with the reason.
 */
export function withoutEffect(s: Settings, own: Readonly<Record<string, string>>): readonly string[] {
  const hasEffect = (name: string): boolean => name === "signal.poll.interval.ms" && signalChannels(s).includes("file");
  return Object.entries({ ...WITHOUT_EFFECT, ...own }).flatMap(([name, reason]) =>
    s.isGiven(name) && !hasEffect(name) ? [`the setting '${name}' has no effect: ${reason}`] : [],
  );
}

/** `snapshot.select.statement.overrides` and the statements beside it, by the names of tables as they stand there. */
export function selectOverrides(s: Settings): ReadonlyMap<string, string> {
  const setting = "snapshot.select.statement.overrides";
  const overrides = new Map<string, string>();
  for (const table of s.list(setting)) {
    const statement = s.optional(`${setting}.${table}`);
    if (statement === null) throw new ConfigError(invalidValue(setting, `${setting}.${table} is missing`));
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
