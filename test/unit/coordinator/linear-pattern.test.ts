import { describe, expect, it } from "vitest";
import { compilePattern, PatternError } from "#broker/coordinator/linear-pattern";

const PATTERNS = [
  "abc",
  "a.c",
  "a*",
  "a+b",
  "(ab)+",
  "a|bc|",
  "(a|b)*c",
  "[a-c]{2,3}",
  "[^a]b?",
  "a{2}",
  "a{2,}",
  "\\d+-\\w*",
  "(?:x|y)z",
  "^a.*c$",
  "(?i)AbC",
  "a\\.c",
  "[\\d.-]+",
  ".*",
  "(a*)*b",
  "a??b*?",
];
const TEXTS = [
  "",
  "a",
  "b",
  "c",
  "ab",
  "abc",
  "aabbcc",
  "a.c",
  "axc",
  "bc",
  "abab",
  "12-x",
  "1.2-3",
  "xz",
  "yz",
  "aaa",
  "aab",
  "ABC",
  "a\nc",
];

describe("patterns from clients", () => {
  it.each(PATTERNS)("%s matches what RegExp matches", (source) => {
    const matches = compilePattern(source);
    const insensitive = source.startsWith("(?i)");
    const oracle = new RegExp(`^(?:${insensitive ? source.slice(4) : source})$`, insensitive ? "i" : "");
    for (const text of TEXTS) expect([text, matches(text)]).toEqual([text, oracle.test(text)]);
  });
  it.each(["(", "a)", "[a", "*a", "a{3,2}", "\\", "(?=a)", "a{2000}", "\\q", "((((a{100}){100}){100}){100})"])(
    "%s is refused",
    (source) => {
      expect(() => compilePattern(source)).toThrow(PatternError);
    },
  );
  it("takes linear time where backtracking would take for ever", () => {
    const started = performance.now();
    expect(compilePattern("(a*)*(a*)*(a*)*b")("a".repeat(5_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
