/** Which statement it is; the ones that change tables, databases or variables go to the schema, the others are passed over. */
import type { TableId } from "#connectors/cdc/table-model";
import type { Action } from "./actions.ts";
import { alterActions } from "./alter-table.ts";
import type { CharsetChoice } from "./charset.ts";
import { charsetName, charsetWords } from "./column-definition.ts";
import { createTable } from "./create-table.ts";
import type { Cursor } from "./cursor.ts";
import type { Flavor } from "./ddl.ts";
import { indexColumns } from "./table-keys.ts";

/** What is done with what is read; texts are for the events. */
export interface StatementTarget {
  readonly flavor: Flavor;
  readonly database: string | null;
  createTable(id: TableId, actions: readonly Action[], lenient: boolean, ddl: string): void;
  createLike(id: TableId, like: TableId, lenient: boolean, ddl: string): void;
  alterTable(id: TableId, actions: readonly Action[], lenient: boolean, ddl: string, hidden: boolean): void;
  dropTable(id: TableId, ddl: string): void;
  renameTable(from: TableId, to: TableId, ddl: string): void;
  truncateTable(id: TableId, ddl: string): void;
  uniqueIndex(id: TableId, columns: readonly string[] | null, ddl: string): void;
  /** Null: the current one. */
  createDatabase(name: string, choice: CharsetChoice, ddl: string): void;
  alterDatabase(name: string | null, choice: CharsetChoice): void;
  dropDatabase(name: string, ddl: string): void;
  use(name: string, ddl: string): void;
  setVariables(variables: readonly (readonly [name: string, value: string])[], ddl: string): void;
}
const OBJECTS = new Set(
  "TABLE TABLES DATABASE SCHEMA INDEX VIEW PROCEDURE FUNCTION TRIGGER EVENT PACKAGE USER ROLE SERVER TABLESPACE LOGFILE SEQUENCE RESOURCE SPATIAL INSTANCE LIBRARY PREPARE".split(
    " ",
  ),
);
/** Their bodies hold statements. */
const ROUTINES = new Set("PROCEDURE FUNCTION TRIGGER EVENT PACKAGE LIBRARY".split(" "));
const HARMLESS = new Set(
  (
    "ANALYZE BACKUP BEGIN BINLOG CACHE CALL CHANGE CHECK CHECKSUM CLONE COMMIT DEALLOCATE DELETE DELIMITER DESC DESCRIBE DO END EXECUTE EXPLAIN FLUSH " +
    "GET GRANT HANDLER HELP IMPORT INSERT INSTALL KILL LOAD LOCK OPTIMIZE PREPARE PURGE RELEASE REPAIR REPLACE RESET RESIGNAL RESTART REVOKE ROLLBACK SAVEPOINT " +
    "SELECT SHOW SHUTDOWN SIGNAL START STOP TABLE UNINSTALL UNLOCK UPDATE VALUES WITH XA"
  ).split(" "),
);

