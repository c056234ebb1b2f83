/** The settings that every connector has (ConnectorConfig, SourceConnectorConfig, SinkConnectorConfig of Kafka Connect 4.1). */
import type { ConfigDef, ConfigKey, ConfigValue, RawConfig } from "../api/config.ts";
import { inRange, javaRegex, noControlCharacters, nonEmptyString, oneOf, oneOfIgnoringCase } from "../api/config-checks.ts";
import type { PluginNames } from "./catalog.ts";

/** What the keys depend on. */
export interface KeyContext {
  readonly names: PluginNames;
  readonly connectorVersion: string | null;
  /** Null: a definition alone is asked for, without the worker's converters. */
  readonly worker: { readonly keyConverter: string; readonly valueConverter: string; readonly headerConverter: string } | null;
}
type Shape = Omit<ConfigKey, "name" | "group" | "doc" | "displayName" | "orderInGroup">;
function key(name: string, group: string, order: number, displayName: string, doc: string, shape: Shape): ConfigKey {
  return { name, group, orderInGroup: order, displayName, doc, ...shape };
}
const uniqueAliases = (value: ConfigValue): string | null =>
  Array.isArray(value) && new Set(value).size < value.length ? "Duplicate alias provided." : null;
const classCheck =
  (found: (name: string) => unknown) =>
  (value: ConfigValue): string | null =>
    value === null || found(String(value)) !== null ? null : `Class ${String(value)} could not be found.`;
const COMMON = "Common";
const ERRORS = "Error Handling";

interface ClassKind {
  readonly classes: readonly string[];
  readonly find: (name: string) => { readonly version: string } | null;
}
/** A converter's class and the version of it. */
function classKeys(name: string, label: string, order: number, workers: string | null, kind: ClassKind): readonly ConfigKey[] {
  const versions = (config: RawConfig): ConfigValue[] => {
    const version = kind.find(config[name] ?? workers ?? "")?.version;
    return version === undefined ? [] : [version];
  };
  const version = workers === null ? null : (kind.find(workers)?.version ?? null);
  return [
    key(name, COMMON, order, `${label} class`, `${label} of this connector's records; the worker's if not set.`, {
      type: "CLASS",
      default: workers,
      importance: "LOW",
      width: "SHORT",
      recommended: () => kind.classes,
      check: classCheck(kind.find),
    }),
    key(`${name}.plugin.version`, COMMON, order + 1, `${label} version`, `Version of the ${label.toLowerCase()}.`, {
      type: "STRING",
      default: version,
      importance: "LOW",
      width: "SHORT",
      recommended: versions,
    }),
  ];
}
const classesOf = (plugins: readonly { readonly classes: readonly string[] }[]): string[] => plugins.flatMap((p) => p.classes).sort();

