import { describe, expect, test } from "vitest";
import { SimpleDateFormat } from "#connect/api/simple-date-format";
import { parseValue } from "#connect/api/values";

const at = new Date(1_700_000_000_123);
// What JDK 17 prints for the same pattern and moment in UTC.
describe("format", () => {
  test.each([
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2023-11-14T22:13:20.123Z"],
    ["EEE, d MMM yyyy", "Tue, 14 Nov 2023"],
    ["EEEE MMMM D", "Tuesday November 318"],
    ["w W F u", "46 3 2 2"],
    ["hh 'o''clock' a, zzzz Z", "10 o'clock PM, Coordinated Universal Time +0000"],
    ["yy G k K", "23 AD 22 10"],
  ])("%s", (pattern, expected) => {
    expect(new SimpleDateFormat(pattern).format(at)).toBe(expected);
  });
  test("refuses what Java refuses", () => {
    expect(() => new SimpleDateFormat("bogus")).toThrow("Illegal pattern character 'b'");
    expect(() => new SimpleDateFormat("'open")).toThrow("Unterminated quote");
  });
});
describe("parse", () => {
  test.each([
    ["yyyyMMddHHmmss", "20231114221320", "2023-11-14T22:13:20.000Z"],
    ["yyyy-MM-dd", "2023-02-11 trailing", "2023-02-11T00:00:00.000Z"],
    ["yyyy-MM-dd", "2024-99-99", "2032-06-07T00:00:00.000Z"],
    ["d MMM yyyy hh:mm a", "1 mar 2024 12:30 am", "2024-03-01T00:30:00.000Z"],
    ["yyyy-MM-dd'T'HH:mmXXX", "2024-01-01T00:00+02:00", "2023-12-31T22:00:00.000Z"],
  ])("%s of %s", (pattern, text, expected) => {
    expect(new SimpleDateFormat(pattern).parse(text)?.toISOString()).toBe(expected);
  });
  test("gives null for other text", () => {
    expect(new SimpleDateFormat("yyyy").parse("soon")).toBeNull();
  });
});
// Compared with org.apache.kafka.connect.data.Values of Kafka 4.1.
test.each([
  ["true,x", "STRING"],
  ["12,34", "INT8"],
  ["[1,]", "ARRAY"],
  ["[true,null]", "STRING"],
  ["[null]", "ARRAY"],
  ["1e400", "BYTES"],
  [".5", "STRING"],
  ["03:04:05.678Z", "INT32"],
  ['["2024-01-02"]', "ARRAY"],
  ["{1:2,300:4}", "MAP"],
])("the literal %s is read as %s", (text, type) => {
  expect(parseValue(text).schema?.type).toBe(type);
});
