import { describe, expect, test } from "vitest";
import { inHashMapOrder } from "#connect/api/hash-map-order";
import { readAlterOffsets, readConfig, readCreateConnector, readLoggerLevel } from "#connect/rest/bodies";

const body = (text: string): Buffer => Buffer.from(text);
describe("bodies of requests", () => {
  test("numbers of a configuration stay as they are written", () => {
    const numbers = '{"a":1.50,"b":1e3,"c":-0,"d":12345678901234567890.123,"e":true,"f":null}';
    const expected = { a: "1.50", b: "1e3", c: "-0", d: "12345678901234567890.123", e: "true", f: null };
    expect(readConfig(body(numbers))).toEqual(expected);
    expect(readCreateConnector(body(`{"name":7,"config":${numbers}}`))).toEqual({ name: "7", config: expected });
    expect(readLoggerLevel(body('{"x":1.0}'))).toEqual({ x: "1.0" });
  });
  test("offsets stay numbers, exact ones; members that nobody knows are refused", () => {
    const [entry] = readAlterOffsets(body('{"offsets":[{"partition":{"p":1},"offset":{"o":9007199254740993}}]}')).offsets ?? [];
    expect(entry).toEqual({ partition: { p: 1 }, offset: { o: 9007199254740993n } });
    for (const text of ['{"offsets":[],"more":1}', '{"offsets":[{"partition":{},"offset":null,"more":1}]}'])
      expect(() => readAlterOffsets(body(text))).toThrow(/more/);
  });
});
/** Printed by Kafka Connect 4.1 for `{…}` posted in the order a, b, c. */
test("a copied HashMap's order is the reference's", () => {
  const order = (...keys: string[]): string =>
    inHashMapOrder(
      keys.map((k) => [k, 0] as const),
      true,
    )
      .map(([k]) => k)
      .join();
  expect(order("zz", "b", "m", "name")).toBe("zz,name,b,m");
  expect(order("a", "name")).toBe("name,a");
  expect(order("a", "b", "c", "name")).toBe("name,a,b,c");
  expect(order("topic", "file", "bl", "num", "name", "x")).toBe("file,num,name,x,topic,bl");
});
