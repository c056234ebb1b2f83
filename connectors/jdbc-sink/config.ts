/**
 * Settings of the JDBC sink: Debezium's names, defaults and order (documentation "Debezium connector for JDBC"). Those that
 * tune Hibernate or a connection pool are accepted and change nothing: a task here has one connection.
 */
import { oneOf } from "#connect/api/config-checks";
import type { ConfigDef, ConfigKey, ConfigValue, RawConfig } from "#connect/api/config";
import { parseConfig } from "#connect/api/config-parse";
import { ConfigError } from "#connect/api/errors";
import type { Dialect } from "./dialect.ts";
import { type ConnectionTarget, parseJdbcUrl } from "./url.ts";

let order = 0;
type Unplaced = Omit<ConfigKey, "group" | "orderInGroup">;
const key = (k: Unplaced): ConfigKey => ({ ...k, group: "Connector", orderInGroup: ++order });
/** The old name of the setting before it, at the same place. */
const oldKey = (k: Unplaced): ConfigKey => ({ ...k, group: "Connector", orderInGroup: order });
/** Strategies are Java classes: only those that Debezium has by default mean something here. */
const strategy =
  (...known: readonly string[]) =>
  (value: ConfigValue): string | null =>
    value === null || known.includes(String(value)) ? null : `Class ${String(value)} could not be found.`;
const COLLECTION_STRATEGY = "io.debezium.sink.naming.DefaultCollectionNamingStrategy";
const COLUMN_STRATEGY = "io.debezium.connector.jdbc.naming.DefaultColumnNamingStrategy";

