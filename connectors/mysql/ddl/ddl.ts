/** What the DDL parser is asked and what it answers. The parser does no I/O. */
import type { TableChange, TableId } from "#connectors/cdc/table-model";

export type Flavor = "mysql" | "mariadb";
export type DdlEventType = "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "DATABASE";

/** One event for the schema change topic and, apart from TRUNCATE, one record of the history. */
export interface DdlEvent {
  readonly type: DdlEventType;
  /** Database of the event: of the table, of CREATE DATABASE, else that of the statement. */
  readonly databaseName: string;
  /** Text for `ddl`: the statement, or its part for this table (`DROP TABLE a, b` gives two). */
  readonly ddl: string;
  /** The table the event is about; null: none (databases, SET, USE, indexes). */
  readonly table: TableId | null;
  readonly changes: readonly TableChange[];
  /** The text as a whole, in which nothing was found for an event of its own (Debezium's source block then has the table ""). */
  readonly whole: boolean;
  /** The table that the statement alters, where it is one that nothing is known of. */
  readonly unknown?: TableId;
}
export interface DdlResult {
  /** In the order of the text; not empty unless it was passed over: a text in which nothing counts (indexes, FLUSH …) is one DATABASE event with all of it. */
  readonly events: readonly DdlEvent[];
  /** False: nothing in the text changes tables, databases or variables. */
  readonly counts: boolean;
  /** What stands beside the text: statements for the history alone. */
  readonly implied?: readonly DdlEvent[];
}

/** The statement cannot be followed with certainty: the tables have to be read from the server, or the connector stops. */
export class UncertainDdl extends Error {
  readonly statement: string;
  /** Character (UTF-16 unit) in the statement where it became uncertain. */
  readonly at: number;
  /** Tables it concerns as far as could be seen. */
  readonly tables: readonly TableId[];
  /** `grammar`: not understood. `content`: understood, but the outcome depends on more than its text (CREATE TABLE … AS SELECT). */
  readonly why: "grammar" | "content";

  constructor(message: string, init: Pick<UncertainDdl, "statement" | "at" | "tables" | "why">) {
    super(message);
    this.name = "UncertainDdl";
    this.statement = init.statement;
    this.at = init.at;
    this.tables = init.tables;
    this.why = init.why;
  }
}

export interface DdlSchemaOptions {
  readonly flavor: Flavor;
  /** `lower_case_table_names` is not 0. */
  readonly ignoreTableCase?: boolean;
  /** As in versioned comments: 90100, 101109. Not given: newer than all. */
  readonly serverVersion?: number;
  /** `include.schema.comments`. */
  readonly comments?: boolean;
}
/** MariaDB's sql_mode ORACLE and MAXDB give some names of types another meaning. */
export type TypeNames = "own" | "oracle" | "maxdb";
/** Facts of the event that brought the statement. */
export interface DdlContext {
  /** Default database of the session, "" for none. */
  readonly database: string;
  /** sql_mode NO_BACKSLASH_ESCAPES was on. */
  readonly plainBackslash?: boolean;
  readonly typeNames?: TypeNames;
}
/** By the bits of sql_mode in a query event (MySQL's sql/query_options.h, MariaDB's sql_class.h). */
export const contextOf = (database: string, sqlMode: bigint | null, flavor: Flavor): DdlContext => {
  const has = (bit: bigint): boolean => ((sqlMode ?? 0n) & (1n << bit)) !== 0n;
  const typeNames = flavor === "mysql" ? "own" : has(9n) ? "oracle" : has(12n) ? "maxdb" : "own";
  return { database, plainBackslash: has(20n), typeNames };
};
