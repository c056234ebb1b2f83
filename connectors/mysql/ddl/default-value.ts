/** DEFAULT clauses, as Debezium's model keeps them. */
import type { Cursor } from "./cursor.ts";

/** What the model has for "now": values are filled in by the server. */
const NOW = "1970-01-01 00:00:00";

export const isOnUpdate = (c: Cursor): boolean => c.isWord("ON") && c.ahead(1).text === "UPDATE";
/** ON UPDATE CURRENT_TIMESTAMP and its synonyms. */
export function onUpdate(c: Cursor): void {
  c.next();
  c.next();
  c.next();
  if (c.isSymbol("(")) c.skipParentheses();
}
/**
 * Text of a literal without its outer quotes and otherwise as written; null: an expression; undefined: NULL, which is what a column
 * without a default has, and what the reference's model has for hexadecimal literals and sequences. The cursor is after DEFAULT.
 */
export function defaultValue(c: Cursor): string | null | undefined {
  const now = c.isWord("CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP", "CURDATE", "CURTIME");
  const value = c.accept("NULL") ? undefined : c.isSymbol("(") ? expression(c) : literal(c);
  // Only beside "now" it is part of the default in the reference's model; elsewhere it is an attribute of its own.
  if (now && isOnUpdate(c)) onUpdate(c);
  return value;
}
function expression(c: Cursor): null | undefined {
  const sequence = /^(NEXT|PREVIOUS)$/.test(c.ahead(1).text) && c.ahead(2).text === "VALUE";
  c.skipParentheses();
  return sequence ? undefined : null;
}
const isString = (c: Cursor, ahead = 0): boolean => c.ahead(ahead).kind === "single" || c.ahead(ahead).kind === "double";

function literal(c: Cursor): string | null | undefined {
  if (c.isSymbol("-") || c.isSymbol("+")) {
    const sign = c.next().text;
    if (c.isSymbol("(")) return expression(c);
    if (c.token.kind !== "number") c.fail("a number expected");
    return sign + c.next().text;
  }
  const t = c.token;
  if (t.kind === "number") {
    c.next();
    return /^0x/i.test(t.text) ? undefined : /^0b/i.test(t.text) ? null : t.text;
  }
  if (isString(c)) return strings(c, "").slice(1, -1);
  if (c.isSymbol("@")) return variable(c);
  if (t.kind !== "word") return c.fail("a default expected");
  return word(c, t.text);
}
/** `@v`, `@v := 1`, `@@session.sql_mode`: MariaDB takes them without parentheses. */
function variable(c: Cursor): null {
  while (c.symbol("@"));
  do c.name();
  while (c.symbol("."));
  if (c.symbol(":")) {
    c.expectSymbol("=");
    literal(c);
  }
  return null;
}
/** CASE … END; the cursor is after CASE. */
function cases(c: Cursor): null {
  for (let depth = 1; depth > 0; ) {
    const t = c.next();
    if (t.kind === "end") c.fail("END expected");
    if (t.kind === "word" && t.text === "CASE") depth++;
    else if (t.kind === "word" && t.text === "END") depth--;
  }
  return null;
}
/** Neighbouring texts are one. */
function strings(c: Cursor, prefix: string): string {
  let text = prefix;
  while (isString(c)) text += c.next().text;
  return text;
}
/** Temporal literals. */
const TEMPORAL = /^(DATE|TIME|TIMESTAMP)$/;
const SEQUENCE = /^(NEXT|PREVIOUS|NEXTVAL|LASTVAL)$/;
/** Digits of `_utf8mb4 x'41'` or `_latin1 0x41`; the cursor is at them. */
function digits(c: Cursor): boolean {
  const quoted = c.isWord("X", "B") && isString(c, 1);
  if (!quoted && c.token.kind !== "number") return false;
  if (quoted) c.next();
  c.next();
  return true;
}
function word(c: Cursor, name: string): string | null | undefined {
  const { start, end } = c.next();
  if (isString(c) && (name === "N" || name.startsWith("_"))) return strings(c, c.statement.slice(start, end));
  if (isString(c) && (name === "B" || name === "X")) {
    const bits = c.next().text.slice(1, -1);
    return name === "B" ? bits : undefined;
  }
  if (isString(c) && TEMPORAL.test(name)) return strings(c, "").slice(1, -1);
  if (name === "CASE") return cases(c);
  if (name.startsWith("_") && digits(c)) return undefined;
  if ((name === "NEXT" || name === "PREVIOUS") && c.accept("VALUE", "FOR")) c.tableId(null);
  while (c.symbol(".")) c.next();
  const from = c.at;
  if (c.isSymbol("(")) c.skipParentheses();
  if (SEQUENCE.test(name)) return undefined;
  if (name === "CURRENT_TIMESTAMP" || name === "NOW") return NOW;
  if (/^(LOCALTIME|LOCALTIMESTAMP|CURDATE|CURTIME)$/.test(name))
    return c.statement.slice(start, end) + (c.at > from ? c.text(from, c.at).replaceAll(/\s/g, "") : "");
  return name === "TRUE" || name === "FALSE" ? c.statement.slice(start, end) : null;
}
