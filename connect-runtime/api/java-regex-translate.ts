/** Rewrites the source of a Java pattern for JavaScript's engine: one pass of a recursive-descent parser. */
import { characterClass, escapeInClass, namedClass } from "./java-regex-classes.ts";
import { RegexSyntaxError, type JavaRegexOptions } from "./java-regex.ts";

export interface Translation {
  readonly source: string;
  readonly flags: string;
  readonly groups: number;
  /** Java's group numbers → ours; null: the same. */
  readonly numbers: readonly number[] | null;
  readonly names: ReadonlyMap<string, number>;
}
interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
}
const LINE_END = "(?:\\r\\n|[\\n\\r\\u0085\\u2028\\u2029])";
const SYNTAX = /[\\^$.*+?()[\]{}|/]/;

export const literal = (c: string): string => {
  const code = c.codePointAt(0) ?? 0;
  if (SYNTAX.test(c)) return `\\${c}`;
  if (code < 32 || (code >= 127 && code <= 0xffff)) return `\\u${code.toString(16).padStart(4, "0")}`;
  return c;
};

/** Set notation, property escapes and code points above U+FFFF need the `v` flag. */
class NeedsSets {
  yes = false;
}

export class PatternParser {
  readonly text: string;
  readonly sets: NeedsSets;
  readonly names = new Map<string, number>();
  pos = 0;
  groups = 0;
  /** All groups in the order in which the translation opens them; null: one that it added itself. */
  readonly opened: (number | null)[] = [null];
  #flags: Flags;
  #atomics = 0;

  /** A back reference was seen: it has to ignore case by the engine's flag. */
  refersBack = false;
  readonly #whole: boolean;

