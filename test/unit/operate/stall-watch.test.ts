import { expect, test } from "vitest";
import type { Clock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import type { ConnectorHealth } from "#connect/operate/health";
import { ProgressWatch } from "#connect/operate/progress";
import { StallWatch } from "#connect/operate/stall-watch";
import type { ExecutionState, TaskSnapshot } from "#connect/worker/types";

/** Tasks of connectors `a`, `b` …, with counters that the test moves, and a watch that looks when the test says so. */
function watched(names: readonly string[], kind: TaskSnapshot["kind"] = "source") {
  let nowMs = 1_000_000;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, after: () => ({ cancel() {} }), sleep: async () => {} };
  const tasks = new Map(
    names.map((name) => [name, { records: 0, active: 0, state: "RUNNING" satisfies ExecutionState as ExecutionState }]),
  );
  const snapshot = (): TaskSnapshot[] =>
    [...tasks].map(([connector, t]) => ({
      id: { connector, task: 0 },
      kind,
      state: t.state,
      counters: {
        [`${kind === "source" ? "source-record-write" : "sink-record-send"}-total`]: t.records,
        "sink-record-active-count": t.active,
      },
      gauges: [],
    }));
  const progress = new ProgressWatch(snapshot, clock);
  const asked: string[] = [];
  const told: (string | null)[] = [];
  const positions = new Map<string, () => ConnectorHealth["position"]>();
  const watch = new StallWatch({
    snapshot,
    progress: (task) => progress.of(task),
    position: async (name) => {
      asked.push(name);
      return positions.get(name)?.() ?? null;
    },
    tell: (id, reason) => void told.push(reason === null ? null : `${id.connector}: ${reason}`),
    stalledMs: 60_000,
    clock,
    log: silentLogger,
  });
  return {
    tasks,
    asked,
    told,
    positions,
    watch,
    task(name: string) {
      const found = tasks.get(name);
      if (found === undefined) throw new Error(name);
      return found;
    },
    async forSeconds(seconds: number): Promise<void> {
      for (let i = 0; i < seconds; i += 5) {
        nowMs += 5_000;
        await watch.look();
      }
    },
  };
}
const behind =
  (behindBytes: number, reached: string | null = null) =>
  (): ConnectorHealth["position"] => ({
    position: "0/10",
    head: "0/99",
    behindBytes,
    reached,
    details: {},
  });

test("data waits and nothing moves: told once, taken back when a record goes through", async () => {
  const w = watched(["a"]);
  w.positions.set("a", behind(7));
  await w.forSeconds(55);
  expect([w.told, w.watch.stalled("a")]).toEqual([[], null]);
  await w.forSeconds(20);
  expect(w.told).toEqual([
    expect.stringMatching(/^a: RUNNING, but nothing has moved for \d+ s although the source is 7 bytes of log ahead \(0\/99\)$/),
  ]);
  expect(w.watch.stalled("a")).not.toBeNull();
  await w.forSeconds(300);
  expect(w.told).toHaveLength(1);
  w.task("a").records++;
  await w.forSeconds(5);
  expect([w.told.at(-1), w.watch.stalled("a")]).toEqual([null, null]);
});
test("none of these is a stall: nothing to do, passing over foreign changes, a pause, records that came just now", async () => {
  const w = watched(["idle", "foreign", "paused", "late"]);
  let seconds = 0;
  w.positions.set("idle", behind(0));
  w.positions.set("foreign", () => behind(5, String(seconds))());
  w.positions.set("paused", behind(9));
  w.positions.set("late", () => behind(seconds === 300 ? 1 : 0)());
  w.task("paused").state = "PAUSED";
  for (; seconds < 900; seconds += 5) {
    await w.forSeconds(5);
    if (seconds === 305) w.task("late").records++;
  }
  expect(w.told).toEqual([]);
  expect(w.asked).not.toContain("paused");
});
test("a sink's records that wait for the next commit are not waiting for the sink", async () => {
  const w = watched(["a"], "sink");
  const lag = (lagRecords: number) => (): ConnectorHealth["position"] => ({
    lagRecords,
    partitions: [{ topic: "t", partition: 0, offset: 0, end: lagRecords }],
  });
  w.positions.set("a", lag(10));
  w.task("a").active = 10;
  await w.forSeconds(600);
  expect(w.told).toEqual([]);
  w.positions.set("a", lag(11));
  await w.forSeconds(900);
  expect(w.told).toEqual([expect.stringContaining("1 records wait in its topics")]);
});
test("many connectors with nothing to do are asked seldom, in turn", async () => {
  const names = Array.from({ length: 50 }, (_, i) => `c${i}`);
  const w = watched(names);
  await w.forSeconds(3_600);
  expect(new Set(w.asked).size).toBe(50);
  expect(w.asked.length).toBeLessThan(600);
});