/** All statements of the text. */
export function statements(c: Cursor, t: StatementTarget): void {
  while (c.token.kind !== "end") {
    if (c.symbol(";")) continue;
    statement(c, t);
    c.skipStatement();
  }
}
function statement(c: Cursor, t: StatementTarget): void {
  const start = c.at;
  if (c.accept("CREATE")) create(c, t, start);
  else if (c.accept("ALTER")) alter(c, t, start);
  else if (c.accept("DROP")) drop(c, t, start);
  else if (c.accept("RENAME")) rename(c, t, start);
  else if (c.accept("TRUNCATE")) truncate(c, t, start);
  else if (c.accept("USE")) use(c, t, start);
  else if (c.accept("SET")) set(c, t, start);
  else if (c.token.kind === "word" && HARMLESS.has(c.token.text)) rest(c);
  else if (c.isSymbol("(")) rest(c);
  else c.fail("the statement is not known");
}
/** To the end of the text: what follows may be the body of a block. */
function rest(c: Cursor): void {
  while (c.token.kind !== "end") c.next();
}
interface Kind {
  readonly object: string;
  readonly temporary: boolean;
  readonly unique: boolean;
}
/** Past OR REPLACE, DEFINER = …, TEMPORARY and so on, to after the word that says what it is. */
function kind(c: Cursor): Kind {
  let temporary = false;
  let unique = false;
  while (!c.done) {
    const { kind: token, text } = c.next();
    if (token !== "word") continue;
    if (text === "TEMPORARY") temporary = true;
    else if (text === "UNIQUE") unique = true;
    else if (OBJECTS.has(text) && !(text === "SPATIAL" && c.isWord("INDEX"))) return { object: text, temporary, unique };
  }
  return c.fail("what the statement is about is not known");
}
function passOver(c: Cursor, object: string): void {
  if (ROUTINES.has(object)) rest(c);
  else c.skipStatement();
}
function create(c: Cursor, t: StatementTarget, start: number): void {
  const { object, temporary, unique } = kind(c);
  if (object === "TABLE" && !temporary) {
    const lenient = c.ifNotExists();
    const id = c.tableId(t.database);
    const made = createTable(c, t.flavor, t.database);
    if ("like" in made) t.createLike(id, made.like, lenient, c.text(start, c.at));
    else t.createTable(id, made.actions, lenient, c.text(start, made.end));
  } else if (object === "DATABASE" || object === "SCHEMA") {
    c.ifNotExists();
    const name = c.name();
    t.createDatabase(name, databaseCharset(c), c.text(start, c.at));
  } else if (object === "INDEX" && unique) {
    c.ifNotExists();
    while (!c.isWord("ON")) {
      if (c.done) c.fail("ON expected");
      c.next();
    }
    c.next();
    const id = c.tableId(t.database);
    const columns = indexColumns(c);
    c.skipStatement();
    t.uniqueIndex(id, columns, c.text(start, c.at));
  } else passOver(c, object);
}
function databaseCharset(c: Cursor): CharsetChoice {
  const choice: CharsetChoice = { charset: null, collation: null };
  while (!c.done) {
    c.accept("DEFAULT");
    if (charsetWords(c)) {
      c.symbol("=");
      choice.charset = charsetName(c);
    } else if (c.accept("COLLATE")) {
      c.symbol("=");
      choice.collation = c.name();
    } else if (!c.done) c.next();
  }
  return choice;
}
function waits(c: Cursor): void {
  if (c.accept("WAIT")) c.next();
  else c.accept("NOWAIT");
}
function alter(c: Cursor, t: StatementTarget, start: number): void {
  const { object } = kind(c);
  if (object === "TABLE") {
    const lenient = c.ifExists();
    const id = c.tableId(t.database);
    waits(c);
    const actions = alterActions(c, { flavor: t.flavor, database: id.catalog });
    t.alterTable(id, actions, lenient, c.text(start, c.at), c.hidden(start, c.at));
  } else if (object === "DATABASE" || object === "SCHEMA") {
    const own = c.isName && !c.isWord("DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "ENCRYPTION", "READ", "COMMENT");
    const name = own ? c.name() : null;
    t.alterDatabase(name, databaseCharset(c));
  } else passOver(c, object);
}
/** Name in backticks, as in the texts of DROP TABLE. */
const backticked = (id: TableId): string => [id.catalog, id.table].map((p) => `\`${(p ?? "").replaceAll("`", "``")}\``).join(".");

function drop(c: Cursor, t: StatementTarget, start: number): void {
  const { object, temporary } = kind(c);
  if ((object === "TABLE" || object === "TABLES") && !temporary) {
    c.ifExists();
    // As written up to the first table; spaces at the end are kept.
    const head = c.statement.slice(c.ahead(start - c.at).start, c.token.start);
    const ids: TableId[] = [];
    do ids.push(c.tableId(t.database));
    while (c.symbol(","));
    waits(c);
    const { start: from, end } = c.token;
    const tail = c.acceptAny("RESTRICT", "CASCADE") === null ? "" : ` ${c.statement.slice(from, end)}`;
    for (const id of ids) t.dropTable(id, `${head}${backticked(id)}${tail}`);
  } else if (object === "DATABASE" || object === "SCHEMA") {
    c.ifExists();
    const name = c.name();
    t.dropDatabase(name, c.text(start, c.at));
  } else if (object === "INDEX") {
    c.ifExists();
    const primary = c.name().toUpperCase() === "PRIMARY";
    if (!c.accept("ON")) c.fail("ON expected");
    const id = c.tableId(t.database);
    c.skipStatement();
    if (primary) t.alterTable(id, [{ kind: "dropPrimary" }], false, c.text(start, c.at), false);
  } else passOver(c, object);
}
function rename(c: Cursor, t: StatementTarget, start: number): void {
  if (c.acceptAny("TABLE", "TABLES") === null) {
    c.skipStatement();
    return;
  }
  const head = c.statement.slice(c.ahead(start - c.at).start, c.token.start);
  do {
    const from = c.at;
    c.ifExists();
    const old = c.tableId(t.database);
    waits(c);
    if (!c.accept("TO")) c.fail("TO expected");
    const to = c.tableId(t.database);
    t.renameTable(old, to, head + c.text(from, c.at));
  } while (c.symbol(","));
}
function truncate(c: Cursor, t: StatementTarget, start: number): void {
  c.accept("TABLE");
  const id = c.tableId(t.database);
  waits(c);
  t.truncateTable(id, c.text(start, c.at));
}
function use(c: Cursor, t: StatementTarget, start: number): void {
  const name = c.name();
  t.use(name, c.text(start, c.at));
}
const SCOPES = ["GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"] as const;
/** SET of variables of the system; `SET NAMES`, `SET ROLE`, `SET @x` and others are passed over. */
function set(c: Cursor, t: StatementTarget, start: number): void {
  if (c.accept("STATEMENT")) {
    while (!c.isWord("FOR")) {
      if (c.done) c.fail("FOR expected");
      if (c.isSymbol("(")) c.skipParentheses();
      else c.next();
    }
    c.next();
    statement(c, t);
    return;
  }
  const variables: (readonly [string, string])[] = [];
  do {
    const variable = systemVariable(c);
    const from = c.at;
    c.skipEntry();
    if (variable !== null) variables.push([variable, c.text(from, c.at)]);
  } while (c.symbol(","));
  if (variables.length > 0) t.setVariables(variables, c.text(start, c.at));
}
/** The cursor is after `=` then. */
function systemVariable(c: Cursor): string | null {
  if (c.symbol("@")) {
    if (!c.symbol("@")) return null;
    if (c.isWord(...SCOPES) && c.ahead(1).text === ".") {
      c.next();
      c.next();
    }
  } else if (c.ahead(1).text !== "=" && c.ahead(1).text !== ":") c.acceptAny(...SCOPES);
  if (!c.isName) return null;
  const name = c.name();
  if (c.symbol(":") || c.isSymbol("=")) c.symbol("=");
  else return null;
  return name.toLowerCase();
}
