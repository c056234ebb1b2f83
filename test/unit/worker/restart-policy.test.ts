import { expect, test } from "vitest";
import { RestartPolicy, shareOf } from "#connect/worker/restart-policy";

test("pauses double up to the longest, each up to a fifth longer; tasks that fail together come back apart", () => {
  const settings = { "task.restart.backoff.ms": "1000", "task.restart.backoff.max.ms": "5000" };
  const plain = new RestartPolicy({}, settings);
  expect([1, 2, 3, 4].map(() => plain.next("transient", 0))).toEqual([1_000, 2_000, 4_000, 5_000]);
  const late = new RestartPolicy({}, settings);
  expect([1, 2, 3, 4].map(() => late.next("transient", 0, 1))).toEqual([1_200, 2_400, 4_800, 6_000]);
  const shares = Array.from({ length: 200 }, (_, i) => shareOf(`connector-${i}`, 0));
  for (const share of shares) expect(share >= 0 && share < 1).toBe(true);
  for (const quarter of [0, 0.25, 0.5, 0.75]) expect(shares.filter((s) => s >= quarter && s < quarter + 0.25).length).toBeGreaterThan(20);
  expect(shareOf("connector-1", 0)).not.toBe(shareOf("connector-1", 1));
});
test("by the class of the cause: never for settings, data only where asked for, a bug three times", () => {
  const policy = new RestartPolicy({}, {});
  expect(policy.next("config", 0)).toBeNull();
  expect(policy.next("data", 0)).toBeNull();
  expect([1, 2, 3, 4].map(() => policy.next("bug", 0) !== null)).toEqual([true, true, true, false]);
  expect(policy.next("bug", 600_000)).not.toBeNull();
  expect(new RestartPolicy({ "task.restart.causes": "data,config" }, {}).next("data", 0)).not.toBeNull();
  expect(new RestartPolicy({ "task.restart.causes": "data,config" }, {}).next("config", 0)).toBeNull();
});
