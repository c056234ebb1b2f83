/** The tables as the log's statements leave them, with the history from which they are known after a restart. */
import type { Connection } from "mysql2/promise";
import type { Logger } from "#connect/api/connector";
import type { SourceOffset, SourcePartition } from "#connect/api/record";
import { anchored, splitExpressions } from "../cdc/expressions.ts";
import type { HistoryRecord, HistoryTarget, JsonObject, SchemaHistory } from "../cdc/schema-history/history.ts";
import { SourceError } from "../cdc/source-error.ts";
import type { Table } from "../cdc/table-model.ts";
import { type LogPosition, readLogPosition, type Server, showCreateTable } from "./catalog.ts";
import { alterCharset, madeWithCharset, makesPlainDatabase } from "./database-charset.ts";
import { sameCharset } from "./ddl/charset.ts";
import { type DdlContext, type DdlEvent, type DdlResult, UncertainDdl } from "./ddl/ddl.ts";
import { replayed } from "./ddl/replay.ts";
import { MysqlSchema, type SchemaState } from "./ddl/schema.ts";
import type { TaskSettings } from "./task-settings.ts";

export interface TrackerSettings {
  readonly settings: TaskSettings;
  readonly partition: SourcePartition;
  readonly info: Server;
  readonly history: SchemaHistory;
  readonly log: Logger;
  readonly sql: () => Promise<Connection>;
}
/** Statements that never concern tables, by what the reference leaves out (`schema.history.internal.ddl.filter`). */
const PREFIX = String.raw`^\s*(?:SET\s+STATEMENT\s[\s\S]+?\sFOR\s+)?`;
const FILTERED: readonly RegExp[] = [
  new RegExp(`${PREFIX}(?:GRANT|REVOKE)\\s`, "i"),
  new RegExp(`${PREFIX}(?:ANALYZE|OPTIMIZE|REPAIR)\\s+(?:NO_WRITE_TO_BINLOG\\s+|LOCAL\\s+)?TABLE\\s`, "i"),
  new RegExp(`${PREFIX}(?:CREATE|ALTER|DROP)\\s+(?:OR\\s+REPLACE\\s+)?(?:IF\\s+(?:NOT\\s+)?EXISTS\\s+)?(?:USER|ROLE)\\b`, "i"),
  new RegExp(
    `${PREFIX}(?:CREATE|ALTER|DROP)\\s+(?:OR\\s+REPLACE\\s+)?(?:ALGORITHM\\s*=\\s*\\S+\\s+)?(?:DEFINER\\s*=\\s*\\S+\\s+)?(?:SQL\\s+SECURITY\\s+\\S+\\s+)?(?:VIEW|FUNCTION|PROCEDURE|TRIGGER)\\s`,
    "i",
  ),
  new RegExp(`${PREFIX}(?:INSERT|DELETE|REPLACE)\\s`, "i"),
  /^\s*(?:CREATE|DROP)\s+TEMPORARY\s/i,
  /^\s*FLUSH\s+(?:RELAY\s+LOGS|PRIVILEGES)/i,
  /^\s*SAVEPOINT\s/i,
  /^\s*#\s*Dummy event/i,
];
const FILTER_SETTING = "schema.history.internal.ddl.filter";
/** Java's Pattern.CASE_INSENSITIVE | DOTALL, over the whole statement. */
function ddlFilter(lists: readonly (string | null)[]): (sql: string) => boolean {
  const given = lists.flatMap((list) => splitExpressions(list ?? "")).map((e) => anchored(e, FILTER_SETTING, { dotAll: true }));
  return (sql) => FILTERED.some((pattern) => pattern.test(sql)) || given.some((e) => e.test(sql));
}

export class SchemaTracker {
  readonly #s: TrackerSettings;
  readonly schema: MysqlSchema;
  /** Statements that are neither read nor recorded. */
  readonly passesOver: (sql: string) => boolean;
  /** Moves with each change, so that plans made before it are made anew. */
  version = 0;

