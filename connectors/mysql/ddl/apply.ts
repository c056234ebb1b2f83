/** Makes a table out of actions: the order of things is the server's (mysql_prepare_alter_table), the fields are Debezium's. */
import type { Column, ColumnDetail, Table, TableId } from "#connectors/cdc/table-model";
import type { Action } from "./actions.ts";
import { type CharsetDefault, chosen, sameCharset } from "./charset.ts";
import { type ColumnDraft, finishedColumn } from "./column-definition.ts";
import type { Flavor } from "./ddl.ts";

const same = (a: string, b: string): boolean => a === b || a.toLowerCase() === b.toLowerCase();
type Of<K extends Action["kind"]> = Extract<Action, { kind: K }>;

/** The statement and the table do not go together: what was known of the table is not what the server has. */
export class Mismatch extends Error {}

class Columns {
  readonly list: Column[];
  /** Of the table before the statement. */
  readonly #before: readonly Column[];
  readonly #names = new Set<string>();

  /** Where FIRST is: MySQL keeps the key that it made itself (sql_generate_invisible_primary_key) before all. */
  readonly #first: 0 | 1;

  constructor(before: readonly Column[], flavor: Flavor) {
    this.#before = before;
    this.list = [...before];
    const head = before[0];
    const generated = head?.name === "my_row_id" && head.detail?.invisible === true && head.autoIncremented;
    this.#first = flavor === "mysql" && generated ? 1 : 0;
  }
  at(name: string): number {
    return this.list.findIndex((c) => same(c.name, name));
  }
  /** A column of the table as it was. */
  old(name: string): Column | undefined {
    return this.#before.find((c) => same(c.name, name));
  }
  /** Names are looked up for each column that is added. */
  has(name: string): boolean {
    if (this.#names.size !== this.list.length) for (const c of this.list) this.#names.add(c.name.toLowerCase());
    return this.#names.has(name.toLowerCase());
  }
  /** A column that the same statement has added or is to move; nothing if it has not (IF EXISTS). */
  replace(name: string, column: Column, place: { readonly after: string | null } | null): void {
    const at = this.at(name);
    if (at < 0) return;
    this.#names.delete(name.toLowerCase());
    this.list.splice(at, 1);
    if (place !== null) this.insert(column, place);
    else this.list.push(column);
    this.#names.add(column.name.toLowerCase());
  }
  insert(column: Column, place: { readonly after: string | null } | null): void {
    const at = place === null ? this.list.length : place.after === null ? this.#first : this.at(place.after) + 1;
    if (place !== null && place.after !== null && at === 0) throw new Mismatch(`there is no column '${place.after}'`);
    this.list.splice(at, 0, column);
    this.#names.add(column.name.toLowerCase());
  }
}

export interface TableShape {
  readonly id: TableId;
  readonly columns: readonly Column[];
  readonly primaryKeyColumnNames: readonly string[];
  readonly charset: CharsetDefault;
  /** What `CHARACTER SET DEFAULT` means. */
  readonly databaseCharset: CharsetDefault;
  readonly comment: string | null;
  readonly systemVersioned: boolean;
}
export interface ApplyOptions {
  readonly comments: boolean;
  /** CREATE TABLE: its character set is the model's too; ALTER TABLE: Debezium's model keeps the first. */
  readonly creates: boolean;
  readonly flavor: Flavor;
}
export function applied(shape: TableShape, actions: readonly Action[], o: ApplyOptions): Table {
  const charset = tableCharset(shape, actions, o.creates);
  const columns = new Columns(shape.columns, o.flavor);
  const names = changeColumns(columns, shape.primaryKeyColumnNames, actions, charset, o.comments);
  const conversion = actions.findLast((a): a is Of<"charset"> => a.kind === "charset" && a.convert);
  if (conversion !== undefined) convert(columns, chosen(conversion.choice, shape.databaseCharset).stored, o.flavor);
  setDefaults(columns, actions, names);
  const key = keyNames(
    columns,
    shape.primaryKeyColumnNames.flatMap((n) => renamed(n, names)),
    actions,
  );
  const comment = actions.findLast((a): a is Of<"comment"> => a.kind === "comment");
  const versioning = actions.findLast((a): a is Of<"versioning"> => a.kind === "versioning");
  const systemVersioned = versioning?.on ?? shape.systemVersioned;
  const differs = charset.stored !== null && !sameCharset(charset.stored, charset.charset);
  return {
    id: actions.findLast((a): a is Of<"renameTable"> => a.kind === "renameTable")?.to ?? shape.id,
    columns: columns.list.map((c, i) => (c.position === i + 1 ? c : { ...c, position: i + 1 })),
    primaryKeyColumnNames: key,
    defaultCharsetName: charset.charset,
    comment: comment !== undefined && o.comments ? comment.text : shape.comment,
    attributes: [],
    ...(differs || systemVersioned
      ? { detail: { ...(differs ? { storedCharset: charset.stored ?? "" } : {}), ...(systemVersioned ? { systemVersioned } : {}) } }
      : {}),
  };
}
/** Beside CONVERT TO an option of its own says the table's default; MariaDB lets the two differ, MySQL refuses that. */
function tableCharset({ charset: above, databaseCharset }: TableShape, actions: readonly Action[], creates: boolean): CharsetDefault {
  const said = actions.filter((a): a is Of<"charset"> => a.kind === "charset");
  const own = said.filter((a) => !a.convert);
  let charset: string | null = null;
  let collation: string | null = null;
  for (const { choice } of own.length === 0 ? said : own) {
    if (choice.charset !== null) charset = choice.charset;
    if (choice.collation !== null) collation = choice.collation;
    else if (choice.charset !== null) collation = null;
  }
  const isDefault = said.length > 0 && charset === null && collation === null;
  const taken = chosen({ charset, collation }, isDefault ? databaseCharset : above);
  return creates ? taken : { charset: above.charset, stored: taken.stored };
}
/** Old name to new name; null: dropped. */
type Names = ReadonlyMap<string, string | null>;
function renamed(name: string, names: Names): readonly string[] {
  const to = names.get(name.toLowerCase());
  return to === undefined ? [name] : to === null ? [] : [to];
}
/** What becomes of the columns that were there. MariaDB lets a statement change what it adds itself. */
function fatesOf(columns: Columns, actions: readonly Action[]): ReadonlyMap<string, Action> {
  const fates = new Map<string, Action>();
  const added = new Set<string>();
  for (const a of actions) {
    if (a.kind === "add") added.add(a.column.name.toLowerCase());
    const name = a.kind === "drop" ? a.name : a.kind === "change" || a.kind === "rename" ? a.from : null;
    if (name === null) continue;
    if (columns.old(name) !== undefined) fates.set(name.toLowerCase(), a);
    else if (a.kind === "change" && added.has(name.toLowerCase())) added.add(a.column.name.toLowerCase());
    else if (!("lenient" in a) || !a.lenient) throw new Mismatch(`there is no column '${name}'`);
  }
  return fates;
}
function changeColumns(
  columns: Columns,
  key: readonly string[],
  actions: readonly Action[],
  charset: CharsetDefault,
  comments: boolean,
): Names {
  const names = new Map<string, string | null>();
  const finished = (d: ColumnDraft): Column => finishedColumn(d, charset, comments);
  const moved: (() => void)[] = [];
  const list: Column[] = [];
  const fates = fatesOf(columns, actions);
  for (const old of columns.list) {
    const fate = fates.get(old.name.toLowerCase());
    if (fate === undefined) list.push(old);
    else if (fate.kind === "drop") names.set(old.name.toLowerCase(), null);
    else if (fate.kind === "rename") {
      names.set(old.name.toLowerCase(), fate.to);
      list.push({ ...old, name: fate.to });
    } else if (fate.kind === "change") {
      names.set(old.name.toLowerCase(), fate.column.name);
      list.push(kept(old, finished(fate.column), fate.keeps, key));
    }
  }
  columns.list.splice(0, columns.list.length, ...list);
  for (const a of actions) {
    if (a.kind === "change" && a.place !== null) {
      const old = columns.old(a.from);
      // Until its turn it stays where it was: AFTER may name a column that moves later (both servers, seen).
      if (old !== undefined) moved.push(() => columns.replace(a.column.name, kept(old, finished(a.column), a.keeps, key), a.place));
      else moved.push(() => columns.replace(a.from, finished(a.column), a.place));
    } else if (a.kind === "change" && columns.old(a.from) === undefined)
      moved.push(() => columns.replace(a.from, finished(a.column), null));
    else if (a.kind === "add")
      moved.push(() => {
        if (!columns.has(a.column.name)) columns.insert(finished(a.column), a.place);
        else if (!a.lenient) throw new Mismatch(`there is a column '${a.column.name}' already`);
      });
  }
  for (const move of moved) move();
  return names;
}
/** CHANGE keeps some of the column's traits in Debezium's model; a column of the key stays NOT NULL. */
function kept(old: Column, column: Column, keeps: boolean, key: readonly string[]): Column {
  if (!keeps) return column;
  const optional = column.optional && (old.optional || !key.includes(old.name));
  return {
    ...column,
    optional,
    hasDefaultValue: optional || column.defaultValueExpression !== null || (!column.optional && column.hasDefaultValue),
    autoIncremented: column.autoIncremented || old.autoIncremented,
    generated: column.generated || old.generated,
    comment: column.comment ?? old.comment,
  };
}
/**
 * CONVERT TO CHARACTER SET: every text column, also one that the statement defines otherwise (both servers, seen). MariaDB's JSON is
 * a LONGTEXT of utf8mb4 until then.
 */
function convert(columns: Columns, to: string | null, flavor: Flavor): void {
  for (const [i, column] of columns.list.entries()) {
    const stored = column.detail?.storedCharset ?? column.charsetName;
    const own = column.charsetName ?? (flavor === "mariadb" && column.typeName === "JSON" ? "utf8mb4" : null);
    if (own === null || to === null || sameCharset(stored, "binary")) continue;
    const { storedCharset: _stored, collation: _collation, ...rest } = column.detail ?? {};
    const detail: ColumnDetail = sameCharset(to, own) ? rest : { ...rest, storedCharset: to };
    const { detail: _detail, ...plain } = column;
    columns.list[i] = Object.keys(detail).length === 0 ? plain : { ...plain, detail };
  }
}
function setDefaults(columns: Columns, actions: readonly Action[], names: Names): void {
  for (const a of actions) {
    if (a.kind !== "default" && a.kind !== "visibility") continue;
    const at = columns.at(renamed(a.name, names)[0] ?? a.name);
    const column = columns.list[at];
    if (column === undefined) {
      if (a.kind === "default" && a.lenient) continue;
      throw new Mismatch(`there is no column '${a.name}'`);
    }
    if (a.kind === "default")
      columns.list[at] = {
        ...column,
        hasDefaultValue: a.value !== undefined || column.optional,
        defaultValueExpression: a.value ?? null,
      };
    else columns.list[at] = { ...column, detail: { ...column.detail, invisible: a.invisible } };
  }
}
/** A unique key is taken for the key when there is none and all its columns are NOT NULL. */
function keyNames(columns: Columns, before: readonly string[], actions: readonly Action[]): readonly string[] {
  let key = before;
  let ownPrimary = false;
  const periods = actions.filter((a): a is Of<"period"> => a.kind === "period" && a.name.toUpperCase() !== "SYSTEM_TIME");
  // `p WITHOUT OVERLAPS` stands for the end and the start of the period p.
  const ofPeriod = (name: string): readonly string[] =>
    (columns.at(name) < 0 && periods.find((p) => same(p.name, name))?.columns.toReversed()) || [name];
  const primary = (names: readonly string[]): void => {
    key = names.flatMap(ofPeriod).map((n) => notNull(columns, n));
    ownPrimary = true;
  };
  for (const a of actions) {
    if (a.kind === "primary") primary(a.columns);
    else if (a.kind === "dropPrimary" && !ownPrimary) key = [];
    else if (a.kind === "unique" && key.length === 0) key = uniqueKey(columns, a.columns) ?? key;
    else if ((a.kind === "add" || a.kind === "change") && a.column.key === "primary") primary([a.column.name]);
    else if ((a.kind === "add" || a.kind === "change") && a.column.key === "unique" && key.length === 0) key = [a.column.name];
  }
  return key;
}
export function uniqueKey(columns: { readonly list: readonly Column[] }, names: readonly string[] | null): readonly string[] | null {
  const found = (names ?? []).flatMap((n) => columns.list.find((c) => same(c.name, n)) ?? []);
  return names === null || found.length !== names.length || found.some((c) => c.optional) ? null : found.map((c) => c.name);
}
function notNull(columns: Columns, name: string): string {
  const at = columns.at(name);
  const column = columns.list[at];
  if (column === undefined) throw new Mismatch(`there is no column '${name}'`);
  if (column.optional) columns.list[at] = { ...column, optional: false, hasDefaultValue: column.defaultValueExpression !== null };
  return column.name;
}
