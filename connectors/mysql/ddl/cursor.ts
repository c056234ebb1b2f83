/** Reads tokens; what is not as expected throws UncertainDdl. */
import type { TableId } from "#connectors/cdc/table-model";
import { type TypeNames, UncertainDdl } from "./ddl.ts";
import type { Token } from "./tokens.ts";

const END: Token = { kind: "end", text: "", start: 0, end: 0, hidden: false };

/** A name or a text without its quotes, doubled quotes made one; backslashes stay. */
export function unquoted(text: string): string {
  const q = text[0];
  if (q !== "`" && q !== '"' && q !== "'") return text;
  const inner = text.slice(1, text.length > 1 && text.endsWith(q) ? -1 : undefined);
  return inner.replaceAll(q + q, q);
}

export class Cursor {
  readonly statement: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  /** Tables seen, for the error. */
  readonly tables: TableId[] = [];
  /** Whose types the names of types are. */
  readonly typeNames: TypeNames;

  constructor(statement: string, tokens: readonly Token[], typeNames: TypeNames = "own") {
    this.statement = statement;
    this.#tokens = tokens;
    this.typeNames = typeNames;
  }
  get at(): number {
    return this.#at;
  }
  set at(value: number) {
    this.#at = value;
  }
  get token(): Token {
    return this.#tokens[this.#at] ?? this.#tokens.at(-1) ?? END;
  }
  ahead(n: number): Token {
    return this.#tokens[this.#at + n] ?? this.#tokens.at(-1) ?? END;
  }
  before(index: number): Token {
    return this.#tokens[index - 1] ?? END;
  }
  next(): Token {
    const token = this.token;
    if (this.#at < this.#tokens.length - 1) this.#at++;
    return token;
  }
  /** The text as written between two positions, `to` exclusive; what stands in versioned comments at the end is left out. */
  text(from: number, to: number): string {
    let last = to - 1;
    while (last > from && (this.#tokens[last] ?? END).hidden) last--;
    return this.statement.slice((this.#tokens[from] ?? END).start, (this.#tokens[last] ?? END).end);
  }
  /** Only what comments with versions hold. */
  hidden(from: number, to: number): boolean {
    return this.#tokens.slice(from, to).every((t) => t.hidden);
  }
  isWord(...words: readonly string[]): boolean {
    const t = this.token;
    return t.kind === "word" && words.includes(t.text);
  }
  isSymbol(symbol: string): boolean {
    const t = this.token;
    return t.kind === "symbol" && t.text === symbol;
  }
  get done(): boolean {
    return this.token.kind === "end" || this.isSymbol(";");
  }
  /** All of the words, in order, or nothing. */
  accept(...words: readonly string[]): boolean {
    for (let i = 0; i < words.length; i++) {
      const t = this.ahead(i);
      if (t.kind !== "word" || t.text !== words[i]) return false;
    }
    this.#at += words.length;
    return true;
  }
  acceptAny(...words: readonly string[]): string | null {
    if (!this.isWord(...words)) return null;
    return this.next().text;
  }
  symbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.next();
    return true;
  }
  expectSymbol(symbol: string): void {
    if (!this.symbol(symbol)) this.fail(`'${symbol}' expected`);
  }
  fail(message: string, why: "grammar" | "content" = "grammar"): never {
    const t = this.token;
    const near = t.kind === "end" ? "the end" : `'${this.statement.slice(t.start, t.start + 40)}'`;
    throw new UncertainDdl(`${message} near ${near}`, { statement: this.statement, at: t.start, tables: this.tables, why });
  }
  get isName(): boolean {
    const { kind } = this.token;
    return kind === "word" || kind === "backtick" || kind === "double" || kind === "single";
  }
  name(): string {
    if (!this.isName) this.fail("a name expected");
    const t = this.next();
    return t.kind === "word" ? this.statement.slice(t.start, t.end) : t.kind === "double" ? t.text.slice(1, -1) : unquoted(t.text);
  }
  /** A table's has doubled quotes made one also in double quotes: rows come under the server's name; columns keep the reference's. */
  #tableName(): string {
    const double = this.token.kind === "double";
    const name = this.name();
    return double ? name.replaceAll('""', '"') : name;
  }
  /** `t`, `db.t`, `.t`. */
  tableId(database: string | null): TableId {
    const first = this.isSymbol(".") ? null : this.#tableName();
    const second = this.symbol(".") ? this.#tableName() : null;
    const id =
      second === null
        ? { catalog: database, schema: null, table: first ?? "" }
        : { catalog: first ?? database, schema: null, table: second };
    this.tables.push(id);
    return id;
  }
  /** Past a balanced pair of parentheses; the cursor is at the opening one. */
  skipParentheses(): void {
    let depth = 0;
    do {
      const t = this.next();
      if (t.kind === "end") this.fail("')' expected");
      if (t.kind === "symbol" && t.text === "(") depth++;
      else if (t.kind === "symbol" && t.text === ")") depth--;
    } while (depth > 0);
  }
  /** Past the rest of a list's entry: up to a comma or closing parenthesis of this level, or the statement's end. */
  skipEntry(): void {
    while (!this.done && !this.isSymbol(",") && !this.isSymbol(")")) {
      if (this.isSymbol("(")) this.skipParentheses();
      else this.next();
    }
  }
  skipStatement(): void {
    while (!this.done) this.next();
  }
  ifExists(): boolean {
    return this.accept("IF", "EXISTS");
  }
  ifNotExists(): boolean {
    return this.accept("IF", "NOT", "EXISTS");
  }
}