export const jdbcSinkConfig: ConfigDef = [
  key({
    name: "connection.url",
    type: "STRING",
    default: null,
    importance: "HIGH",
    width: "LONG",
    displayName: "Hostname",
    doc: "JDBC address of the target database, e.g. jdbc:postgresql://host:5432/database; also jdbc:mysql:, jdbc:mariadb: and jdbc:sqlserver:.",
    validate: (value) =>
      typeof value === "string" && value !== "" ? urlErrors(value) : ["The 'connection.url' value is invalid: A value is required"],
  }),
  key({
    name: "connection.username",
    type: "STRING",
    default: null,
    importance: "HIGH",
    width: "SHORT",
    displayName: "User",
    doc: "Login at the target database.",
  }),
  key({
    name: "connection.password",
    type: "PASSWORD",
    default: null,
    importance: "HIGH",
    width: "SHORT",
    displayName: "Password",
    doc: "Its password.",
  }),
  key({
    name: "connection.pool.min_size",
    type: "INT",
    default: 5,
    importance: "LOW",
    width: "SHORT",
    displayName: "Connection pool minimum size",
    doc: "Accepted for compatibility; a task uses one connection.",
  }),
  key({
    name: "connection.pool.max_size",
    type: "INT",
    default: 32,
    importance: "LOW",
    width: "SHORT",
    displayName: "Connection pool maximum size",
    doc: "Accepted for compatibility; a task uses one connection.",
  }),
  key({
    name: "connection.pool.acquire_increment",
    type: "INT",
    default: 32,
    importance: "LOW",
    width: "SHORT",
    displayName: "Connection pool acquire increment",
    doc: "Accepted for compatibility; a task uses one connection.",
  }),
  key({
    name: "connection.pool.timeout",
    type: "LONG",
    default: 1800,
    importance: "LOW",
    width: "SHORT",
    displayName: "Connection pool timeout",
    doc: "Accepted for compatibility; a task uses one connection.",
  }),
  key({
    name: "insert.mode",
    type: "STRING",
    default: "insert",
    importance: "LOW",
    width: "SHORT",
    displayName: "The insertion mode to use",
    doc: "insert, upsert (insert or update by primary key) or update.",
    check: oneOf("insert", "upsert", "update"),
  }),
  key({
    name: "delete.enabled",
    type: "BOOLEAN",
    default: false,
    importance: "LOW",
    width: "SHORT",
    displayName: "Controls whether records can be deleted by the connector",
    doc: "Delete events and tombstones delete the row. Needs primary.key.mode=record_key.",
  }),
  key({
    name: "truncate.enabled",
    type: "BOOLEAN",
    default: false,
    importance: "LOW",
    width: "SHORT",
    displayName: "Controls whether tables can be truncated by the connector",
    doc: "Truncate events empty the table.",
  }),
  key({
    name: "collection.name.format",
    type: "STRING",
    default: "${topic}",
    importance: "MEDIUM",
    width: "MEDIUM",
    displayName: "A format string for the collection name",
    doc: "Name of the target table. ${topic} is the topic with dots as underscores, ${source.FIELD} a field of the event's source block.",
  }),
  oldKey({
    name: "table.name.format",
    type: "STRING",
    default: "${topic}",
    importance: "MEDIUM",
    width: "MEDIUM",
    displayName: "A format string for the collection name",
    doc: "Old name of collection.name.format.",
  }),
  key({
    name: "primary.key.mode",
    type: "STRING",
    default: "none",
    importance: "HIGH",
    width: "SHORT",
    displayName: "Primary key mode",
    doc: "Where the key columns come from: none, kafka (topic, partition, offset), record_key, record_header, record_value.",
    check: oneOf("none", "kafka", "record_key", "record_header", "record_value"),
  }),
  key({
    name: "primary.key.fields",
    type: "STRING",
    default: null,
    importance: "LOW",
    width: "MEDIUM",
    displayName: "Comma-separated list of primary key field names",
    doc: "Fields of the key; with a key that is no struct, the one column name.",
  }),
  key({
    name: "schema.evolution",
    type: "STRING",
    default: "none",
    importance: "LOW",
    width: "SHORT",
    displayName: "Controls how schema evolution is handled by the sink connector",
    doc: "none: the tables are as they are. basic: missing tables are created, missing columns added.",
    check: oneOf("none", "basic"),
  }),
  key({
    name: "quote.identifiers",
    type: "BOOLEAN",
    default: false,
    importance: "LOW",
    width: "SHORT",
    displayName: "Controls whether table, column, or other identifiers are quoted",
    doc: "true keeps the case of names; false folds them as the database does with unquoted ones.",
  }),
  key({
    name: "collection.naming.strategy",
    type: "CLASS",
    default: COLLECTION_STRATEGY,
    importance: "LOW",
    width: "LONG",
    displayName: "CollectionNamingStrategy class",
    doc: "Only Debezium's default, which is collection.name.format.",
    check: strategy(COLLECTION_STRATEGY),
  }),
  oldKey({
    name: "table.naming.strategy",
    type: "CLASS",
    default: COLLECTION_STRATEGY,
    importance: "LOW",
    width: "LONG",
    displayName: "CollectionNamingStrategy class",
    doc: "Old name of collection.naming.strategy.",
    check: strategy(COLLECTION_STRATEGY, "io.debezium.connector.jdbc.naming.DefaultTableNamingStrategy"),
  }),
  key({
    name: "column.naming.strategy",
    type: "CLASS",
    default: COLUMN_STRATEGY,
    importance: "LOW",
    width: "LONG",
    displayName: "Name of the strategy class that implements the ColumnNamingStrategy interface",
    doc: "Only Debezium's default, which keeps names; the transform FieldNameTransformation changes them.",
    check: strategy(COLUMN_STRATEGY),
  }),
  key({
    name: "collection.table.format",
    type: "STRING",
    default: "${table}",
    importance: "MEDIUM",
    width: "LONG",
    displayName: "Format string using table name",
    doc: "Applied to the name last; ${table} is the name so far.",
  }),
  key({
    name: "use.time.zone",
    type: "STRING",
    default: "UTC",
    importance: "MEDIUM",
    width: "SHORT",
    displayName: "The timezone used when inserting temporal values.",
    doc: "Time zone of the session.",
  }),
  oldKey({
    name: "database.time_zone",
    type: "STRING",
    default: "UTC",
    importance: "MEDIUM",
    width: "SHORT",
    displayName: "The timezone used when inserting temporal values.",
    doc: "Old name of use.time.zone.",
  }),
  key({
    name: "dialect.postgres.postgis.schema",
    type: "STRING",
    default: "public",
    importance: "LOW",
    width: "LONG",
    displayName: "Name of the schema where postgis extension is installed",
    doc: "Accepted; types of PostGIS are found by the search path.",
  }),
  key({
    name: "dialect.sqlserver.identity.insert",
    type: "BOOLEAN",
    default: false,
    importance: "LOW",
    width: "SHORT",
    displayName: "Allowing to insert explicit value for identity column in table for SQLSERVER.",
    doc: "Accepted; values for an identity column are always written as they come.",
  }),
  key({
    name: "batch.size",
    type: "INT",
    default: 500,
    importance: "MEDIUM",
    width: "SHORT",
    displayName:
      "Specifies how many records to attempt to batch together into the destination table, when possible. You can also configure the connector’s underlying consumer’s max.poll.records using consumer.override.max.poll.records in the connector configuration.",
    doc: "How many rows one statement carries at most.",
  }),
  key({
    name: "field.include.list",
    type: "LIST",
    default: null,
    importance: "MEDIUM",
    width: "LONG",
    displayName: "Include Fields",
    doc: "Fields that become columns, as FIELD or TOPIC:FIELD. Absent: all.",
  }),
  key({
    name: "field.exclude.list",
    type: "LIST",
    default: null,
    importance: "MEDIUM",
    width: "LONG",
    displayName: "Exclude Fields",
    doc: "Fields that do not, as FIELD or TOPIC:FIELD.",
  }),
  {
    name: "use.reduction.buffer",
    type: "BOOLEAN",
    default: false,
    importance: "LOW",
    width: "SHORT",
    displayName: "Reduction buffer",
    doc: "Accepted; upserts of one batch are always reduced to the last state of each key, in one transaction.",
    internal: true,
  },
  key({
    name: "flush.max.retries",
    type: "INT",
    default: 5,
    importance: "LOW",
    width: "SHORT",
    displayName: "Max retry count",
    doc: "Accepted; a database that is away is waited for, however long.",
  }),
  key({
    name: "flush.retry.delay.ms",
    type: "LONG",
    default: 1000,
    importance: "LOW",
    width: "SHORT",
    displayName: "Delay to retry flush",
    doc: "Accepted; the runtime's back-off decides.",
  }),
  key({
    name: "connection.restart.on.errors",
    type: "BOOLEAN",
    default: false,
    importance: "LOW",
    width: "SHORT",
    displayName: "Restart connection on errors",
    doc: "Accepted; a lost connection is always made anew.",
  }),
  key({
    name: "cloud.events.schema.name.pattern",
    type: "STRING",
    default: ".*CloudEvents\\.Envelope$",
    importance: "LOW",
    width: "LONG",
    displayName: "CloudEvents messages schema name pattern",
    doc: "Accepted; CloudEvents envelopes are not taken apart here.",
  }),
];