  constructor(settings: TrackerSettings) {
    this.#s = settings;
    const { info, settings: s } = settings;
    this.passesOver = ddlFilter([s.all.optional(FILTER_SETTING), s.all.optional(`internal.${FILTER_SETTING}`)]);
    this.schema = new MysqlSchema({
      flavor: s.flavor,
      ignoreTableCase: info.ignoreTableCase,
      serverVersion: info.version,
      ...(s.all.bool("include.schema.comments") && { comments: true }),
    });
  }
  /** Another one with the same history and no tables: for definitions that are newer than the stream. */
  scratch(): SchemaTracker {
    return new SchemaTracker(this.#s);
  }
  table(database: string, table: string): Table | undefined {
    return this.schema.tables.get({ catalog: database, schema: null, table });
  }
  /** Builds the tables as they were at a position. */
  async recover(position: SourceOffset): Promise<void> {
    const schema = this.schema;
    const target: HistoryTarget = {
      apply: (record) => {
        if (replayed(schema, record) === "passed")
          this.#s.log.debug(`a statement of the schema history was passed over: ${record.ddl?.slice(0, 200) ?? ""}`);
      },
      state: { save: () => ({ ...schema.save() }), load: (state) => schema.load(state as JsonObject & SchemaState) },
    };
    await this.#s.history.recover(position, target);
    this.version++;
  }
  /** A statement of the snapshot. Throws SourceError for one that is not understood. */
  snapshot(ddl: string, database: string): DdlResult {
    this.version++;
    try {
      return this.schema.apply(ddl, { database });
    } catch (error) {
      if (!(error instanceof UncertainDdl)) throw error;
      if (this.#skips) return this.#skipped(ddl, database, error);
      throw unparsed(ddl, error);
    }
  }
  get #skips(): boolean {
    return this.#s.settings.all.bool("schema.history.internal.skip.unparseable.ddl");
  }
  #skipped(ddl: string, database: string, error: UncertainDdl): DdlResult {
    this.#s.log.warn(
      `a DDL statement was passed over (schema.history.internal.skip.unparseable.ddl): ${error.message}: ${ddl.slice(0, 500)}`,
    );
    const event: DdlEvent = { type: "DATABASE", databaseName: database, ddl, table: null, changes: [], whole: true };
    return { events: this.#s.settings.onlyTables ? [] : [event], counts: false };
  }
  /**
   * A statement of the log that ends at `end`. What cannot be told from its text is read from the server, if the server's log has
   * not moved on; else it stops with the text. `collation`: the session's `collation_server`, by its number; null: not told.
   */
  async apply(sql: string, context: DdlContext, end: LogPosition, collation: number | null = null): Promise<DdlResult> {
    this.version++;
    try {
      if (collation !== null && makesPlainDatabase(sql)) return await this.#madeDatabase(sql, context, collation);
      return this.schema.apply(sql, context);
    } catch (error) {
      if (!(error instanceof UncertainDdl)) throw error;
      const resolved = await this.#fromServer(sql, context, error, end);
      if (resolved !== null) return resolved;
      if (this.#skips) return this.#skipped(sql, context.database, error);
      throw unparsed(sql, error);
    }
  }
  /** A statement that says nothing of a character set: the session's, which is told by `collation`. */
  async #madeDatabase(sql: string, context: DdlContext, collation: number): Promise<DdlResult> {
    const { schema } = this;
    const before = new Set(schema.databases.keys());
    const connection = await this.#s.sql();
    const result = schema.apply(sql, context);
    const implied: DdlEvent[] = [];
    for (const { databaseName: name } of result.events) {
      const set = schema.databases.get(name)?.stored;
      if (set === undefined || before.has(name)) continue;
      const charset = await madeWithCharset(sql, name, collation, connection).catch((error: unknown) => {
        // The statement comes again.
        schema.databases.delete(name);
        throw error;
      });
      if (charset === null || sameCharset(charset, set)) continue;
      implied.push(...schema.apply(alterCharset(name, charset), { database: name }).events);
    }
    return { ...result, implied };
  }
  async #fromServer(sql: string, context: DdlContext, error: UncertainDdl, end: LogPosition): Promise<DdlResult | null> {
    if (error.tables.length === 0) return null;
    const connection = await this.#s.sql();
    const same = (at: LogPosition): boolean => at.file === end.file && at.position === end.position;
    if (!same(await readLogPosition(connection, this.#s.info))) return null;
    const created: { database: string; table: string; ddl: string | null }[] = [];
    for (const id of error.tables) {
      const name = { database: id.catalog ?? context.database, table: id.table };
      created.push({ ...name, ddl: await showCreateTable(connection, name).catch(() => null) });
    }
    // Only if nothing was written meanwhile, what was read is of this position.
    if (!same(await readLogPosition(connection, this.#s.info))) return null;
    const events: DdlEvent[] = [];
    for (const { database, table, ddl } of created) {
      const id = { catalog: database, schema: null, table };
      const known = this.schema.tables.get(id) !== undefined;
      this.schema.tables.remove(id);
      const change = ddl === null ? null : (this.snapshot(ddl, database).events.find((e) => e.changes.length > 0)?.changes[0] ?? null);
      if (change === null && !known) continue;
      const type = change === null ? "DROP" : known ? "ALTER" : "CREATE";
      events.push({
        type,
        databaseName: database,
        ddl: sql,
        table: id,
        changes: [{ type, id, previousId: null, table: change?.table ?? null }],
        whole: false,
      });
    }
    return events.length === 0 ? null : { events, counts: true };
  }
  /** Makes what the events say durable. */
  async record(events: readonly DdlEvent[], position: SourceOffset, tsMs: number): Promise<void> {
    const records = events.map(
      (event): HistoryRecord => ({
        source: this.#s.partition,
        position,
        tsMs,
        databaseName: event.databaseName,
        schemaName: null,
        ddl: event.ddl,
        tableChanges: event.changes,
      }),
    );
    if (records.length > 0) await this.#s.history.record(records);
  }
}
function unparsed(ddl: string, cause: UncertainDdl): SourceError {
  const why = cause.why === "grammar" ? "" : " (its outcome depends on more than its text)";
  return new SourceError(
    `DDL statement couldn't be parsed. Please open a Jira issue with the statement '${ddl}'\n${cause.message}${why}, at character ${cause.at}. ` +
      "The tables after it are not known: set schema.history.internal.skip.unparseable.ddl=true if it concerns no captured table, else take a new snapshot of the schema (snapshot.mode=recovery) once the log has no changes of the tables that came before it.",
    { javaClass: "io.debezium.text.ParsingException", cause },
  );
}
