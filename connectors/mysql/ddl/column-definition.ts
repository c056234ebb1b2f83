/** A column as CREATE TABLE and ALTER TABLE define it: type, then attributes in any order. */
import type { Column, ColumnDetail } from "#connectors/cdc/table-model";
import { type CharsetChoice, type CharsetDefault, charsetOfCollation, chosen, sameCharset } from "./charset.ts";
import { type ColumnType, columnType } from "./column-type.ts";
import type { Cursor } from "./cursor.ts";
import type { Flavor } from "./ddl.ts";
import { defaultValue, isOnUpdate, onUpdate } from "./default-value.ts";

export interface ColumnDraft {
  readonly name: string;
  readonly type: ColumnType;
  readonly text: CharsetChoice;
  /** Something that is not of the type has been read: the reference overlooks a COLLATE after it. */
  constrained: boolean;
  collationInType: boolean;
  /** The attribute BINARY. */
  binary: boolean;
  optional: boolean;
  autoIncremented: boolean;
  generated: boolean;
  comment: string | null;
  /** Undefined: no DEFAULT clause. */
  defaultValue: string | null | undefined;
  key: "primary" | "unique" | null;
  invisible: boolean;
  generation: "virtual" | "stored" | null;
  systemVersioning: "start" | "end" | null;
}

export const charsetWords = (c: Cursor): boolean => c.accept("CHARACTER", "SET") || c.accept("CHAR", "SET") || c.accept("CHARSET");
/** `DEFAULT` gives null. */
export function charsetName(c: Cursor): string | null {
  const name = c.name();
  return name.toUpperCase() === "DEFAULT" ? null : name;
}

export function columnDefinition(c: Cursor, name: string, flavor: Flavor): ColumnDraft {
  const type = columnType(c, flavor);
  const draft: ColumnDraft = {
    name,
    type,
    text: { charset: type.charset, collation: null },
    constrained: false,
    collationInType: false,
    binary: false,
    optional: !type.serial,
    autoIncremented: type.serial,
    generated: type.serial,
    comment: null,
    defaultValue: undefined,
    key: type.serial ? "unique" : null,
    invisible: false,
    generation: null,
    systemVersioning: null,
  };
  while (!c.done && !c.isSymbol(",") && !c.isSymbol(")") && !c.isWord("FIRST", "AFTER") && !atPartitioning(c)) attribute(c, draft);
  return draft;
}
/** What ALTER TABLE does with partitions may follow its last action without a comma. */
export const atPartitioning = (c: Cursor): boolean =>
  (c.isWord("PARTITION") && c.ahead(1).text === "BY") || (c.isWord("REMOVE") && c.ahead(1).text === "PARTITIONING");
