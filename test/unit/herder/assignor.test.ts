import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Clock } from "#broker/base/clock";
import { assignEagerly, type AssignorResult, IncrementalAssignor } from "#connect/herder/assignor";
import type { Work } from "#connect/herder/connect-protocol";
import { WorkSet } from "#connect/herder/work-set";

function handClock(): Clock & { now_: number } {
  const clock = {
    now_: 1_000,
    now: () => clock.now_,
    monotonic: () => clock.now_,
    after: () => ({ cancel: () => {} }),
    sleep: () => Promise.resolve(),
  };
  return clock;
}
const work = (connectors: number, tasks: number): Work => {
  const names = Array.from({ length: connectors }, (_, i) => `c${i}`);
  return { connectors: names, tasks: names.flatMap((connector) => Array.from({ length: tasks }, (_, task) => ({ connector, task }))) };
};
/** A group that does what it is told: members give up what is revoked and take what is assigned. */
class Group {
  readonly members = new Map<string, WorkSet>();
  generation = 0;
  readonly assignor: IncrementalAssignor;
  constructor(assignor: IncrementalAssignor, ...members: readonly string[]) {
    this.assignor = assignor;
    for (const m of members) this.members.set(m, new WorkSet());
  }
  round(configured: Work): AssignorResult {
    const held = new Map([...this.members].map(([m, w]) => [m, w.toWork()]));
    const result = this.assignor.assign({ configured, members: held, lastCompletedGeneration: this.generation });
    this.generation++;
    this.assignor.completed(this.generation);
    for (const [member, w] of this.members) {
      w.removeAll(result.revoked.get(member) ?? new WorkSet());
      w.addAll(result.assigned.get(member) ?? new WorkSet());
    }
    return result;
  }
  /** Rounds until nothing is revoked any more. */
  settle(configured: Work, clock?: { now_: number }): void {
    for (let i = 0; i < 20; i++) {
      const result = this.round(configured);
      if (clock !== undefined && result.delayMs > 0) clock.now_ += result.delayMs;
      else if ([...result.revoked.values()].every((w) => w.size === 0)) return;
    }
    throw new Error("the group does not settle");
  }
}
function expectComplete(group: Group, configured: Work): void {
  const all = [...group.members.values()];
  expect(all.reduce((n, w) => n + w.connectors.size, 0)).toBe(configured.connectors.length);
  expect(all.reduce((n, w) => n + w.tasks.size, 0)).toBe(configured.tasks.length);
  expect(WorkSet.union(all).minus(WorkSet.of(configured)).size).toBe(0);
}
const spread = (sizes: readonly number[]): number => Math.max(...sizes) - Math.min(...sizes);

describe("incremental cooperative assignment", () => {
  test("whatever joins, leaves, comes and goes: each piece has one owner, and shares differ by one at most", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("join" as const), member: fc.nat(5) }),
      fc.record({ kind: fc.constant("leave" as const), member: fc.nat(5) }),
      fc.record({ kind: fc.constant("configure" as const), connectors: fc.nat(6), tasks: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const group = new Group(new IncrementalAssignor(handClock(), 0), "m0");
        let configured = work(0, 0);
        for (const s of steps) {
          if (s.kind === "join") group.members.set(`m${s.member}`, group.members.get(`m${s.member}`) ?? new WorkSet());
          else if (s.kind === "configure") configured = work(s.connectors, s.tasks);
          else if (group.members.size > 1) group.members.delete(`m${s.member}`);
          group.settle(configured);
          expectComplete(group, configured);
          expect(spread([...group.members.values()].map((w) => w.connectors.size))).toBeLessThanOrEqual(1);
          expect(spread([...group.members.values()].map((w) => w.tasks.size))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
  test("a newcomer gets its share by revoking from others, who keep the rest without a stop", () => {
    const group = new Group(new IncrementalAssignor(handClock(), 0), "a");
    const configured = work(4, 1);
    group.settle(configured);
    group.members.set("b", new WorkSet());
    const first = group.round(configured);
    expect(first.revoked.get("a")?.size).toBe(4);
    expect(first.assigned.get("b")?.size).toBe(0);
    const second = group.round(configured);
    expect(second.assigned.get("b")?.size).toBe(4);
    expect(second.assigned.get("a")?.size).toBe(0);
  });
  test("work of a departed worker waits; when it returns in time it gets all of it back, else the others do", () => {
    for (const returns of [true, false]) {
      const clock = handClock();
      const group = new Group(new IncrementalAssignor(clock, 60_000), "a", "b");
      const configured = work(4, 1);
      group.settle(configured, clock);
      const before = group.members.get("b")?.size ?? 0;
      const kept = group.members.get("a")?.size ?? 0;
      group.members.delete("b");
      expect(group.round(configured).delayMs).toBe(60_000);
      expect(group.members.get("a")?.size).toBe(kept);
      clock.now_ += 20_000;
      if (returns) {
        group.members.set("b2", new WorkSet());
        expect(group.round(configured).delayMs).toBe(40_000);
      }
      clock.now_ += 40_000;
      expect(group.round(configured).delayMs).toBe(0);
      expectComplete(group, configured);
      expect(group.members.get("a")?.size).toBe(returns ? kept : kept + before);
    }
  });
  test("two members with the same work both give it up, and one gets it", () => {
    const group = new Group(new IncrementalAssignor(handClock(), 0), "a", "b");
    const configured = work(1, 1);
    for (const w of group.members.values()) w.add(configured);
    const result = group.round(configured);
    expect(result.revoked.get("a")?.size).toBe(2);
    expect(result.revoked.get("b")?.size).toBe(2);
    group.settle(configured);
    expectComplete(group, configured);
  });
  test("an assignment that the group never completed is forgotten", () => {
    const assignor = new IncrementalAssignor(handClock(), 60_000);
    const configured = work(2, 1);
    assignor.assign({ configured, members: new Map([["a", work(0, 0)]]), lastCompletedGeneration: 1 });
    // The sync failed: `a` holds nothing, and what it was given is new work again, not lost work.
    const again = assignor.assign({ configured, members: new Map([["a", work(0, 0)]]), lastCompletedGeneration: 1 });
    expect(again.delayMs).toBe(0);
    expect(again.assigned.get("a")?.size).toBe(4);
  });
});
test("eager assignment deals everything out in turn", () => {
  const configured = work(3, 2);
  const result = assignEagerly(configured, ["b", "a"]);
  expect([...result.values()].map((w) => w.size).toSorted((x, y) => x - y)).toEqual([4, 5]);
  expect(WorkSet.union(result.values()).size).toBe(9);
});
