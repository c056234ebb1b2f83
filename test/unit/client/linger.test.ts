/** Few records do not wait for linger.ms, many do; and an explicit setting is heeded. */
import { expect, test } from "vitest";
import { producerConfig } from "../../../core-broker/client/producer/config.ts";
import { isQuiet, lingersUntil } from "../../../core-broker/client/producer/linger.ts";

const byDefault = producerConfig({});
const batch = (createdAt: number, count: number) => ({ createdAt, count });
const queue = (countHint: number, sentAt: number) => ({ countHint, sentAt, inFlight: [] });

test("the first record of a partition goes at once, the next ones a millisecond after the request before", () => {
  expect(lingersUntil(queue(0, -Infinity), batch(100, 2), byDefault)).toBe(-Infinity);
  expect(lingersUntil(queue(2, 100), batch(100.2, 2), byDefault)).toBe(101);
  expect(isQuiet(queue(2, 100), byDefault)).toBe(true);
});
test("where batches are large, Kafka's 5 ms are waited", () => {
  expect(lingersUntil(queue(50, 100), batch(200, 2), byDefault)).toBe(205);
  expect(lingersUntil(queue(2, 100), batch(200, 50), byDefault)).toBe(205);
  expect(isQuiet(queue(50, 100), byDefault)).toBe(false);
});
test("linger.ms that is set is heeded", () => {
  const set = producerConfig({ "linger.ms": "20" });
  expect(lingersUntil(queue(0, -Infinity), batch(100, 2), set)).toBe(120);
  expect(isQuiet(queue(0, -Infinity), set)).toBe(false);
});
