/**
 * Settings of the JDBC sink: Debezium's names, defaults and order (documentation "Debezium connector for JDBC"). Those that
 * tune Hibernate or a connection pool are accepted and change nothing: a task here has one connection.
 */
import { oneOf } from "#connect/api/config-checks";
import type { ConfigDef, ConfigKey, RawConfig } from "#connect/api/config";
import { parseConfig } from "#connect/api/config-parse";
import { ConfigError } from "#connect/api/errors";
import type { Dialect } from "./dialect.ts";
import { type ConnectionTarget, parseJdbcUrl } from "./url.ts";

let order = 0;
const key = (k: Omit<ConfigKey, "group" | "orderInGroup">): ConfigKey => ({ ...k, group: "Connector", orderInGroup: ++order });

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
  key({
    name: "table.name.format",
    type: "STRING",
    default: null,
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
    type: "LIST",
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
  key({
    name: "database.time_zone",
    type: "STRING",
    default: null,
    importance: "MEDIUM",
    width: "SHORT",
    displayName: "The timezone used when inserting temporal values.",
    doc: "Old name of use.time.zone.",
  }),
  key({
    name: "batch.size",
    type: "INT",
    default: 500,
    importance: "MEDIUM",
    width: "SHORT",
    displayName: "Maximum records per statement",
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
  key({
    name: "use.reduction.buffer",
    type: "BOOLEAN",
    default: false,
    importance: "LOW",
    width: "SHORT",
    displayName: "Reduction buffer",
    doc: "Accepted; upserts of one batch are always reduced to the last state of each key, in one transaction.",
  }),
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
  const format = text(c["table.name.format"]) ?? text(c["collection.name.format"]) ?? "${topic}";
  const { target, dialect } = parseJdbcUrl(url, text(c["connection.username"]), text(c["connection.password"]));
  return {
    target,
    dialect,
    insertMode: c["insert.mode"] as InsertMode, // checked by the declaration
    deleteEnabled,
    truncateEnabled: c["truncate.enabled"] === true,
    nameFormat: (text(c["collection.table.format"]) ?? "${table}").replaceAll("${table}", () => format),
    keyMode,
    keyFields: list(c["primary.key.fields"]),
    evolve: c["schema.evolution"] === "basic",
    fold: c["quote.identifiers"] === true ? (name) => name : (name) => dialect.fold(name),
    timeZone: text(c["database.time_zone"]) ?? text(c["use.time.zone"]) ?? "UTC",
    batchRowsMax: Math.max(1, Number(c["batch.size"] ?? 500)),
    includes: (topic, field) => (include.length === 0 || names(include, topic, field)) && !names(exclude, topic, field),
  };
}
