/** ALTER TABLE after the table's name: its actions. */
import type { Action, Place } from "./actions.ts";
import { atPartitioning, charsetName, charsetWords, columnDefinition } from "./column-definition.ts";
import { skipOne, tableOption } from "./create-table.ts";
import type { Cursor } from "./cursor.ts";
import type { Flavor } from "./ddl.ts";
import { defaultValue } from "./default-value.ts";
import { atPeriod, isKeyOrConstraint, keyOrConstraint } from "./table-keys.ts";

export interface AlterContext {
  readonly flavor: Flavor;
  /** Database of the altered table, for RENAME TO. */
  readonly database: string | null;
}
/** Actions on partitions stand alone, ORDER BY is the last. */
const LAST = new Set(
  "PARTITION TRUNCATE DISCARD IMPORT COALESCE REORGANIZE EXCHANGE ANALYZE CHECK OPTIMIZE REBUILD REPAIR REMOVE ORDER".split(" "),
);
const OPTIONS = new Set(
  (
    "ALGORITHM LOCK FORCE ENABLE DISABLE WITH WITHOUT ENGINE TYPE AUTO_INCREMENT AVG_ROW_LENGTH CHECKSUM TABLE_CHECKSUM CHARACTER CHARSET CHAR " +
    "COLLATE COMMENT COMPRESSION CONNECTION DATA INDEX DEFAULT DELAY_KEY_WRITE ENCRYPTION ENCRYPTED ENCRYPTION_KEY_ID ENGINE_ATTRIBUTE INSERT_METHOD " +
    "KEY_BLOCK_SIZE MAX_ROWS MIN_ROWS PACK_KEYS PAGE_CHECKSUM PAGE_COMPRESSED PAGE_COMPRESSION_LEVEL PASSWORD ROW_FORMAT IETF_QUOTES " +
    "SECONDARY_ENGINE SECONDARY_ENGINE_ATTRIBUTE SECONDARY_LOAD SECONDARY_UNLOAD SEQUENCE STATS_AUTO_RECALC STATS_PERSISTENT STATS_SAMPLE_PAGES " +
    "STORAGE TABLESPACE TRANSACTIONAL UNION AUTOEXTEND_SIZE NODEGROUP START ONLINE"
  ).split(" "),
);

