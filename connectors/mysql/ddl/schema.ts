/**
 * The tables of a server as its statements made them: state of the DDL parser. `apply` either applies a whole text or nothing.
 */
import { type Table, type TableChange, type TableId, Tables } from "#connectors/cdc/table-model";
import type { Action } from "./actions.ts";
import { applied, Mismatch, uniqueKey } from "./apply.ts";
import { type CharsetChoice, type CharsetDefault, chosen } from "./charset.ts";
import { Cursor, unquoted } from "./cursor.ts";
import type { DdlContext, DdlEvent, DdlEventType, DdlResult, DdlSchemaOptions, Flavor } from "./ddl.ts";
import { UncertainDdl } from "./ddl.ts";
import { type StatementTarget, statements } from "./statements.ts";
import { tokens } from "./tokens.ts";

const UNKNOWN: CharsetDefault = { charset: null, stored: null };
const NEWEST = { mysql: 99_999, mariadb: 999_998 } as const;

export interface SchemaState {
  readonly databases: readonly (readonly [string, CharsetDefault])[];
  readonly server: CharsetDefault;
  readonly current: CharsetDefault | null;
  readonly tables: readonly Table[];
}
export class MysqlSchema {
  readonly tables: Tables;
  readonly options: DdlSchemaOptions;
  databases: Map<string, CharsetDefault> = new Map();
  server: CharsetDefault = UNKNOWN;
  /** Of the database that USE chose; the model falls back on it. */
  current: CharsetDefault | null = null;

  constructor(options: DdlSchemaOptions) {
    this.options = options;
    this.tables = new Tables(options.ignoreTableCase ?? false);
  }
  /** Throws UncertainDdl; then nothing was applied. */
  apply(statement: string, context: DdlContext): DdlResult {
    const run = new Run(this, context, statement);
    try {
      const { flavor, serverVersion } = this.options;
      const rules = {
        serverVersion: serverVersion ?? NEWEST[flavor],
        mariadb: flavor === "mariadb",
        plainBackslash: context.plainBackslash ?? false,
      };
      run.cursor = new Cursor(statement, tokens(statement, rules), context.typeNames);
      statements(run.cursor, run);
      return run.result();
    } catch (error) {
      run.undo();
      throw error;
    }
  }
  save(): SchemaState {
    return { databases: [...this.databases], server: this.server, current: this.current, tables: [...this.tables.values()] };
  }
  load(state: SchemaState): void {
    this.databases = new Map(state.databases);
    this.server = state.server;
    this.current = state.current;
    for (const table of state.tables) this.tables.put(table);
  }
}

class Run implements StatementTarget {
  readonly #schema: MysqlSchema;
  readonly #statement: string;
  readonly #given: string;
  readonly #events: DdlEvent[] = [];
  readonly #undo: (() => void)[] = [];
  #counts = false;
  /** The database that ALTER DATABASE names. */
  #about: string | null = null;
  #unknown: TableId | null = null;
  cursor: Cursor | null = null;
  database: string | null;