  /** `whole`: the pattern has to match all of the text, so that a `$` at its end is the end. */
  constructor(text: string, sets: NeedsSets, flags: Flags, whole: boolean) {
    this.#whole = whole;
    this.text = text;
    this.sets = sets;
    this.#flags = flags;
  }
  get ignoreCase(): boolean {
    return this.#flags.i;
  }
  /** Case is ignored by writing both cases (ASCII only, as Java does): the linear-time engine knows no such flag. */
  character(c: string): string {
    if (!this.#flags.i || !/[A-Za-z]/.test(c)) return literal(c);
    return `[${c.toLowerCase()}${c.toUpperCase()}]`;
  }
  fail(description: string, index = this.pos): never {
    throw new RegexSyntaxError(description, index, this.text);
  }
  pattern(): string {
    const source = this.alternatives();
    if (this.pos < this.text.length) this.fail("Unmatched closing ')'", Math.max(this.pos - 1, 0));
    return source;
  }
  alternatives(): string {
    const before = this.#flags;
    let out = "";
    for (;;) {
      const c = this.text[this.pos];
      if (c === undefined || c === ")") break;
      if (c === "|") {
        this.pos++;
        out += "|";
        continue;
      }
      if (this.#flags.x && this.skipComment()) continue;
      const inline = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?\)/.exec(this.text.slice(this.pos));
      if (inline !== null) {
        this.pos += inline[0].length;
        this.#flags = this.changed(inline[1] ?? "", inline[2] ?? "");
        continue;
      }
      out += this.quantified();
    }
    this.#flags = before;
    return out;
  }
  skipComment(): boolean {
    const m = /^(?:\s+|#[^\n\r\u0085\u2028\u2029]*)/.exec(this.text.slice(this.pos));
    if (m === null) return false;
    this.pos += m[0].length;
    return true;
  }
  changed(on: string, off: string): Flags {
    for (const c of on + off) if (!"idmsuxU".includes(c)) this.fail("Unknown inline modifier");
    const f = this.#flags;
    const flag = (c: "i" | "m" | "s" | "x"): boolean => (off.includes(c) ? false : on.includes(c) || f[c]);
    return { i: flag("i"), m: flag("m"), s: flag("s"), x: flag("x") };
  }
  quantified(): string {
    const atomStart = this.pos;
    const openedBefore = this.opened.length;
    const atom = this.atom();
    let out = atom;
    {
      const m = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.text.slice(this.pos));
      if (m === null) {
        if (this.text[this.pos] === "{") this.fail("Illegal repetition", this.pos);
        return out;
      }
      this.pos += m[0].length;
      const range = /^\{(\d+),(\d+)\}$/.exec(m[0]);
      if (range !== null && Number(range[1]) > Number(range[2])) this.fail("Illegal repetition range", this.pos - 1);
      const quantifiable = /^\(\?<?[=!]|^\\?[bB^$]$/.test(atom) ? `(?:${atom})` : atom;
      const kind = this.text[this.pos];
      if (kind === "?") {
        this.pos++;
        out = `${quantifiable}${m[0]}?`;
      } else if (kind === "+") {
        this.pos++;
        out = this.atomic(`${quantifiable}${m[0]}`, openedBefore);
      } else out = `${quantifiable}${m[0]}`;
      if (atom === "") this.fail(`Dangling meta character '${m[0].charAt(0)}'`, atomStart);
      const next = this.text[this.pos];
      if (next === "*" || next === "+" || next === "?") this.fail(`Dangling meta character '${next}'`);
      return out;
    }
  }
  /** A lookahead that captures, then that capture: nothing inside is given back. */
  atomic(source: string, openedBefore: number): string {
    this.opened.splice(openedBefore, 0, null);
    const name = `a${this.#atomics++}`;
    return `(?=(?<${name}>${source}))\\k<${name}>`;
  }
  atom(): string {
    const c = String.fromCodePoint(this.text.codePointAt(this.pos) ?? 0);
    switch (c) {
      case "(":
        return this.group();
      case "[":
        return characterClass(this);
      case ".":
        this.pos++;
        return this.#flags.s ? "[^]" : "[^\\n\\r\\u0085\\u2028\\u2029]";
      case "^":
        this.pos++;
        return this.#flags.m ? `(?:^|(?<=${LINE_END})(?=[^]))` : "^";
      case "$":
        this.pos++;
        if (this.#whole && !this.#flags.m && this.pos === this.text.length) return "$";
        return this.#flags.m ? `(?=${LINE_END}|$)` : this.pos === this.text.length ? `(?:$|(?=${LINE_END}$))` : `(?=${LINE_END}?$)`;
      case "*":
      case "+":
      case "?":
        return this.fail(`Dangling meta character '${c}'`);
      case "\\":
        return this.escape();
      default:
        this.pos += c.length;
        if (c.length > 1) this.sets.yes = true;
        return this.character(c);
    }
  }
  group(): string {
    const start = this.pos;
    const rest = this.text.slice(start, start + 80);
    const special = /^\(\?(<?[=!]|:|>|<([a-zA-Z][a-zA-Z0-9]*)>|([a-zA-Z]*)(?:-([a-zA-Z]+))?:)/.exec(rest);
    const before = this.#flags;
    const openedBefore = this.opened.length;
    if (special === null) {
      if (rest.startsWith("(?<")) this.fail("named capturing group is missing trailing '>'", start + 3);
      if (rest.startsWith("(?")) this.fail("Unknown inline modifier", Math.min(start + 2, this.text.length));
      this.pos++;
      return this.capture();
    }
    this.pos += special[0].length;
    const kind = special[1] ?? "";
    if (special[2] !== undefined) {
      if (this.names.has(special[2])) this.fail(`Named capturing group <${special[2]}> is already defined`, this.pos);
      this.names.set(special[2], this.groups + 1);
      return this.capture();
    }
    if (kind === ">") return this.atomic(`(?:${this.body()})`, openedBefore);
    if (kind === ":" || !kind.endsWith(":")) return `(?${kind}${this.body()})`;
    this.#flags = this.changed(special[3] ?? "", special[4] ?? "");
    const body = this.body();
    this.#flags = before;
    return `(?:${body})`;
  }
  /** Groups are named by Java's number, so that groups of our own between them do no harm. */
  capture(): string {
    const number = ++this.groups;
    this.opened.push(number);
    return `(?<g${number}>${this.body()})`;
  }
  body(): string {
    const source = this.alternatives();
    if (this.text[this.pos] !== ")") this.fail("Unclosed group", this.text.length);
    this.pos++;
    return source;
  }
  escape(): string {
    const c = this.text[this.pos + 1];
    if (c === undefined) this.fail("Unexpected internal error", this.pos + 1);
    if (c === "Q") {
      const end = this.text.indexOf("\\E", this.pos + 2);
      const quoted = this.text.slice(this.pos + 2, end < 0 ? undefined : end);
      this.pos = end < 0 ? this.text.length : end + 2;
      if (quoted === "") return "(?:)";
      const characters = Array.from(quoted, (q) => this.character(q));
      // A quantifier after the quotation binds to its last character: leave that one to the caller's regex as it stands.
      return characters.join("");
    }
    if (c >= "1" && c <= "9") return this.backReference();
    if (c === "k") return this.namedReference();
    const simple = { A: "^", z: "$", Z: `(?=${LINE_END}?$)`, b: "\\b", B: "\\B", R: LINE_END, G: "(?:)" }[c];
    if (simple !== undefined) {
      this.pos += 2;
      return simple;
    }
    const named = namedClass(this);
    if (named !== null) return named.length > 2 && !named.startsWith("\\") ? `[${named}]` : named;
    const point = escapeInClass(this);
    if (point.length > 1) this.sets.yes = true;
    return this.character(point);
  }
  backReference(): string {
    let n = Number(this.text[++this.pos]);
    this.pos++;
    for (
      let d = this.text[this.pos];
      d !== undefined && d >= "0" && d <= "9" && n * 10 + Number(d) <= this.groups;
      d = this.text[++this.pos]
    )
      n = n * 10 + Number(d);
    this.refersBack = true;
    // A group that does not exist (yet) never matches.
    return n > this.groups ? "(?!)" : `\\k<g${n}>`;
  }
  namedReference(): string {
    const m = /^\\k<([a-zA-Z][a-zA-Z0-9]*)>/.exec(this.text.slice(this.pos));
    if (m === null) this.fail("\\k is not followed by '<' for named capturing group", this.pos + 2);
    const name = m[1] ?? "";
    const number = this.names.get(name);
    if (number === undefined) this.fail(`named capturing group <${name}> does not exist`, this.pos + m[0].length - 1);
    this.pos += m[0].length;
    this.refersBack = true;
    return `\\k<g${number}>`;
  }
}

export function translate(pattern: string, options: JavaRegexOptions, whole: boolean): Translation {
  const sets = new NeedsSets();
  let rest = pattern;
  let ignoreCase = options.ignoreCase ?? false;
  // A leading (?i) is the usual form; as a flag of the whole it keeps the linear-time engine usable.
  if (rest.startsWith("(?i)")) {
    ignoreCase = true;
    rest = rest.slice(4);
  }
  const parser = new PatternParser(rest, sets, { i: ignoreCase, m: false, s: options.dotAll ?? false, x: false }, whole);
  try {
    const source = parser.pattern();
    const flags = (ignoreCase && parser.refersBack ? "i" : "") + (sets.yes ? "v" : "");
    const plain = parser.opened.every((java, ours) => java === (ours === 0 ? null : ours));
    const numbers = Array.from({ length: parser.groups + 1 }, (_, java) => (java === 0 ? 0 : parser.opened.indexOf(java)));
    return { source, flags, groups: parser.groups, numbers: plain ? null : numbers, names: parser.names };
  } catch (e) {
    if (rest !== pattern && e instanceof RegexSyntaxError)
      new PatternParser(pattern, sets, { i: false, m: false, s: false, x: false }, whole).pattern();
    throw e;
  }
}