export type InsertMode = "insert" | "upsert" | "update";
export type KeyMode = "none" | "kafka" | "record_key" | "record_header" | "record_value";
export interface JdbcSinkSettings {
  readonly target: ConnectionTarget;
  readonly dialect: Dialect;
  readonly insertMode: InsertMode;
  readonly deleteEnabled: boolean;
  readonly truncateEnabled: boolean;
  readonly nameFormat: string;
  readonly keyMode: KeyMode;
  readonly keyFields: readonly string[];
  readonly evolve: boolean;
  /** Names as the database takes them: folded, or as written with quote.identifiers. */
  readonly fold: (name: string) => string;
  readonly timeZone: string;
  readonly batchRowsMax: number;
  readonly includes: (topic: string, field: string) => boolean;
}

function urlErrors(url: string): string[] {
  try {
    parseJdbcUrl(url, null, null);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

const list = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map((v) => String(v).trim()).filter((v) => v !== "") : [];
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** Throws ConfigError with Kafka's or Debezium's wording. */
export function jdbcSinkSettings(config: RawConfig): JdbcSinkSettings {
  const c = parseConfig(jdbcSinkConfig, config);
  const url = text(c["connection.url"]);
  if (url === null) throw new ConfigError("The 'connection.url' value is invalid: A value is required");
  const deleteEnabled = c["delete.enabled"] === true;
  const keyMode = c["primary.key.mode"] as KeyMode; // checked by the declaration
  if (deleteEnabled && keyMode !== "record_key") {
    throw new ConfigError(
      "The 'delete.enabled' value is invalid: When 'delete.enabled' is set to 'true', the 'primary.key.mode' option must be set to 'record_key'.",
    );
  }
  const include = list(c["field.include.list"]);
  const exclude = list(c["field.exclude.list"]);
  const names = (all: readonly string[], topic: string, field: string): boolean => all.includes(field) || all.includes(`${topic}:${field}`);
  const format = text(config["table.name.format"]) ?? text(c["collection.name.format"]) ?? "${topic}";
  const { target, dialect } = parseJdbcUrl(url, text(c["connection.username"]), text(c["connection.password"]));
  return {
    target,
    dialect,
    insertMode: c["insert.mode"] as InsertMode, // checked by the declaration
    deleteEnabled,
    truncateEnabled: c["truncate.enabled"] === true,
    nameFormat: (text(c["collection.table.format"]) ?? "${table}").replaceAll("${table}", () => format),
    keyMode,
    keyFields: list(text(c["primary.key.fields"])?.split(",")),
    evolve: c["schema.evolution"] === "basic",
    fold: c["quote.identifiers"] === true ? (name) => name : (name) => dialect.fold(name),
    timeZone: text(config["database.time_zone"]) ?? text(c["use.time.zone"]) ?? "UTC",
    batchRowsMax: Math.max(1, Number(c["batch.size"] ?? 500)),
    includes: (topic, field) => (include.length === 0 || names(include, topic, field)) && !names(exclude, topic, field),
  };
}