export function connectorKeys(context: KeyContext): ConfigDef {
  const { names, worker, connectorVersion } = context;
  const converters: ClassKind = { classes: classesOf(names.all.converters), find: (n) => names.converters.find(n) };
  const headers: ClassKind = { classes: classesOf(names.all.headerConverters), find: (n) => names.headerConverters.find(n) };
  return [
    key("name", COMMON, 1, "Connector name", "A name that no other connector of the cluster has.", {
      type: "STRING",
      importance: "HIGH",
      width: "MEDIUM",
      check: noControlCharacters,
    }),
    key("connector.class", COMMON, 2, "Connector class", "Full class name of the connector, its simple name or an alias.", {
      type: "STRING",
      importance: "HIGH",
      width: "LONG",
    }),
    key("connector.plugin.version", COMMON, 3, "Connector version", "Version of the connector.", {
      type: "STRING",
      default: connectorVersion,
      importance: "MEDIUM",
      width: "MEDIUM",
      recommended: () => (connectorVersion === null ? [] : [connectorVersion]),
    }),
    key("tasks.max", COMMON, 4, "Tasks max", "The most tasks that the connector may have.", {
      type: "INT",
      default: 1,
      importance: "HIGH",
      width: "SHORT",
      check: inRange(1),
    }),
    key("tasks.max.enforce", COMMON, 5, "Enforce tasks max", "Fail the connector when it makes more tasks than allowed.", {
      type: "BOOLEAN",
      default: true,
      importance: "LOW",
      width: "SHORT",
    }),
    ...classKeys("key.converter", "Key converter", 6, worker?.keyConverter ?? null, converters),
    ...classKeys("value.converter", "Value converter", 8, worker?.valueConverter ?? null, converters),
    ...classKeys("header.converter", "Header converter", 10, worker?.headerConverter ?? null, headers),
    ...chainKeys(),
    ...errorKeys(),
  ];
}
function chainKeys(): ConfigDef {
  const aliases: Shape = { type: "LIST", default: [], importance: "LOW", width: "LONG", check: uniqueAliases };
  return [
    key("transforms", "Transforms", 12, "Transforms", "Aliases of the transforms, in the order in which they are applied.", aliases),
    key("predicates", "Predicates", 13, "Predicates", "Aliases of predicates that transforms may refer to.", aliases),
    key("config.action.reload", COMMON, 14, "Reload Action", "What to do when a config provider says that a value has changed.", {
      type: "STRING",
      default: "restart",
      importance: "LOW",
      width: "MEDIUM",
      check: oneOf("none", "restart"),
    }),
  ];
}
function errorKeys(): ConfigDef {
  const long = (value: number): Shape => ({ type: "LONG", default: value, importance: "MEDIUM", width: "MEDIUM" });
  const flag: Shape = { type: "BOOLEAN", default: false, importance: "MEDIUM", width: "SHORT" };
  return [
    key(
      "errors.retry.timeout",
      ERRORS,
      1,
      "Retry Timeout for Errors",
      "Milliseconds for which a failed operation is tried again; -1: for ever.",
      long(0),
    ),
    key(
      "errors.retry.delay.max.ms",
      ERRORS,
      2,
      "Maximum Delay Between Retries for Errors",
      "The longest pause between two tries.",
      long(60_000),
    ),
    key("errors.tolerance", ERRORS, 3, "Error Tolerance", "none: an error stops the task; all: the record is skipped.", {
      type: "STRING",
      default: "none",
      importance: "MEDIUM",
      width: "SHORT",
      check: oneOf("none", "all"),
    }),
    key("errors.log.enable", ERRORS, 4, "Log Errors", "Write each error to the log.", flag),
    key("errors.log.include.messages", ERRORS, 5, "Log Error Details", "Add the record to what is logged.", flag),
  ];
}
export const SOURCE_KEYS: ConfigDef = [
  key("topic.creation.groups", "Topic Creation", 1, "Topic Creation Groups", "Aliases of groups of topics with settings of their own.", {
    type: "LIST",
    default: [],
    importance: "LOW",
    width: "LONG",
    check: uniqueAliases,
  }),
  key("exactly.once.support", "Exactly Once Support", 2, "Exactly once support", "required: refuse to run without exactly-once.", {
    type: "STRING",
    default: "requested",
    importance: "MEDIUM",
    width: "SHORT",
    check: oneOfIgnoringCase("REQUIRED", "REQUESTED"),
  }),
  key("transaction.boundary", "Exactly Once Support", 3, "Transaction Boundary", "Where transactions end: poll, interval or connector.", {
    type: "STRING",
    default: "poll",
    importance: "MEDIUM",
    width: "SHORT",
    check: oneOfIgnoringCase("INTERVAL", "POLL", "CONNECTOR"),
  }),
  key(
    "transaction.boundary.interval.ms",
    "Exactly Once Support",
    4,
    "Transaction boundary interval",
    "Milliseconds between commits for boundary interval.",
    {
      type: "LONG",
      default: null,
      importance: "LOW",
      width: "SHORT",
    },
  ),
  key("offsets.storage.topic", "offsets.topic", 1, "Offsets topic", "A topic of its own for this connector's offsets.", {
    type: "STRING",
    default: null,
    importance: "LOW",
    width: "LONG",
    check: nonEmptyString,
  }),
];
export const SINK_KEYS: ConfigDef = [
  key("topics", COMMON, 4, "Topics", "Topics to read, separated by commas.", {
    type: "LIST",
    default: [],
    importance: "HIGH",
    width: "LONG",
  }),
  key("topics.regex", COMMON, 4, "Topics regex", "Java regular expression; topics that match as a whole are read.", {
    type: "STRING",
    default: "",
    importance: "HIGH",
    width: "LONG",
    check: javaRegex,
  }),
  key("errors.deadletterqueue.topic.name", ERRORS, 6, "Dead Letter Queue Topic Name", "Topic for records that could not be processed.", {
    type: "STRING",
    default: "",
    importance: "MEDIUM",
    width: "MEDIUM",
  }),
  key(
    "errors.deadletterqueue.topic.replication.factor",
    ERRORS,
    7,
    "Dead Letter Queue Topic Replication Factor",
    "Used if the topic has to be created.",
    {
      type: "SHORT",
      default: 3,
      importance: "MEDIUM",
      width: "MEDIUM",
    },
  ),
  key("errors.deadletterqueue.context.headers.enable", ERRORS, 8, "Enable Error Context Headers", "Add headers that say what went wrong.", {
    type: "BOOLEAN",
    default: false,
    importance: "MEDIUM",
    width: "MEDIUM",
  }),
];