function attribute(c: Cursor, d: ColumnDraft): void {
  if (charsetWords(c)) d.text.charset = charsetName(c);
  else if (c.accept("COLLATE")) {
    d.text.collation = c.name();
    d.collationInType = !d.constrained;
  } else {
    d.constrained ||= !c.isWord("BINARY", "ASCII", "UNICODE");
    constraint(c, d);
  }
}
function constraint(c: Cursor, d: ColumnDraft): void {
  if (c.accept("NOT", "NULL")) d.optional = false;
  else if (c.accept("NULL")) d.optional = true;
  else if (c.accept("DEFAULT")) d.defaultValue = defaultValue(c);
  else if (c.accept("AUTO_INCREMENT")) selfMade(d);
  else if (c.accept("PRIMARY", "KEY") || c.accept("PRIMARY")) primary(d);
  else if (c.accept("UNIQUE", "KEY") || c.accept("UNIQUE")) d.key ??= "unique";
  else if (c.accept("KEY")) primary(d);
  else if (c.accept("COMMENT")) {
    c.symbol("=");
    if (c.token.kind !== "single" && c.token.kind !== "double") c.fail("a comment's text expected");
    d.comment = c.next().text.slice(1, -1);
  } else rareAttribute(c, d);
}
function selfMade(d: ColumnDraft): void {
  d.autoIncremented = true;
  d.generated = true;
}
function primary(d: ColumnDraft): void {
  d.key = "primary";
  d.optional = false;
}
function rareAttribute(c: Cursor, d: ColumnDraft): void {
  if (c.accept("INVISIBLE")) d.invisible = true;
  else if (c.accept("VISIBLE")) d.invisible = false;
  else if (isOnUpdate(c)) {
    onUpdate(c);
    selfMade(d);
  } else if (c.accept("BINARY")) d.binary = true;
  else if (c.accept("ASCII")) d.text.charset = "latin1";
  else if (c.accept("UNICODE")) d.text.charset = "ucs2";
  else if (c.accept("SERIAL", "DEFAULT", "VALUE")) {
    selfMade(d);
    d.optional = false;
    d.key ??= "unique";
  } else if (c.accept("GENERATED", "ALWAYS", "AS") || c.accept("AS")) generation(c, d);
  else if (c.accept("REFERENCES")) references(c);
  else if (c.isWord("CONSTRAINT", "CHECK")) named(c);
  else if (c.accept("WITH", "SYSTEM", "VERSIONING") || c.accept("WITHOUT", "SYSTEM", "VERSIONING") || c.accept("NOT", "SECONDARY")) return;
  else if (c.accept("SRID") || c.accept("COLUMN_FORMAT") || c.accept("STORAGE") || c.accept("MASKING", "POLICY")) c.next();
  else if (d.type.kind === "enum" && c.accept("BYTE")) d.text.charset = "binary";
  else if (c.acceptAny("ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "REF_SYSTEM_ID") !== null) value(c);
  else if (c.accept("COMPRESSED")) {
    if (c.isSymbol("=")) value(c);
  } else if (c.isName && c.ahead(1).text === "=") {
    // Attributes of engines (MariaDB).
    c.next();
    value(c);
  } else c.fail("an attribute of a column expected");
}
function value(c: Cursor): void {
  c.symbol("=");
  c.next();
}
function generation(c: Cursor, d: ColumnDraft): void {
  if (c.accept("ROW", "START")) d.systemVersioning = "start";
  else if (c.accept("ROW", "END")) d.systemVersioning = "end";
  else {
    c.skipParentheses();
    d.generation = c.acceptAny("STORED", "PERSISTENT") === null ? "virtual" : "stored";
    c.accept("VIRTUAL");
  }
}
function references(c: Cursor): void {
  c.tableId(null);
  if (c.isSymbol("(")) c.skipParentheses();
  for (;;) {
    if (c.accept("MATCH")) c.next();
    else if (c.accept("ON", "DELETE") || c.accept("ON", "UPDATE")) {
      if (!c.accept("SET", "NULL") && !c.accept("SET", "DEFAULT") && !c.accept("NO", "ACTION")) c.next();
    } else return;
  }
}
function named(c: Cursor): void {
  if (c.accept("CONSTRAINT") && !c.isWord("CHECK", "REFERENCES")) c.name();
  if (c.accept("REFERENCES")) {
    references(c);
    return;
  }
  if (!c.accept("CHECK")) c.fail("CHECK or REFERENCES expected");
  c.skipParentheses();
  if (!c.accept("NOT", "ENFORCED")) c.accept("ENFORCED");
}

const isText = (t: ColumnType): boolean => t.kind === "text" || t.kind === "enum" || t.kind === "national";
/** `above`: of the table. Position is given by the table. */
export function finishedColumn(d: ColumnDraft, above: CharsetDefault, comments: boolean): Column {
  const { type } = d;
  const taken = chosen(d.text, above);
  // What the reference does not see or know (utf8's by their old names, uca1400): the table's character set then.
  const known = type.kind !== "enum" && d.collationInType && !/^utf8_|_uca1400_/i.test(d.text.collation ?? "");
  const fromCollation = known && d.text.collation !== null ? charsetOfCollation(d.text.collation) : null;
  const charset = type.kind === "national" ? "utf8" : (d.text.charset ?? fromCollation ?? above.charset);
  const stored = type.kind === "national" ? "utf8" : taken.stored;
  const typeName = d.binary && isText(type) ? `${type.typeName} BINARY` : type.typeName;
  const detail: ColumnDetail = {
    ...(isText(type) && stored !== null && !sameCharset(stored, charset) ? { storedCharset: stored } : {}),
    ...(d.text.collation === null ? {} : { collation: d.text.collation }),
    ...(d.invisible ? { invisible: true } : {}),
    ...(d.generation === null ? {} : { generation: d.generation }),
    ...(d.systemVersioning === null ? {} : { systemVersioning: d.systemVersioning }),
  };
  return {
    name: d.name,
    position: 0,
    jdbcType: type.jdbcType,
    nativeType: null,
    typeName,
    typeExpression: typeName,
    charsetName: isText(type) ? charset : null,
    length: type.length,
    scale: type.scale,
    optional: d.optional,
    autoIncremented: d.autoIncremented,
    generated: d.generated,
    comment: comments ? d.comment : null,
    // Without a clause a column that may be NULL has the default NULL.
    hasDefaultValue: d.optional || d.defaultValue !== undefined,
    defaultValueExpression: d.defaultValue ?? null,
    enumValues: type.enumValues,
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
  };
}
