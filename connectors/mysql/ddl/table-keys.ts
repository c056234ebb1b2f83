/** Keys, indexes and constraints among a table's definitions. */
import type { Action } from "./actions.ts";
import type { Cursor } from "./cursor.ts";

const INDEX_WORDS = ["INDEX", "KEY", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK"] as const;
/** The cursor is at a key, an index or a constraint, not at a column. */
export function isKeyOrConstraint(c: Cursor): boolean {
  if (c.isWord("CONSTRAINT", "PRIMARY", "UNIQUE", ...INDEX_WORDS)) return true;
  const second = c.ahead(1).text;
  return (c.isWord("VECTOR") && (second === "INDEX" || second === "KEY")) || atPeriod(c);
}
/** `PERIOD FOR`, also with IF [NOT] EXISTS (MariaDB). */
export const atPeriod = (c: Cursor): boolean => c.isWord("PERIOD") && (c.ahead(1).text === "FOR" || c.ahead(1).text === "IF");
/** Past it; what matters of it, or null. */
export function keyOrConstraint(c: Cursor): Action | null {
  if (c.accept("CONSTRAINT")) {
    c.ifNotExists();
    if (!c.isWord("PRIMARY", "UNIQUE", "FOREIGN", "CHECK") || c.ahead(1).kind === "word") optionalName(c);
  }
  const action = c.accept("PRIMARY", "KEY") ? primary(c) : c.accept("UNIQUE") ? unique(c) : atPeriod(c) ? period(c) : null;
  c.skipEntry();
  return action;
}
/** A name before PRIMARY, UNIQUE …; these words are reserved, so what is another word is the name. */
function optionalName(c: Cursor): void {
  if (!c.isWord("PRIMARY", "UNIQUE", "FOREIGN", "CHECK")) c.name();
}
function primary(c: Cursor): Action {
  c.ifNotExists();
  beforeColumns(c);
  return { kind: "primary", columns: indexColumns(c) ?? c.fail("a primary key has columns") };
}
/** MariaDB: https://mariadb.com/kb/en/application-time-periods/ */
function period(c: Cursor): Action {
  c.next();
  const lenient = c.ifNotExists();
  if (!c.accept("FOR")) c.fail("FOR expected");
  const name = c.name();
  return { kind: "period", name, columns: indexColumns(c) ?? c.fail("a period has columns"), lenient };
}
function unique(c: Cursor): Action {
  c.acceptAny("INDEX", "KEY");
  c.ifNotExists();
  beforeColumns(c);
  return { kind: "unique", columns: indexColumns(c) };
}
/** Name and `USING BTREE`. */
function beforeColumns(c: Cursor): void {
  while (!c.isSymbol("(")) {
    if (c.done || c.isSymbol(",")) c.fail("columns of a key expected");
    c.next();
  }
}
/** Names of an index's columns; null: expressions are among them. */
export function indexColumns(c: Cursor): readonly string[] | null {
  c.expectSymbol("(");
  const names: string[] = [];
  let plain = true;
  do {
    if (c.isSymbol("(")) plain = false;
    else names.push(c.name());
    c.skipEntry();
  } while (c.symbol(","));
  c.expectSymbol(")");
  return plain ? names : null;
}
