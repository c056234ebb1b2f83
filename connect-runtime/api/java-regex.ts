/**
 * java.util.regex patterns run by JavaScript's engine. The pattern is translated once; what only Java has (possessive
 * quantifiers, \Q…\E, class unions and intersections, POSIX classes, inline flags) is rewritten. Patterns that need none
 * of JavaScript's set notation are compiled without flags, because V8 can then fall back to linear time.
 */
import v8 from "node:v8";
import { translate, type Translation } from "./java-regex-translate.ts";

// A pattern that backtracks without end would stop its thread: V8's linear-time engine takes over where it can.
v8.setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
v8.setFlagsFromString("--regexp-backtracks-before-fallback=50000");

/** PatternSyntaxException: description, index and the pattern with a caret below, as Java's getMessage prints it. */
export class RegexSyntaxError extends Error {
  constructor(description: string, index: number, pattern: string) {
    const near = index >= 0 ? ` near index ${index}` : "";
    const caret = index >= 0 && index < pattern.length ? `\n${" ".repeat(index)}^` : "";
    super(`${description}${near}\n${pattern}${caret}`);
  }
}

export interface JavaRegexOptions {
  readonly ignoreCase?: boolean;
  readonly dotAll?: boolean;
}
export class JavaRegex {
  readonly pattern: string;
  /** Number of capturing groups. */
  readonly groups: number;
  readonly #whole: RegExp;
  readonly #search: RegExp;
  readonly #t: Translation;

  /** Throws RegexSyntaxError with Java's description. */
  constructor(pattern: string, options: JavaRegexOptions = {}) {
    const t = translate(pattern, options, false);
    const whole = translate(pattern, options, true);
    this.pattern = pattern;
    this.groups = t.groups;
    this.#t = t;
    try {
      this.#whole = new RegExp(`^(?:${whole.source})$`, whole.flags);
      this.#search = new RegExp(t.source, `${t.flags}g`);
    } catch (e) {
      throw new RegexSyntaxError(`Unsupported pattern: ${e instanceof Error ? e.message : String(e)}`, -1, pattern);
    }
  }
  /** Matcher.matches(): the whole text. */
  matches(text: string): boolean {
    return this.#whole.test(text);
  }
  /** Groups of a whole match (index 0 is the text), or null. */
  match(text: string): readonly (string | undefined)[] | null {
    const m = this.#whole.exec(text);
    return m === null ? null : this.#mapped(m);
  }
  #mapped(m: RegExpExecArray): readonly (string | undefined)[] {
    return this.#t.numbers === null ? m : this.#t.numbers.map((ours) => m[ours]);
  }
  #expand(replacement: string, m: RegExpExecArray): string {
    return expandReplacement(replacement, this.#mapped(m), this.#t.names);
  }
  /** Matcher.find() from the start. */
  find(text: string): boolean {
    this.#search.lastIndex = 0;
    return this.#search.test(text);
  }
  /** Matcher.replaceFirst after a whole match, or null when the text does not match as a whole. */
  replaceWhole(text: string, replacement: string): string | null {
    const m = this.#whole.exec(text);
    if (m === null) return null;
    // Java's replaceFirst searches anew: its first find may be shorter than the whole match (alternations, reluctant quantifiers).
    return this.replaceFirst(text, replacement);
  }
  replaceFirst(text: string, replacement: string): string {
    this.#search.lastIndex = 0;
    const m = this.#search.exec(text);
    if (m === null) return text;
    return text.slice(0, m.index) + this.#expand(replacement, m) + text.slice(m.index + m[0].length);
  }
  replaceAll(text: string, replacement: string): string {
    let out = "",
      last = 0;
    this.#search.lastIndex = 0;
    for (let m = this.#search.exec(text); m !== null; m = this.#search.exec(text)) {
      out += text.slice(last, m.index) + this.#expand(replacement, m);
      last = m.index + m[0].length;
      if (m[0] === "") this.#search.lastIndex++;
    }
    return out + text.slice(last);
  }
  /** String.split(regex): trailing empty strings are removed. */
  split(text: string): string[] {
    const parts: string[] = [];
    let last = 0;
    this.#search.lastIndex = 0;
    for (let m = this.#search.exec(text); m !== null; m = this.#search.exec(text)) {
      const end = m.index + m[0].length;
      if (m[0] === "") this.#search.lastIndex++;
      if (end === 0 || (m[0] === "" && m.index >= text.length)) continue;
      parts.push(text.slice(last, m.index));
      last = end;
    }
    parts.push(text.slice(last));
    while (parts.length > 1 && parts.at(-1) === "") parts.pop();
    return parts;
  }
}

/** What Java throws for a replacement that names a group which is not there. */
export class RegexReplacementError extends Error {
  readonly javaClass: string;
  constructor(message: string, javaClass: string) {
    super(message);
    this.javaClass = javaClass;
  }
}
const isDigit = (c: string | undefined): c is string => c !== undefined && c >= "0" && c <= "9";

/** Matcher.appendReplacement: `$1`, `${name}`, and `\` before a character that stands for itself. */
export function expandReplacement(
  replacement: string,
  groupTexts: readonly (string | undefined)[],
  names: ReadonlyMap<string, number>,
): string {
  let out = "";
  const groups = groupTexts.length - 1;
  for (let i = 0; i < replacement.length; i++) {
    const c = replacement.charAt(i);
    if (c === "\\") {
      if (++i === replacement.length)
        throw new RegexReplacementError("character to be escaped is missing", "java.lang.IllegalArgumentException");
      out += replacement.charAt(i);
    } else if (c !== "$") {
      out += c;
    } else if (replacement[i + 1] === "{") {
      const end = replacement.indexOf("}", i);
      const name = replacement.slice(i + 2, end < 0 ? undefined : end);
      const number = names.get(name);
      if (end < 0 || number === undefined)
        throw new RegexReplacementError(`No group with name {${name}}`, "java.lang.IllegalArgumentException");
      out += groupTexts[number] ?? "";
      i = end;
    } else {
      let digit = replacement[i + 1];
      if (!isDigit(digit)) {
        const text = digit === undefined ? "Illegal group reference: group index is missing" : "Illegal group reference";
        throw new RegexReplacementError(text, "java.lang.IllegalArgumentException");
      }
      let group = Number(digit);
      i++;
      if (group > groups) throw new RegexReplacementError(`No group ${group}`, "java.lang.IndexOutOfBoundsException");
      for (digit = replacement[i + 1]; isDigit(digit) && group * 10 + Number(digit) <= groups; digit = replacement[++i + 1])
        group = group * 10 + Number(digit);
      out += groupTexts[group] ?? "";
    }
  }
  return out;
}
