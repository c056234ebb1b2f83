import { describe, expect, test } from "vitest";
import type { ConfigDef } from "#connect/api/config";
import { inRange, nonEmptyList, oneOf } from "#connect/api/config-checks";
import { configToString, numberSetting, parseConfig, validateConfig } from "#connect/api/config-parse";

const def: ConfigDef = [
  { name: "n", type: "INT", importance: "HIGH", doc: "a number", check: inRange(1, 10) },
  { name: "list", type: "LIST", default: ["a"], importance: "LOW", doc: "a list", check: nonEmptyList },
  { name: "mode", type: "STRING", default: "x", importance: "LOW", doc: "one of two", check: oneOf("x", "y") },
  { name: "on", type: "BOOLEAN", default: false, importance: "LOW", doc: "a switch" },
  { name: "big", type: "LONG", default: "9223372036854775807", importance: "LOW", doc: "a long" },
];
const error = (raw: Record<string, string>): string => {
  try {
    parseConfig(def, raw);
    return "";
  } catch (e) {
    return e instanceof Error ? e.message : "";
  }
};
describe("Kafka's messages", () => {
  test.each([
    [{}, 'Missing required configuration "n" which has no default value.'],
    [{ n: "x" }, "Invalid value x for configuration n: Not a number of type INT"],
    [{ n: "3000000000" }, "Invalid value 3000000000 for configuration n: Not a number of type INT"],
    [{ n: "0" }, "Invalid value 0 for configuration n: Value must be at least 1"],
    [{ n: "11" }, "Invalid value 11 for configuration n: Value must be no more than 10"],
    [{ n: "1", list: "" }, "Invalid value [] for configuration list: Empty list"],
    [{ n: "1", mode: "z" }, "Invalid value z for configuration mode: String must be one of: x, y"],
    [{ n: "1", on: "yes" }, "Invalid value yes for configuration on: Expected value to be either true or false"],
  ])("%j", (raw, message) => {
    expect(error(raw)).toBe(message);
  });
});
test("parsed values", () => {
  const parsed = parseConfig(def, { n: " 7 ", list: "a , b,c", on: "TRUE", unknown: "1" });
  expect(numberSetting(parsed, "n")).toBe(7);
  expect(parsed["list"]).toEqual(["a", "b", "c"]);
  expect(parsed["on"]).toBe(true);
  expect(parsed["big"]).toBe(9223372036854775807n);
  expect(parsed["unknown"]).toBeUndefined();
});
test("validation collects an error for each key", () => {
  const findings = validateConfig(def, { n: "x", mode: "q" });
  expect(findings.filter((f) => f.errors.length > 0).map((f) => f.name)).toEqual(["n", "mode"]);
});
test("values as answers show them", () => {
  expect(configToString(["a", "b"], "LIST")).toBe("a,b");
  expect(configToString("secret", "PASSWORD")).toBe("[hidden]");
  expect(configToString(null, "STRING")).toBeNull();
});
