/** CREATE TABLE after the table's name. */
import type { TableId } from "#connectors/cdc/table-model";
import type { Action } from "./actions.ts";
import { charsetName, charsetWords, columnDefinition } from "./column-definition.ts";
import type { Cursor } from "./cursor.ts";
import type { Flavor } from "./ddl.ts";
import { isKeyOrConstraint, keyOrConstraint } from "./table-keys.ts";

export type CreateTable =
  | { readonly like: TableId }
  | { readonly actions: readonly Action[] /** Token after the last. */; readonly end: number };

export function createTable(c: Cursor, flavor: Flavor, database: string | null): CreateTable {
  if (c.accept("LIKE")) return { like: c.tableId(database) };
  const actions: Action[] = [];
  if (c.isSymbol("(")) {
    const second = c.ahead(1);
    if (second.kind === "word" && second.text === "LIKE") {
      c.next();
      c.next();
      const like = c.tableId(database);
      c.expectSymbol(")");
      return { like };
    }
    if (second.kind === "word" && QUERY.has(second.text)) fromQuery(c);
    c.next();
    definitions(c, actions, flavor);
    return { actions, end: options(c, actions) };
  }
  options(c, actions);
  return c.fail("the columns of the table are not in the statement", "content");
}
const QUERY = new Set(["SELECT", "WITH", "VALUES", "TABLE"]);
function fromQuery(c: Cursor): never {
  return c.fail("the columns of CREATE TABLE … SELECT come from a query", "content");
}
function definitions(c: Cursor, actions: Action[], flavor: Flavor): void {
  do {
    if (isKeyOrConstraint(c)) {
      const key = keyOrConstraint(c);
      if (key !== null) actions.push(key);
    } else actions.push({ kind: "add", column: columnDefinition(c, columnName(c), flavor), place: null, lenient: false });
  } while (c.symbol(","));
  c.expectSymbol(")");
}
function columnName(c: Cursor): string {
  const name = c.name();
  if (c.isSymbol(".")) c.fail("a column's own name expected");
  return name;
}
/** Options of the table, partitions; the end is before START TRANSACTION. */
function options(c: Cursor, actions: Action[]): number {
  while (!c.done) {
    if (c.isWord("START") && c.ahead(1).text === "TRANSACTION") {
      const end = c.at;
      c.skipStatement();
      return end;
    }
    if (c.isWord("AS", "SELECT", "VALUES") || (c.isWord("WITH") && c.ahead(1).text !== "SYSTEM" && c.ahead(1).text !== "PARSER"))
      fromQuery(c);
    if (!tableOption(c, actions)) skipOne(c);
  }
  return c.at;
}
export function skipOne(c: Cursor): void {
  if (c.isSymbol("(")) c.skipParentheses();
  else c.next();
}
/** An option that counts for the model; false: another one. */
export function tableOption(c: Cursor, actions: Action[]): boolean {
  const at = c.at;
  c.accept("DEFAULT");
  if (charsetWords(c)) {
    c.symbol("=");
    actions.push({ kind: "charset", choice: { charset: charsetName(c), collation: null }, convert: false });
  } else if (c.accept("COLLATE")) {
    c.symbol("=");
    actions.push({ kind: "charset", choice: { charset: null, collation: c.name() }, convert: false });
  } else if (c.accept("COMMENT")) {
    c.symbol("=");
    if (c.token.kind !== "single" && c.token.kind !== "double") c.fail("a comment's text expected");
    actions.push({ kind: "comment", text: c.next().text.slice(1, -1) });
  } else if (c.accept("WITH", "SYSTEM", "VERSIONING")) actions.push({ kind: "versioning", on: true });
  else {
    c.at = at;
    return false;
  }
  return true;
}
