/**
 * MySQL's and MariaDB's lexical rules. One pass, linear. Comments are left out; versioned comments are read as what they hold when
 * the server would have run them. Double quotes are one kind of token (a name or a text, by place), so ANSI_QUOTES need not be known.
 */
export type TokenKind = "word" | "backtick" | "single" | "double" | "number" | "symbol" | "end";
export interface Token {
  readonly kind: TokenKind;
  /** In capitals for words; else as written, quotes included. */
  readonly text: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** From within a versioned comment. */
  readonly hidden: boolean;
}
export interface TokenRules {
  /** Five or six digits as in versioned comments (90100, 101109). */
  readonly serverVersion: number;
  readonly mariadb: boolean;
  /** sql_mode NO_BACKSLASH_ESCAPES. */
  readonly plainBackslash: boolean;
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
/** Letters, digits, _, $ and everything beyond ASCII. */
const isWord = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || isDigit(c) || c === 95 || c === 36 || c >= 128;
const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13) || c === 0;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y;

class Scanner {
  readonly #s: string;
  readonly #rules: TokenRules;
  readonly #out: Token[] = [];
  #at = 0;
  #hidden = false;

  constructor(text: string, rules: TokenRules) {
    this.#s = text;
    this.#rules = rules;
  }
  scan(): Token[] {
    const s = this.#s;
    while (this.#at < s.length) {
      const c = s.charCodeAt(this.#at);
      if (isSpace(c)) this.#at++;
      else if (c === 35 || (c === 45 && this.#dashComment())) this.#toLineEnd();
      else if (c === 47 && s.charCodeAt(this.#at + 1) === 42) this.#comment();
      else if (this.#hidden && c === 42 && s.charCodeAt(this.#at + 1) === 47) {
        this.#hidden = false;
        this.#at += 2;
      } else this.#token(c);
    }
    this.#out.push({ kind: "end", text: "", start: s.length, end: s.length, hidden: false });
    return this.#out;
  }
  #dashComment(): boolean {
    if (this.#s.charCodeAt(this.#at + 1) !== 45) return false;
    return this.#at + 2 >= this.#s.length || isSpace(this.#s.charCodeAt(this.#at + 2));
  }
  #toLineEnd(): void {
    const end = this.#s.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#s.length : end + 1;
  }
  #comment(): void {
    const run = this.#hidden ? null : this.#versioned();
    if (run !== null) {
      this.#at = run;
      this.#hidden = true;
      return;
    }
    const end = this.#s.indexOf("*/", this.#at + 2);
    this.#at = end < 0 ? this.#s.length : end + 2;
  }
  /** Where the statement goes on inside of a versioned comment; null: a comment. */
  #versioned(): number | null {
    let at = this.#at + 2;
    const own = this.#s.charCodeAt(at) === 77;
    if (own) at++;
    if (this.#s.charCodeAt(at) !== 33 || (own && !this.#rules.mariadb)) return null;
    at++;
    const from = at;
    while (at < this.#s.length && at - from < 6 && isDigit(this.#s.charCodeAt(at))) at++;
    if (at - from < 5) return from;
    const version = Number(this.#s.slice(from, at));
    // MariaDB leaves out what is for MySQL 5.7 and later (https://mariadb.com/kb/en/comment-syntax/).
    if (this.#rules.mariadb && !own && version >= 50700 && version <= 99999) return null;
    return version <= this.#rules.serverVersion ? at : null;
  }
  #push(kind: TokenKind, end: number): void {
    const text = this.#s.slice(this.#at, end);
    this.#out.push({ kind, text: kind === "word" ? text.toUpperCase() : text, start: this.#at, end, hidden: this.#hidden });
    this.#at = end;
  }
  #token(c: number): void {
    if (c === 96 || c === 34 || c === 39) this.#push(c === 96 ? "backtick" : c === 34 ? "double" : "single", this.#quoted(c));
    else if (isDigit(c) || (c === 46 && isDigit(this.#s.charCodeAt(this.#at + 1)) && !this.#afterName())) this.#number();
    else if (isWord(c)) this.#push("word", this.#wordEnd(this.#at));
    else this.#push("symbol", this.#at + 1);
  }
  /** `.1st` after a name is the second part of the name. */
  #afterName(): boolean {
    const last = this.#out.at(-1);
    return last !== undefined && (last.kind === "word" || last.kind === "backtick") && last.end === this.#at;
  }
  #wordEnd(from: number): number {
    let at = from;
    while (at < this.#s.length && isWord(this.#s.charCodeAt(at))) at++;
    return at;
  }
  /** A name may begin with digits (`1st`), a number may not end in letters. */
  #number(): void {
    NUMBER.lastIndex = this.#at;
    const end = NUMBER.test(this.#s) ? NUMBER.lastIndex : this.#at + 1;
    const word = this.#wordEnd(this.#at);
    if (word > end && this.#s.charCodeAt(this.#at) !== 46) this.#push("word", word);
    else this.#push("number", end);
  }
  #quoted(quote: number): number {
    const escapes = quote !== 96 && !this.#rules.plainBackslash;
    let at = this.#at + 1;
    while (at < this.#s.length) {
      const c = this.#s.charCodeAt(at);
      if (c === 92 && escapes) at += 2;
      else if (c !== quote) at++;
      else if (this.#s.charCodeAt(at + 1) === quote) at += 2;
      else return at + 1;
    }
    return this.#s.length;
  }
}
/** The last token is `end`. */
export const tokens = (text: string, rules: TokenRules): readonly Token[] => new Scanner(text, rules).scan();
