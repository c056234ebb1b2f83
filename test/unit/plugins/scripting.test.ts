import { describe, expect, test } from "vitest";
import type { SourceRecord } from "#connect/api/record";
import { INT64, OPTIONAL_STRING, STRING, structOf, withOptions } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import { contentBasedRouter } from "#plugins/transforms/content-based-router";
import { scriptingFilter } from "#plugins/transforms/scripting-filter";

const row = structOf([
  ["id", INT64],
  ["name", OPTIONAL_STRING],
]);
const event = structOf(
  [
    ["before", withOptions(row, { optional: true })],
    ["after", withOptions(row, { optional: true })],
    ["op", STRING],
  ],
  { name: "s.public.t.Envelope" },
);
function record(op: string, id: bigint): SourceRecord {
  const value = new Struct(event, [null, new Struct(row, [id, "Ada"]), op]);
  return {
    topic: "s.public.t",
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: event,
    value,
    timestamp: null,
    headers: [{ key: "h", schema: STRING, value: "x" }],
    sourcePartition: {},
    sourceOffset: {},
  };
}
const filter = (condition: string, more: Record<string, string> = {}) =>
  scriptingFilter.create({ language: "jsr223.graal.js", condition, ...more }, "io.debezium.transforms.Filter");

describe("conditions", () => {
  test.each([
    ["value.op == 'u' && value.after.id == 2", true],
    ["value.get('op') === 'u'", true],
    ["value.after.id > 5", false],
    ["header.h.value == 'x' && topic.startsWith('s.')", true],
    ["valueSchema.name().endsWith('Envelope')", true],
    ["value.before === null", true],
  ])("%s", (condition, kept) => {
    expect(filter(condition).apply(record("u", 2n)) !== null).toBe(kept);
  });
  test("64-bit integers keep their value", () => {
    expect(filter("value.after.id === 9007199254740993n").apply(record("c", 9007199254740993n))).not.toBeNull();
  });
  test("records without a value are kept unless told otherwise", () => {
    const tombstone = { ...record("d", 1n), value: null, valueSchema: null };
    expect(filter("false").apply(tombstone)).toBe(tombstone);
    expect(filter("true", { "null.handling.mode": "drop" }).apply(tombstone)).toBeNull();
    expect(filter("value === null", { "null.handling.mode": "evaluate" }).apply(tombstone)).toBe(tombstone);
  });
  test("the result has to be a boolean", () => {
    expect(() => filter("value.op").apply(record("u", 2n))).toThrow("not a Boolean");
  });
});
describe("the sandbox", () => {
  test.each([
    "typeof process !== 'undefined' || typeof require !== 'undefined'",
    "(() => { try { return this.constructor.constructor('return process')() !== undefined } catch { return false } })()",
    "(() => { try { return value.constructor.constructor('return process')() !== undefined } catch { return false } })()",
    "typeof setTimeout !== 'undefined' || typeof fetch !== 'undefined'",
  ])("%s is false", (condition) => {
    expect(filter(condition).apply(record("u", 2n))).toBeNull();
  });
  test("an expression without end is stopped", () => {
    expect(() => filter("while (true) {}").apply(record("u", 2n))).toThrow("Error while evaluating");
  });
  test("what is no JavaScript is refused at once", () => {
    expect(() => filter("value.op ==")).toThrow("Failed to parse expression");
  });
});
test("the router takes the topic from the expression", () => {
  const router = contentBasedRouter.create(
    { language: "jsr223.groovy", "topic.expression": "value.op == 'u' ? 'updates' : null" },
    "io.debezium.transforms.ContentBasedRouter",
  );
  expect(router.apply(record("u", 2n))?.topic).toBe("updates");
  expect(router.apply(record("c", 2n))?.topic).toBe("s.public.t");
});
