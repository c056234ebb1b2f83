/** Character classes and escapes of Java patterns. Punctuation is written as \u escapes: valid with and without the `v` flag. */
import type { PatternParser } from "./java-regex-translate.ts";

const escaped = (code: number): string => {
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  const c = String.fromCharCode(code);
  return /[A-Za-z0-9_ ]/.test(c) ? c : `\\u${code.toString(16).padStart(4, "0")}`;
};

const SHORTHANDS: Readonly<Record<string, string>> = {
  d: "0-9",
  w: "a-zA-Z_0-9",
  s: " \\t\\n\\u000b\\f\\r",
  h: " \\t\\u00a0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000",
  v: "\\n\\u000b\\f\\r\\u0085\\u2028\\u2029",
};
const POSIX: Readonly<Record<string, string>> = {
  Lower: "a-z",
  Upper: "A-Z",
  ASCII: "\\u0000-\\u007f",
  Alpha: "a-zA-Z",
  Digit: "0-9",
  Alnum: "a-zA-Z0-9",
  Punct: "\\u0021-\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u007e",
  Graph: "\\u0021-\\u007e",
  Print: "\\u0020-\\u007e",
  Blank: " \\t",
  Cntrl: "\\u0000-\\u001f\\u007f",
  XDigit: "0-9a-fA-F",
  Space: " \\t\\n\\u000b\\f\\r",
};
const JAVA_PROPERTIES: Readonly<Record<string, string>> = {
  javaLowerCase: "Lowercase",
  javaUpperCase: "Uppercase",
  javaAlphabetic: "Alphabetic",
  javaLetter: "L",
  javaDigit: "Nd",
  javaWhitespace: "White_Space",
  javaSpaceChar: "Z",
  javaTitleCase: "Lt",
  LC: "LC",
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, f: 12, a: 7, e: 27 };

/** A class escape at the parser's position as the inside of a class (`0-9`) or a `\p{…}`/`\P{…}`/`[^…]` item; null: another escape. */
export function namedClass(p: PatternParser): string | null {
  const c = p.text[p.pos + 1] ?? "";
  const lower = c.toLowerCase();
  const short = SHORTHANDS[lower];
  if (short !== undefined) {
    p.pos += 2;
    if (c === lower) return short;
    const plain = { D: "\\D", W: "\\W" }[c];
    if (plain !== undefined) return plain;
    return `\\${c}`;
  }
  if (lower !== "p") return null;
  const m = /^\\[pP](?:\{(\^?[^{}]*)\}|([A-Z]))/.exec(p.text.slice(p.pos));
  if (m === null) p.fail("Unclosed character family", p.text.length - 1);
  const end = p.pos + m[0].length;
  const item = property(p, m[1] ?? m[2] ?? "", c === "P", end);
  p.pos = end;
  return item;
}
function property(p: PatternParser, name: string, negated: boolean, end: number): string {
  p.sets.yes = true;
  const posix = POSIX[name];
  if (posix !== undefined) return negated ? `[^${posix}]` : `[${posix}]`;
  const spec = /^(?:(sc|script|blk|block|gc|general_category)=|(Is|In))?(.*)$/i.exec(name);
  const kind = (spec?.[1] ?? spec?.[2] ?? "").toLowerCase();
  const rest = spec?.[3] ?? name;
  const direct = JAVA_PROPERTIES[name];
  const word = rest.charAt(0).toUpperCase() + rest.slice(1).toLowerCase();
  const tries = kind.startsWith("sc") ? [`Script=${word}`] : direct === undefined ? [rest, word, `Script=${word}`] : [direct];
  for (const t of kind === "in" || kind.startsWith("bl") ? [`Script=${word}`] : tries) {
    const source = `\\${negated ? "P" : "p"}{${t}}`;
    try {
      new RegExp(source, "v");
      return source;
    } catch {
      // The next spelling may be known.
    }
  }
  return p.fail(`Unknown character property name {${name}}`, end - 1);
}

