import { describe, expect, it } from "vitest";
import { ErrorCode, KafkaError } from "#broker/protocol/errors";
import { type FetchOutcome, fetchWhenReady } from "#broker/replication/purgatory";
import { batchOf, contents, openManager, TOPIC_ID, values } from "./fixture.ts";

async function open() {
  const opened = await openManager();
  const create = (partition: number) => opened.manager.create("t", partition, { topicId: TOPIC_ID, config: {} });
  return { ...opened, partitions: [create(0), create(1)] as const };
}
const TERMS = { minBytes: 1, maxBytes: 1 << 20, maxWaitMs: 500, isolation: "read_uncommitted" } as const;
const lines = (outcome: FetchOutcome | undefined) =>
  outcome === undefined || outcome instanceof KafkaError ? outcome : contents(outcome.records);
const target = (partition: Awaited<ReturnType<typeof open>>["partitions"][number], offset: number) => ({
  partition,
  offset,
  maxBytes: 1 << 20,
});

describe("delayed fetch", () => {
  it("answers at once what is there, and at the first append what is not", async () => {
    const { partitions, clock } = await open();
    const [a, b] = partitions;
    a.append(batchOf(values("x")), { origin: "client" });
    const now = fetchWhenReady(clock, [target(a, 0), target(b, 0)], TERMS);
    expect(Array.isArray(now) ? now.map(lines) : "a promise").toEqual([["0:x=x"], []]);
    const later = fetchWhenReady(clock, [target(a, 1), target(b, 0)], TERMS);
    expect(later).toBeInstanceOf(Promise);
    b.append(batchOf(values("y")), { origin: "client" });
    expect((await later).map(lines)).toEqual([[], ["0:y=y"]]);
  });
  it("waits for minBytes, but not longer than maxWaitMs", async () => {
    const { partitions, clock } = await open();
    const [a] = partitions;
    let done = false;
    const fetch = Promise.resolve(fetchWhenReady(clock, [target(a, 0)], { ...TERMS, minBytes: 1000 })).then((outcome) => {
      done = true;
      return outcome;
    });
    a.append(batchOf(values("x")), { origin: "client" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    clock.advance(500);
    expect((await fetch).map(lines)).toEqual([["0:x=x"]]);
  });
  it("read_committed waits for the marker", async () => {
    const { partitions, clock } = await open();
    const [a] = partitions;
    const fetch = fetchWhenReady(clock, [target(a, 0)], { ...TERMS, isolation: "read_committed" });
    a.append(batchOf(values("x"), { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true }), { origin: "client" });
    const raced = await Promise.race([
      Promise.resolve(fetch).then(() => "answered"),
      new Promise((resolve) => setImmediate(() => resolve("waits"))),
    ]);
    expect(raced).toBe("waits");
    a.appendEndTransactionMarker({ producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, committed: true });
    expect((await fetch).map(lines)).toEqual([["0:x=x", "1:commit"]]);
  });
  it("ends when a partition is deleted, a fetch fails or the connection goes", async () => {
    const { partitions, clock, manager } = await open();
    const [a, b] = partitions;
    const failed = await fetchWhenReady(clock, [target(a, 5), target(b, 0)], TERMS);
    expect(failed[0]).toMatchObject({ code: ErrorCode.OFFSET_OUT_OF_RANGE });
    const abort = new AbortController();
    const gone = fetchWhenReady(clock, [target(b, 0)], { ...TERMS, signal: abort.signal });
    abort.abort();
    expect((await gone).map(lines)).toEqual([[]]);
    const deleted = fetchWhenReady(clock, [target(a, 0)], TERMS);
    manager.delete("t", 0);
    clock.advance(500);
    expect((await deleted)[0]).toMatchObject({ code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
  });
  it("spends maxBytes over the partitions in order, one batch at least", async () => {
    const { partitions, clock } = await open();
    for (const partition of partitions) for (let i = 0; i < 3; i++) partition.append(batchOf(values("x")), { origin: "client" });
    const outcomes = await fetchWhenReady(clock, [target(partitions[0], 0), target(partitions[1], 0)], { ...TERMS, maxBytes: 1 });
    expect(outcomes.map(lines)).toEqual([["0:x=x"], []]);
  });
});