export function alterActions(c: Cursor, x: AlterContext): readonly Action[] {
  const actions: Action[] = [];
  while (!c.done) {
    action(c, x, actions);
    if (atPartitioning(c)) c.skipStatement();
    else if (!c.symbol(",") && !c.done) c.fail("a comma expected");
  }
  return actions;
}
function action(c: Cursor, x: AlterContext, out: Action[]): void {
  if (c.accept("ADD")) add(c, x, out);
  else if (c.accept("MODIFY")) change(c, x, out, false);
  else if (c.accept("CHANGE")) change(c, x, out, true);
  else if (c.accept("RENAME")) rename(c, x, out);
  else if (c.accept("DROP")) drop(c, out);
  else if (c.accept("ALTER")) alter(c, out);
  else if (c.accept("CONVERT")) convert(c, out);
  else if (c.token.kind === "word" && LAST.has(c.token.text)) c.skipStatement();
  else if (c.token.kind === "word" && (OPTIONS.has(c.token.text) || c.ahead(1).text === "=")) {
    while (!c.done && !c.isSymbol(",")) {
      if (c.isWord("PARTITION")) c.skipStatement();
      else if (!tableOption(c, out)) skipOne(c);
    }
  } else c.fail("the action is not known");
}
function place(c: Cursor): Place {
  if (c.accept("FIRST")) return { after: null };
  return c.accept("AFTER") ? { after: c.name() } : null;
}
function add(c: Cursor, x: AlterContext, out: Action[]): void {
  if (c.accept("SYSTEM", "VERSIONING")) {
    out.push({ kind: "versioning", on: true });
    return;
  }
  if (c.isWord("PARTITION")) {
    c.skipStatement();
    return;
  }
  if (isKeyOrConstraint(c)) {
    const key = keyOrConstraint(c);
    if (key !== null) out.push(key);
    return;
  }
  c.accept("COLUMN");
  const lenient = c.ifNotExists();
  if (!c.symbol("(")) {
    const column = columnDefinition(c, c.name(), x.flavor);
    out.push({ kind: "add", column, place: place(c), lenient });
    return;
  }
  do {
    if (isKeyOrConstraint(c)) {
      const key = keyOrConstraint(c);
      if (key !== null) out.push(key);
    } else out.push({ kind: "add", column: columnDefinition(c, c.name(), x.flavor), place: null, lenient });
  } while (c.symbol(","));
  c.expectSymbol(")");
}
function change(c: Cursor, x: AlterContext, out: Action[], named: boolean): void {
  c.accept("COLUMN");
  const lenient = c.ifExists();
  const from = c.name();
  const column = columnDefinition(c, named ? c.name() : from, x.flavor);
  out.push({ kind: "change", from, column, place: place(c), lenient, keeps: named });
}
function rename(c: Cursor, x: AlterContext, out: Action[]): void {
  if (c.accept("COLUMN")) {
    const lenient = c.ifExists();
    const from = c.name();
    if (!c.accept("TO")) c.fail("TO expected");
    out.push({ kind: "rename", from, to: c.name(), lenient });
  } else if (c.isWord("INDEX", "KEY")) c.skipEntry();
  else {
    if (!c.accept("TO") && !c.accept("AS")) c.symbol("=");
    out.push({ kind: "renameTable", to: c.tableId(x.database) });
  }
}
function drop(c: Cursor, out: Action[]): void {
  if (c.accept("PRIMARY", "KEY")) out.push({ kind: "dropPrimary" });
  else if (c.accept("SYSTEM", "VERSIONING")) out.push({ kind: "versioning", on: false });
  else if (c.isWord("PARTITION")) c.skipStatement();
  else if (c.accept("INDEX") || c.accept("KEY") || c.accept("CONSTRAINT")) {
    c.ifExists();
    if (c.name().toUpperCase() === "PRIMARY") {
      out.push({ kind: "dropPrimary" });
      c.accept("KEY");
    }
  } else if (c.isWord("FOREIGN", "CHECK") || atPeriod(c)) c.skipEntry();
  else {
    c.accept("COLUMN");
    const lenient = c.ifExists();
    out.push({ kind: "drop", name: c.name(), lenient });
    c.acceptAny("RESTRICT", "CASCADE");
  }
}
function alter(c: Cursor, out: Action[]): void {
  if (c.isWord("INDEX", "KEY", "CHECK", "CONSTRAINT")) {
    c.skipEntry();
    return;
  }
  c.accept("COLUMN");
  const lenient = c.ifExists();
  const name = c.name();
  if (c.accept("DROP", "DEFAULT")) out.push({ kind: "default", name, value: undefined, lenient });
  else if (c.accept("SET", "DEFAULT")) out.push({ kind: "default", name, value: defaultValue(c), lenient });
  else if (c.accept("SET", "INVISIBLE")) out.push({ kind: "visibility", name, invisible: true });
  else if (c.accept("SET", "VISIBLE")) out.push({ kind: "visibility", name, invisible: false });
  else if (c.accept("SET", "MASKING", "POLICY")) c.name();
  else if (c.accept("DROP", "MASKING", "POLICY")) return;
  else c.fail("SET or DROP DEFAULT expected");
}
function convert(c: Cursor, out: Action[]): void {
  if (c.isWord("PARTITION", "TABLE")) {
    c.skipStatement();
    return;
  }
  if (!c.accept("TO") || !charsetWords(c)) c.fail("TO CHARACTER SET expected");
  const charset = charsetName(c);
  out.push({ kind: "charset", choice: { charset, collation: c.accept("COLLATE") ? c.name() : null }, convert: true });
}
