/** Debezium's settings of the SQL Server connector, as its ConfigDef lists them: groups, order, and what only this database has. */
import { type DeclaredKey, declaredKeys, type KeyDescription } from "../cdc/declared-keys.ts";
import { COLUMNS, EVENTS, HISTORY, QUEUE, RUNTIME, SCHEMAS, type SharedName, SNAPSHOT } from "../cdc/shared-keys.ts";

/** Settings of this database alone. */
const OWN = {
  "database.names": {
    type: "LIST",
    checks: ["notEmpty"],
    default: null,
    importance: "HIGH",
    width: "MEDIUM",
    displayName: "Databases",
    doc: "Databases that are captured, separated by commas. They are spread over the tasks.",
  },
  "database.instance": {
    type: "STRING",
    default: null,
    importance: "LOW",
    width: "NONE",
    displayName: "Instance name",
    doc: "Name of the SQL Server instance.",
  },
  "max.iteration.transactions": {
    type: "INT",
    checks: ["nonNegativeInteger"],
    default: "500",
    importance: "MEDIUM",
    width: "NONE",
    displayName: "Max transactions per iteration",
    doc: "Transactions of one database that are read in one pass; 0 is without limit.",
  },
  "incremental.snapshot.option.recompile": {
    type: "BOOLEAN",
    checks: ["boolean"],
    default: "false",
    importance: "LOW",
    width: "NONE",
    displayName: "Recompile SELECT statements",
    doc: "Adds OPTION(RECOMPILE) to the queries of incremental snapshots.",
  },
  "data.query.mode": {
    type: "STRING",
    default: "direct",
    importance: "LOW",
    width: "SHORT",
    displayName: "Data query mode",
    doc: "How changes are read: direct from the change tables, or by the function cdc.fn_cdc_get_all_changes.",
    choices: ["function", "direct"],
  },
  "streaming.fetch.size": {
    type: "INT",
    default: "0",
    importance: "LOW",
    width: "NONE",
    displayName: "Streaming fetch size",
    doc: "Rows of a change table that one query reads; 0 leaves it to the connector.",
  },
} as const satisfies Readonly<Record<string, KeyDescription>>;

/** What shared settings have otherwise here. */
const OTHERWISE: Partial<Record<SharedName, Partial<KeyDescription>>> = {
  "database.port": {
    default: "1433",
  },
  "database.user": {
    checks: [],
    doc: "User that reads the tables and their change tables.",
  },
  "snapshot.mode": {
    choices: ["always", "initial_only", "configuration_based", "when_needed", "initial", "custom", "no_data", "recovery"],
  },
  "snapshot.isolation.mode": {
    default: "repeatable_read",
    doc: "Isolation of the snapshot's transaction, which decides what it locks and for how long.",
    choices: ["read_uncommitted", "exclusive", "repeatable_read", "read_committed", "snapshot"],
  },
  "sourceinfo.struct.maker": {
    default: "io.debezium.connector.sqlserver.SqlServerSourceInfoStructMaker",
  },
};

export const SQLSERVER_KEYS: readonly DeclaredKey[] = declaredKeys(
  {
    "SQL Server": [
      "topic.prefix",
      "database.names",
      "database.hostname",
      "database.port",
      "database.user",
      "database.password",
      "database.query.timeout.ms",
      "database.instance",
    ],
    Connector: [
      ...QUEUE,
      "skipped.operations",
      ...SNAPSHOT,
      ...RUNTIME,
      "time.precision.mode",
      "snapshot.lock.timeout.ms",
      "snapshot.mode",
      "snapshot.isolation.mode",
      "max.iteration.transactions",
      "binary.handling.mode",
      "schema.name.adjustment.mode",
      "incremental.snapshot.option.recompile",
      "incremental.snapshot.chunk.size",
      "incremental.snapshot.allow.schema.changes",
      "data.query.mode",
      "streaming.fetch.size",
    ],
    "History Storage": [...HISTORY],
    Events: [...EVENTS, "table.ignore.builtin", ...COLUMNS, "include.schema.changes", ...SCHEMAS, "sourceinfo.struct.maker"],
  },
  OWN,
  OTHERWISE,
);
