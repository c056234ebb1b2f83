/** From declared settings to Kafka's ConfigDef, and the checks that all database connectors make in the reference's words. */
import type { ConfigDef, ConfigKey, RawConfig } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";
import type { DeclaredKey } from "./declared-keys.ts";
import type { Settings } from "./settings.ts";
import { SourceError } from "./source-error.ts";
import { NAMING_STRATEGIES } from "./topic-naming.ts";
import { CHANNEL_SETTINGS, SIGNAL_CHANNELS, signalChannels } from "./signal-channels.ts";
import { CHECKS, checkOfType, type ValueCheck } from "./value-checks.ts";

/** What one connector asks of its settings, beyond what each key declares. */
export interface ConfigRules {
  /** Of each pair only one may be given. */
  readonly exclusive: Readonly<Record<string, string>>;
  /** Checks that only this connector has, by setting. */
  readonly own: Readonly<Record<string, ValueCheck>>;
  /** The value that settings of another name give to this one; null: none. It is not checked again. */
  readonly replaced?: (name: string, config: RawConfig) => string | null;
}
/** A setting with its default that the reference reads but does not list. */
export type UnlistedSetting = readonly [name: string, value: string | null];

export const invalidValue = (name: string, problem: string): string => `The '${name}' value is invalid: ${problem}`;

/** All problems, in the reference's order; it goes on after the first. */
function problems(key: DeclaredKey, config: RawConfig, rules: ConfigRules): readonly string[] {
  if ((rules.replaced?.(key.name, config) ?? null) !== null) return [];
  const given = config[key.name];
  const value = given === undefined ? key.default : given;
  const other = rules.exclusive[key.name];
  const found = [
    ...checkOfType(key.type)(value, key, config),
    ...(rules.own[key.name]?.(value, key, config) ?? []),
    ...CHECKS.choice(value, key, config),
    ...(other !== undefined && value !== null && (config[other] ?? null) !== null ? [`"${other}" is already specified`] : []),
    ...(key.checks ?? []).flatMap((name) => CHECKS[name](value, key, config)),
  ];
  return found.map((problem) => invalidValue(key.name, problem));
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
    validate: (_parsed, config) => problems(key, config, rules),
  }));
const UNLISTED: readonly UnlistedSetting[] = [
  ["field.name.adjustment.mode", "none"],
  ["skip.messages.without.change", "false"],
  ["topic.delimiter", "."],
  ["topic.regex", null],
  ["topic.replacement", null],
  ["topic.key.enforce.uniqueness", "true"],
  ["topic.key.field.name", "__dbz__physicalTableIdentifier"],
  ["topic.key.field.regex", null],
  ["topic.key.field.replacement", null],
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
  "topic.naming.strategy": NAMING_STRATEGIES,
};
/** Throws ConfigError, naming the setting, for values that need something that is not here, instead of ignoring them. */
export function refuseValues(config: RawConfig, served: ServedValues, refused: RefusedValues): void {
  for (const [name, allowed] of Object.entries({ ...SERVED, ...served })) {
    const value = config[name]?.trim() ?? "";
    if (value !== "" && !allowed.includes(value))
      throw unsupported(name, value, allowed.length === 0 ? "remove the setting" : `use ${allowed.join(", ")}`);
  }
  for (const [name, values] of Object.entries(refused)) {
    const value = config[name]?.trim().toLowerCase();
    if (value !== undefined && values.includes(value)) throw unsupported(name, value, "use one of its other values, or remove the setting");
  }
  const channels = (config["signal.enabled.channels"] ?? "").split(",").map((c) => c.trim().toLowerCase());
  const other = channels.find((c) => c !== "" && !SIGNAL_CHANNELS.includes(c));
  if (other !== undefined) throw unsupported("signal.enabled.channels", other, `use ${SIGNAL_CHANNELS.join(", ")}`);
}
function unsupported(name: string, value: string, instead: string): ConfigError {
  return new ConfigError(invalidValue(name, `'${value}' is not supported by this connector; ${instead}`));
}

const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  "signal.poll.interval.ms": "only the channel file is looked at from time to time",
  "heartbeat.topics.prefix": "the reference does not heed it either; topic.heartbeat.prefix begins the heartbeat topic's name",
  "signal.kafka.poll.timeout.ms": "the signal topic is read all the time",
  "retriable.restart.connector.wait.ms": "the worker's back-off decides",
  "executor.shutdown.timeout.ms": "the worker's task.shutdown.graceful.timeout.ms decides",
  "custom.sanitize.pattern": "the connector does not log its settings",
  "internal.advanced.metrics.enable": "there are no such metrics",
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
const ALL_IN_HISTORY =
  " Since 'schema.history.internal.store.only.captured.tables.ddl' is set to 'false', schemas of all the tables in the database are being captured. " +
  "Increase the guardrail limit to allow the validation to pass. To reduce memory usage and validate only captured tables, consider setting " +
  "'schema.history.internal.store.only.captured.tables.ddl=true' or 'schema.history.internal.store.only.captured.databases.ddl=true'. " +
  "WARNING: Changing these settings means the connector will NOT be able to automatically start capturing changes from tables that were not " +
  "originally added to the include list. You would need to do schema history recovery to add those tables later.";
/**
 * `guardrail.collections.max`: too many tables are a mistake that is better found at the start; in the reference's words.
 * `allInHistory`: the tables are all those whose definitions the schema history keeps, captured or not.
 */
export function checkGuardrail(s: Settings, tables: number, warn: (message: string) => void, allInHistory = false): void {
  const limit = s.int("guardrail.collections.max");
  if (limit === 0 || tables <= limit) return;
  const exceeded = `Guardrail limit exceeded: ${tables} tables/collections configured for capture, but maximum allowed is ${limit}.`;
  const message = exceeded + (allInHistory ? ALL_IN_HISTORY : "");
  if (s.choice("guardrail.collections.limit.action") === "fail")
    throw new SourceError(message, { javaClass: "io.debezium.DebeziumException" });
  warn(message);
}
