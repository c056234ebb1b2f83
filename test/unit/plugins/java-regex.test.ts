import { describe, expect, test } from "vitest";
import { JavaRegex } from "#connect/api/java-regex";

describe("whole matches", () => {
  test.each([
    ["[a-z&&[^b]]+x?", "aacx", true],
    ["[a-z&&[^b]]+", "abc", false],
    ["\\Qa.b\\E.*", "a.bcc", true],
    ["\\Qa.b\\E.*", "axbcc", false],
    ["(?i)ABC", "abC", true],
    ["a(?i)b|C", "c", true],
    ["(?i)[b-d]+X", "BcDx", true],
    ["(?i)[^a]", "A", false],
    ["x(?i:y)z", "xYz", true],
    ["x(?i:y)z", "xYZ", false],
    ["(?i)(a)\\1", "aA", true],
    ["a$", "a", true],
    ["\\p{Lu}\\p{Alpha}+", "Éabc", true],
    ["a*+a", "aaa", false],
    ["(?>a|ab)c", "abc", false],
    ["[^.]+\\.public\\.(orders|items)", "db.public.items", true],
    ["\\h\\R", " \n", true],
    ["[a[bc]]+", "abc", true],
    ["(a)\\1", "aa", true],
    [".", "\u0085", false],
  ])("%s on %j: %s", (pattern, text, expected) => {
    expect(new JavaRegex(pattern).matches(text)).toBe(expected);
  });
});
test.each([
  ["(.*)-(\\d+)", "topic-12", "$2_$1", "12_topic"],
  ["(a)(b)*+(c)", "abbc", "$3$1", "ca"],
  ["(?<n>x+)y", "xxy", "${n}z", "xxz"],
  ["(a)(b)", "ab", "$11", "a1"],
  ["(.*)", "t", "\\$1", "$1"],
])("replacement of %s in %j", (pattern, text, replacement, expected) => {
  expect(new JavaRegex(pattern).replaceWhole(text, replacement)).toBe(expected);
});
test("a replacement that names no group fails as in Java", () => {
  expect(() => new JavaRegex("(a)").replaceAll("a", "$2")).toThrow("No group 2");
  expect(() => new JavaRegex("a").replaceAll("a", "$x")).toThrow("Illegal group reference");
});
test.each([
  ["(", "Unclosed group near index 1\n("],
  ["[", "Unclosed character class near index 0\n[\n^"],
  ["*a", "Dangling meta character '*' near index 0\n*a\n^"],
  ["a**", "Dangling meta character '*' near index 2\na**\n  ^"],
])("the message for %s is Java's", (pattern, message) => {
  expect(() => new JavaRegex(pattern)).toThrow(message);
});
test("a pattern that backtracks without end gives up the backtracking engine", () => {
  expect(new JavaRegex("(x+x+)+y").matches("x".repeat(2000))).toBe(false);
  expect(new JavaRegex("(?i)^(\\w+\\s?)*$").matches(`${"a".repeat(60)}!`)).toBe(false);
});
test("split drops empty parts at the end", () => {
  expect(new JavaRegex("\\s*,\\s*").split("a , b,c,,")).toEqual(["a", "b", "c"]);
});