  constructor(schema: MysqlSchema, context: DdlContext, statement: string) {
    this.#schema = schema;
    this.#statement = statement;
    this.#given = context.database;
    this.database = context.database === "" ? null : context.database;
    const { databases, server, current } = schema;
    const copy = new Map(databases);
    this.#undo.push(() => Object.assign(schema, { databases: copy, server, current }));
  }
  get flavor(): Flavor {
    return this.#schema.options.flavor;
  }
  undo(): void {
    for (const step of this.#undo.reverse()) step();
  }
  result(): DdlResult {
    if (this.#events.length > 0) return { events: this.#events.map((e) => this.#asItEnds(e)), counts: true };
    const all: DdlEvent = {
      type: "DATABASE",
      databaseName: this.#about ?? this.#given,
      ddl: this.#statement,
      table: null,
      changes: [],
      whole: true,
      ...(this.#unknown !== null && { unknown: this.#unknown }),
    };
    return { events: [all], counts: this.#counts };
  }
  /** A name that one of several renames gave and a later one took again has no table to announce. */
  #asItEnds(event: DdlEvent): DdlEvent {
    const gone = event.type === "ALTER" && event.changes.some((c) => c.table !== null && this.#schema.tables.get(c.id) === undefined);
    return gone ? { ...event, changes: [] } : event;
  }
  #event(type: DdlEventType, ddl: string, table: TableId | null, changes: readonly TableChange[], database = table?.catalog): void {
    this.#events.push({ type, databaseName: database ?? this.#given, ddl, table, changes, whole: false });
  }
  #put(table: Table): void {
    const { tables } = this.#schema;
    const before = tables.get(table.id);
    this.#undo.push(() => (before === undefined ? tables.remove(table.id) : tables.put(before)));
    tables.put(table);
  }
  #remove(id: TableId): Table | undefined {
    const { tables } = this.#schema;
    const before = tables.get(id);
    if (before === undefined) return undefined;
    this.#undo.push(() => tables.put(before));
    tables.remove(id);
    return before;
  }
  #charsetFor(id: TableId): CharsetDefault {
    const own = this.#schema.databases.get(id.catalog ?? "");
    if (own !== undefined) return own;
    const { current, server } = this.#schema;
    return { charset: current?.charset ?? server.charset, stored: server.stored };
  }
  #uncertain(id: TableId, error: unknown): never {
    if (!(error instanceof Mismatch)) throw error;
    throw new UncertainDdl(error.message, { statement: this.#statement, at: 0, tables: [id], why: "content" });
  }
  createTable(id: TableId, actions: readonly Action[], lenient: boolean, ddl: string): void {
    this.#counts = true;
    if (lenient && this.#schema.tables.get(id) !== undefined) return;
    const charset = this.#charsetFor(id);
    const shape = { id, columns: [], primaryKeyColumnNames: [], charset, databaseCharset: charset, comment: null, systemVersioned: false };
    try {
      const table = applied(shape, actions, { comments: this.#comments, creates: true, flavor: this.flavor });
      this.#put(table);
      this.#event("CREATE", ddl, id, [{ type: "CREATE", id, previousId: null, table }]);
    } catch (error) {
      this.#uncertain(id, error);
    }
  }
  get #comments(): boolean {
    return this.#schema.options.comments ?? this.flavor === "mariadb";
  }
  createLike(id: TableId, like: TableId, lenient: boolean, ddl: string): void {
    this.#counts = true;
    const there = lenient ? this.#schema.tables.get(id) : undefined;
    // Nothing changes, but the reference announces it.
    if (there !== undefined) return this.#event("CREATE", ddl, id, [{ type: "CREATE", id, previousId: null, table: there }]);
    const model = this.#schema.tables.get(like);
    // A table that is not captured: neither is what is known of the new one.
    if (model === undefined)
      throw new UncertainDdl("the table it is made like is not known", {
        statement: this.#statement,
        at: 0,
        tables: [id, like],
        why: "content",
      });
    const table = { ...model, id };
    this.#put(table);
    this.#event("CREATE", ddl, id, [{ type: "CREATE", id, previousId: null, table }]);
  }
  alterTable(id: TableId, actions: readonly Action[], _lenient: boolean, ddl: string, hidden: boolean): void {
    this.#counts = true;
    const before = this.#schema.tables.get(id);
    // Not captured, so nothing was stored of it.
    if (before === undefined) {
      this.#unknown = id;
      return;
    }
    try {
      const charset = { charset: before.defaultCharsetName, stored: before.detail?.storedCharset ?? before.defaultCharsetName };
      const systemVersioned = before.detail?.systemVersioned ?? false;
      const shape = { ...before, charset, databaseCharset: this.#charsetFor(id), systemVersioned };
      const table = applied(shape, actions, { comments: this.#comments, creates: false, flavor: this.flavor });
      if (hidden && JSON.stringify(table) === JSON.stringify(before)) return;
      this.#remove(id);
      this.#put(table);
      this.#event("ALTER", ddl, table.id, [{ type: "ALTER", id: table.id, previousId: null, table }]);
    } catch (error) {
      this.#uncertain(id, error);
    }
  }
  dropTable(id: TableId, ddl: string): void {
    this.#remove(id);
    this.#event("DROP", ddl, id, [{ type: "DROP", id, previousId: null, table: null }]);
  }
  renameTable(from: TableId, to: TableId, ddl: string): void {
    const before = this.#remove(from);
    const table = before === undefined ? null : { ...before, id: to };
    if (table !== null) this.#put(table);
    this.#event("ALTER", ddl, to, table === null ? [] : [{ type: "ALTER", id: to, previousId: from, table }]);
  }
  truncateTable(id: TableId, ddl: string): void {
    const table = this.#schema.tables.get(id) ?? null;
    this.#event("TRUNCATE", ddl, id, table === null ? [] : [{ type: "ALTER", id, previousId: null, table }]);
  }
  uniqueIndex(id: TableId, columns: readonly string[] | null, ddl: string): void {
    const table = this.#schema.tables.get(id);
    if (table === undefined) this.#unknown = id;
    // A table that has its key is not touched: no event of its own, as with other indexes.
    if (table === undefined || table.primaryKeyColumnNames.length > 0 || columns === null) return;
    const key = uniqueKey({ list: table.columns }, columns);
    if (key !== null) this.#put({ ...table, primaryKeyColumnNames: key });
    this.#event("ALTER", ddl, null, [], id.catalog);
  }
  createDatabase(name: string, choice: CharsetChoice, ddl: string): void {
    if (!this.#schema.databases.has(name)) this.#schema.databases.set(name, chosen(choice, this.#schema.server));
    this.#event("DATABASE", ddl, null, [], name);
  }
  alterDatabase(name: string | null, choice: CharsetChoice): void {
    this.#counts = true;
    const database = name ?? this.database ?? "";
    if (choice.charset === null && choice.collation === null) return;
    this.#schema.databases.set(database, chosen(choice, this.#schema.databases.get(database) ?? this.#schema.server));
    this.#about = database;
  }
  dropDatabase(name: string, ddl: string): void {
    this.#schema.databases.delete(name);
    const fold = (s: string | null): string => (this.#schema.options.ignoreTableCase === true ? (s ?? "").toLowerCase() : (s ?? ""));
    for (const table of this.#schema.tables.values()) if (fold(table.id.catalog) === fold(name)) this.#remove(table.id);
    this.#event("DATABASE", ddl, null, [], name);
  }
  use(name: string, ddl: string): void {
    this.database = name;
    this.#schema.current = this.#schema.databases.get(name) ?? this.#schema.server;
    this.#event("DATABASE", ddl, null, [], name);
  }
  setVariables(variables: readonly (readonly [name: string, value: string])[], ddl: string): void {
    for (const [name, text] of variables) {
      const value = unquoted(text);
      const { server } = this.#schema;
      if (name === "character_set_server") this.#schema.server = { charset: value, stored: value.toLowerCase() };
      else if (name === "collation_server")
        this.#schema.server = { charset: server.charset, stored: chosen({ charset: null, collation: value }, server).stored };
    }
    this.#event("DATABASE", ddl, null, []);
  }
}
