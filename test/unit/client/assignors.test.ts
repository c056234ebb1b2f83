import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Assignment, assignorNamed, type GroupMember } from "#broker/client/consumer/assignors";
import { stickyAssignment } from "#broker/client/consumer/sticky-assignment";
import { partitionKey } from "#broker/client/list-offsets";

const member = (memberId: string, topics: readonly string[], more: Partial<GroupMember> = {}): GroupMember => ({
  memberId,
  groupInstanceId: null,
  topics,
  owned: [],
  generation: -1,
  ...more,
});
const shown = (assignment: Assignment): Record<string, string[]> =>
  Object.fromEntries([...assignment].map(([id, partitions]) => [id, partitions.map(partitionKey).sort()]));

describe("assignors", () => {
  // The examples of RangeAssignor's and RoundRobinAssignor's documentation.
  const counts = new Map([
    ["t0", 3],
    ["t1", 3],
  ]);
  const both = [member("C0", ["t0", "t1"]), member("C1", ["t0", "t1"])];
  test("range, topic by topic", () => {
    expect(shown(assignorNamed("range").assign(both, counts))).toEqual({ C0: ["t0-0", "t0-1", "t1-0", "t1-1"], C1: ["t0-2", "t1-2"] });
  });
  test("roundrobin, over all topics", () => {
    expect(shown(assignorNamed("roundrobin").assign(both, counts))).toEqual({ C0: ["t0-0", "t0-2", "t1-1"], C1: ["t0-1", "t1-0", "t1-2"] });
    const uneven = [member("C0", ["t0"]), member("C1", ["t0", "t1"]), member("C2", ["t0", "t1", "t2"])];
    const topics = new Map([
      ["t0", 1],
      ["t1", 2],
      ["t2", 3],
    ]);
    expect(shown(assignorNamed("roundrobin").assign(uneven, topics))).toEqual({
      C0: ["t0-0"],
      C1: ["t1-0"],
      C2: ["t1-1", "t2-0", "t2-1", "t2-2"],
    });
  });
  test("static members come first, in the order of their instance ids", () => {
    const members = [member("a", ["t0"]), member("z", ["t0"], { groupInstanceId: "1" })];
    expect(shown(assignorNamed("range").assign(members, new Map([["t0", 1]])))).toEqual({ a: [], z: ["t0-0"] });
  });
  test("cooperative: what moves is given to nobody until its owner has let go", () => {
    const owned = [0, 1, 2, 3].map((partition) => ({ topic: "t0", partition }));
    const members = [member("old", ["t0"], { owned, generation: 1 }), member("new", ["t0"])];
    const first = assignorNamed("cooperative-sticky").assign(members, new Map([["t0", 4]]));
    expect(first.get("old")?.length).toBe(2);
    expect(first.get("new")).toEqual([]);
    const again = [member("old", ["t0"], { owned: first.get("old") ?? [], generation: 2 }), member("new", ["t0"], { generation: 2 })];
    const second = assignorNamed("cooperative-sticky").assign(again, new Map([["t0", 4]]));
    expect(second.get("old")).toEqual(first.get("old"));
    expect(second.get("new")?.length).toBe(2);
  });
  test("a claim of an earlier generation is void", () => {
    const claim = [{ topic: "t0", partition: 0 }];
    const members = [member("zombie", ["t0"], { owned: claim, generation: 3 }), member("owner", ["t0"], { owned: claim, generation: 4 })];
    expect(stickyAssignment(members, new Map([["t0", 1]])).get("owner")).toEqual(claim);
  });

  const groups = fc.record({
    counts: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 4 }),
    subscriptions: fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
  });
  test.each(["range", "roundrobin", "cooperative-sticky"])("%s gives every partition to one subscriber", (name) => {
    fc.assert(
      fc.property(groups, ({ counts, subscriptions }) => {
        const topics = new Map(counts.map((count, i) => [`t${i}`, count]));
        const members = subscriptions.map((each, i) =>
          member(
            `m${i}`,
            each.map((topic) => `t${topic}`),
          ),
        );
        const assignment = assignorNamed(name).assign(members, topics);
        const given = [...assignment].flatMap(([id, partitions]) => partitions.map((each) => ({ id, ...each })));
        expect(new Set(given.map(partitionKey)).size).toBe(given.length);
        for (const each of given) expect(members.find((m) => m.memberId === each.id)?.topics).toContain(each.topic);
        const wanted = [...topics].flatMap(([topic, count]) => (members.some((m) => m.topics.includes(topic)) ? [count] : []));
        expect(given.length).toBe(wanted.reduce((sum, count) => sum + count, 0));
      }),
    );
  });
  test("sticky: balanced where all subscribe alike, and nobody loses more than balance asks for", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (count, before, after) => {
          const topics = new Map([["t0", count]]);
          const old = stickyAssignment(
            Array.from({ length: before }, (_, i) => member(`m${i}`, ["t0"])),
            topics,
          );
          const members = Array.from({ length: after }, (_, i) =>
            member(`m${i}`, ["t0"], { owned: old.get(`m${i}`) ?? [], generation: 1 }),
          );
          const next = stickyAssignment(members, topics);
          const loads = [...next.values()].map((each) => each.length);
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
          for (const each of members) {
            const kept = (next.get(each.memberId) ?? []).filter((p) => each.owned.some((o) => partitionKey(o) === partitionKey(p)));
            expect(kept.length).toBe(Math.min(each.owned.length, next.get(each.memberId)?.length ?? 0));
          }
        },
      ),
    );
  });
});