/** A single character written with a backslash. */
export function escapeInClass(p: PatternParser): string {
  const c = p.text[p.pos + 1];
  if (c === undefined) p.fail("Unexpected internal error", p.pos + 1);
  const take = (pattern: RegExp, base: number, error: string): string => {
    const m = pattern.exec(p.text.slice(p.pos));
    const code = Number.parseInt(m?.[1] ?? m?.[2] ?? "", base);
    if (m === null || code > 0x10ffff) p.fail(error, p.pos + 2);
    p.pos += m[0].length;
    return String.fromCodePoint(code);
  };
  if (c === "u") return take(/^\\u([0-9a-fA-F]{4})/, 16, "Illegal Unicode escape sequence");
  if (c === "x") return take(/^\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\})/, 16, "Illegal hexadecimal escape sequence");
  if (c === "0") return take(/^\\0([0-3]?[0-7]{1,2})/, 8, "Illegal octal escape sequence");
  if (c === "c") {
    const control = p.text.charCodeAt(p.pos + 2);
    if (Number.isNaN(control)) p.fail("Illegal control escape sequence", p.pos + 2);
    p.pos += 3;
    return String.fromCharCode(control ^ 64);
  }
  const named = CONTROLS[c];
  if (named !== undefined) {
    p.pos += 2;
    return String.fromCharCode(named);
  }
  if (/[A-Za-z]/.test(c)) p.fail("Illegal/unsupported escape sequence", p.pos + 1);
  const point = String.fromCodePoint(p.text.codePointAt(p.pos + 1) ?? 0);
  p.pos += 1 + point.length;
  return point;
}
function single(p: PatternParser): number {
  if (p.text[p.pos] === "\\") return escapeInClass(p).codePointAt(0) ?? 0;
  const code = p.text.codePointAt(p.pos) ?? 0;
  p.pos += code > 0xffff ? 2 : 1;
  return code;
}
function quoted(p: PatternParser): string {
  const end = p.text.indexOf("\\E", p.pos);
  const inside = p.text.slice(p.pos + 2, end < 0 ? undefined : end);
  p.pos = end < 0 ? p.text.length : end + 2;
  return Array.from(inside, (c) => escaped(c.codePointAt(0) ?? 0)).join("");
}
/** One item of a class: a nested class, a class escape, a character or a range. */
function item(p: PatternParser): string {
  if (p.text[p.pos] === "[") {
    p.sets.yes = true;
    return characterClass(p);
  }
  if (p.text.startsWith("\\Q", p.pos)) return quoted(p);
  const named = p.text[p.pos] === "\\" ? namedClass(p) : null;
  if (named !== null) {
    if (named !== "\\H" && named !== "\\V") return named;
    p.sets.yes = true;
    return `[^${named === "\\H" ? SHORTHANDS["h"] : SHORTHANDS["v"]}]`;
  }
  const from = single(p);
  if (from > 0xffff) p.sets.yes = true;
  const next = p.text[p.pos + 1];
  if (p.text[p.pos] !== "-" || next === undefined || next === "]" || next === "[")
    return p.ignoreCase ? bothCases(from, from) : escaped(from);
  p.pos++;
  const to = single(p);
  if (to > 0xffff) p.sets.yes = true;
  if (to < from) p.fail("Illegal character range", p.pos - 1);
  return p.ignoreCase ? bothCases(from, to) : `${escaped(from)}-${escaped(to)}`;
}
/** A range, and the other case of its ASCII letters. */
function bothCases(from: number, to: number): string {
  const range = (a: number, b: number): string => (a > b ? "" : a === b ? escaped(a) : `${escaped(a)}-${escaped(b)}`);
  const upper = range(Math.max(from, 97) - 32, Math.min(to, 122) - 32);
  const lower = range(Math.max(from, 65) + 32, Math.min(to, 90) + 32);
  return range(from, to) + upper + lower;
}
/** `[…]` at the parser's position. */
export function characterClass(p: PatternParser): string {
  p.pos++;
  let head = "[";
  if (p.text[p.pos] === "^") {
    p.pos++;
    head = "[^";
  }
  const operands: string[] = [""];
  let empty = true;
  for (;;) {
    const c = p.text[p.pos];
    if (c === undefined) p.fail("Unclosed character class", p.text.length - 1);
    if (c === "]" && !empty) break;
    if (p.text.startsWith("&&", p.pos)) {
      while (p.text[p.pos] === "&") p.pos++;
      p.sets.yes = true;
      operands.push("");
      continue;
    }
    operands[operands.length - 1] += item(p);
    empty = false;
  }
  p.pos++;
  const filled = operands.filter((o) => o !== "");
  if (filled.length === 1) return `${head}${filled[0] ?? ""}]`;
  return `${head}${filled.map((o) => `[${o}]`).join("&&")}]`;
}
