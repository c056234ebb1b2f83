/** The checker of histories sees each anomaly that is planted, and none in a history without. */
import { describe, expect, test } from "vitest";
import { anomaliesOf, type HistoryEvent } from "../../chaos/history/checker.ts";

const send = (value: string, offset: number | null, transaction: string | null = null, producer = "p"): HistoryEvent => ({
  kind: "send",
  producer,
  topic: "t",
  partition: 0,
  value,
  offset,
  transaction,
});
const records = (...pairs: (readonly [number, string])[]): { offset: number; value: string }[] =>
  pairs.map(([offset, value]) => ({ offset, value }));
const poll = (consumer: string, ...pairs: (readonly [number, string])[]): HistoryEvent => ({
  kind: "poll",
  consumer,
  topic: "t",
  partition: 0,
  records: records(...pairs),
});
const final = (...pairs: (readonly [number, string])[]): HistoryEvent => ({
  kind: "final",
  topic: "t",
  partition: 0,
  records: records(...pairs),
});
const end = (transaction: string, outcome: "committed" | "aborted" | "unknown"): HistoryEvent => ({ kind: "end", transaction, outcome });
const types = (...history: HistoryEvent[]): string[] => [...new Set(anomaliesOf(history).map(({ type }) => type))].sort();

describe("histories", () => {
  test("nothing wrong: gaps of markers and aborted records, lost answers, unknown outcomes", () => {
    expect(
      types(
        send("a", 0),
        send("b", null),
        send("c", 2, "x"),
        end("x", "committed"),
        send("d", 4, "y"),
        end("y", "aborted"),
        send("e", 6, "z"),
        send("f", 7, "z"),
        end("z", "unknown"),
        poll("one", [0, "a"], [1, "b"]),
        poll("one", [2, "c"], [6, "e"]),
        poll("one", [7, "f"]),
        final([0, "a"], [1, "b"], [2, "c"], [6, "e"], [7, "f"]),
      ),
    ).toEqual([]);
  });
  test("lost-write: acknowledged, and not there", () => {
    expect(types(send("a", 0), send("b", 1), final([0, "a"]))).toEqual(["lost-write"]);
  });
  test("lost-write: polled, and gone afterwards", () => {
    expect(types(send("a", null), poll("one", [0, "a"]), final())).toEqual(["lost-write"]);
  });
  test("lost-write: of a committed transaction", () => {
    expect(types(send("a", 0, "x"), end("x", "committed"), final())).toEqual(["lost-write"]);
  });
  test("aborted-read", () => {
    expect(types(send("a", 0, "x"), end("x", "aborted"), final([0, "a"]))).toEqual(["aborted-read"]);
    expect(types(send("a", 0, "x"), end("x", "aborted"), poll("one", [0, "a"]), final([0, "a"]))).toEqual(["aborted-read"]);
  });
  test("inconsistent-offsets: the reader sees another value where the producer was told its own is", () => {
    expect(types(send("a", 0), send("b", 1), poll("one", [0, "b"]), final([0, "a"], [1, "b"]))).toContain("inconsistent-offsets");
  });
  test("duplicate", () => {
    expect(types(send("a", 0), final([0, "a"], [1, "a"]))).toEqual(["duplicate"]);
  });
  test("unseen: no reader ever came to it", () => {
    expect(types(send("a", 0), send("b", 1), poll("one", [0, "a"]), final([0, "a"], [1, "b"]))).toEqual(["unseen"]);
    expect(types(send("a", 0))).toEqual(["unseen"]);
  });
  test("poll-skip", () => {
    const sends = [send("a", 0), send("b", 1), send("c", 2)];
    const all = final([0, "a"], [1, "b"], [2, "c"]);
    expect(types(...sends, poll("one", [0, "a"], [2, "c"]), poll("two", [1, "b"]), all)).toEqual(["poll-skip"]);
  });
  test("nonmonotonic-poll", () => {
    expect(types(send("a", 0), send("b", 1), poll("one", [0, "a"], [1, "b"]), poll("one", [0, "a"]), final([0, "a"], [1, "b"]))).toEqual([
      "nonmonotonic-poll",
    ]);
  });
  test("nonmonotonic-send", () => {
    expect(types(send("a", 1), send("b", 0), final([0, "b"], [1, "a"]))).toEqual(["nonmonotonic-send"]);
    expect(types(send("a", 1, null, "p"), send("b", 0, null, "q"), final([0, "b"], [1, "a"]))).toEqual([]);
  });
  test("torn-transaction", () => {
    expect(types(send("a", null, "x"), send("b", null, "x"), end("x", "unknown"), final([0, "a"]))).toEqual(["torn-transaction"]);
  });
});
