/** Quotas: Kafka's windows and waits, precedence and sharing, the bucket of mutations, the rate of connections. */
import { describe, expect, test } from "vitest";
import type { Clock } from "#broker/base/clock";
import { type QuotaEntityPart, type QuotaImage, quotaKey } from "#broker/controller/image";
import { ClientQuotas } from "#broker/quota/client-quotas";
import { ConnectionRate } from "#broker/quota/connection-rate";
import { limitOf } from "#broker/quota/quota-limits";
import { SampledRate } from "#broker/quota/sampled-rate";

const WINDOWS = { count: 11, sizeMs: 1000 };
type Entity = readonly (readonly [string, string | null])[];

function quotas(...given: readonly (readonly [Entity, string, number])[]): Map<string, QuotaImage> {
  const all = new Map<string, QuotaImage>();
  for (const [parts, key, value] of given) {
    const entity: QuotaEntityPart[] = parts.map(([entityType, entityName]) => ({ entityType, entityName }));
    all.set(quotaKey(entity), { entity, values: new Map([...(all.get(quotaKey(entity))?.values ?? []), [key, value]]) });
  }
  return all;
}
function clockAt(): Clock & { nowMs: number } {
  return {
    nowMs: 1_000_000,
    now() {
      return this.nowMs;
    },
    monotonic() {
      return this.nowMs;
    },
    after: () => ({ cancel: () => {} }),
    sleep: () => Promise.resolve(),
  };
}
const client = (name: string, clientId: string | null) => ({ principal: { name }, clientId });

describe("a sampled rate", () => {
  test("the first burst is spread over all windows but one", () => {
    const rate = new SampledRate(WINDOWS);
    rate.record(20_000, 0);
    expect(rate.measure(0)).toBe(2000);
    // 2,000/s where 1,000/s are allowed: as long again as the span.
    expect(rate.throttleMs(1000, 0)).toBe(10_000);
    expect(rate.throttleMs(2000, 0)).toBe(0);
  });
  test("windows go when they are over", () => {
    const rate = new SampledRate(WINDOWS);
    rate.record(10_000, 0);
    rate.record(5000, 6000);
    expect(rate.measure(10_999)).toBeCloseTo(15_000 / 10.999, 3);
    expect(rate.measure(11_000)).toBe(500);
    expect(rate.measure(17_000)).toBe(0);
  });
});

describe("whose quota counts", () => {
  const all = quotas(
    [
      [
        ["user", "alice"],
        ["client-id", "app"],
      ],
      "producer_byte_rate",
      1,
    ],
    [
      [
        ["user", "alice"],
        ["client-id", null],
      ],
      "producer_byte_rate",
      2,
    ],
    [[["user", "alice"]], "producer_byte_rate", 3],
    [
      [
        ["user", null],
        ["client-id", "app"],
      ],
      "producer_byte_rate",
      4,
    ],
    [
      [
        ["user", null],
        ["client-id", null],
      ],
      "producer_byte_rate",
      5,
    ],
    [[["user", null]], "producer_byte_rate", 6],
    [[["client-id", "app"]], "producer_byte_rate", 7],
    [[["client-id", null]], "producer_byte_rate", 8],
  );
  test("the most specific entity, in Kafka's order", () => {
    const left = new Map(all);
    const found: (number | undefined)[] = [];
    for (const [key] of all) {
      found.push(limitOf(left, "produce", "alice", "app")?.bound);
      left.delete(key);
    }
    expect(found).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(limitOf(left, "produce", "alice", "app")).toBeNull();
    expect(limitOf(all, "fetch", "alice", "app")).toBeNull();
  });
  test("a user's clients share the user's quota, others do not", () => {
    const clock = clockAt();
    const image = {
      offset: 1,
      quotas: quotas([[["user", "alice"]], "producer_byte_rate", 100], [[["client-id", null]], "producer_byte_rate", 100]),
    };
    const counted = new ClientQuotas({ clock, image: () => image, windows: WINDOWS, mutationWindows: WINDOWS });
    expect(counted.produce(client("alice", "a"), 1000)).toBe(0);
    expect(counted.produce(client("alice", "b"), 1000)).toBe(10_000);
    expect(counted.produce(client("bob", "a"), 1000)).toBe(0);
    expect(counted.produce(client("bob", "b"), 1000)).toBe(0);
    expect(counted.produce(client("carol", "a"), 500)).toBe(5000);
  });
  test("a quota changed at run time counts at once; without any, nothing does", () => {
    const clock = clockAt();
    let image: { offset: number; quotas: Map<string, QuotaImage> } = {
      offset: 1,
      quotas: quotas([[["client-id", "c"]], "consumer_byte_rate", 10]),
    };
    const counted = new ClientQuotas({ clock, image: () => image, windows: WINDOWS, mutationWindows: WINDOWS });
    expect(counted.fetchBytesMax(client("u", "c"))).toBe(100);
    expect(counted.fetch(client("u", "c"), 200)).toBe(10_000);
    // What had to wait was not sent and does not count.
    expect(counted.fetch(client("u", "c"), 100)).toBe(0);
    image = { offset: 2, quotas: quotas([[["client-id", "c"]], "consumer_byte_rate", 1]) };
    expect(counted.fetch(client("u", "c"), 100)).toBe(190_000);
    image = { offset: 3, quotas: new Map() };
    expect(counted.active).toBe(false);
    expect(counted.fetch(client("u", "c"), 1e9)).toBe(0);
  });
  test("time on the thread is bounded by one window of waiting", () => {
    const clock = clockAt();
    const image = { offset: 1, quotas: quotas([[["client-id", null]], "request_percentage", 1]) };
    const counted = new ClientQuotas({ clock, image: () => image, windows: WINDOWS, mutationWindows: WINDOWS });
    expect(counted.request(client("u", null), 50)).toBe(0);
    expect(counted.request(client("u", null), 55)).toBe(500);
    expect(counted.request(client("u", null), 5000)).toBe(1000);
  });
});

describe("controller mutations", () => {
  const image = { offset: 1, quotas: quotas([[["user", "u"]], "controller_mutation_rate", 2]) };
  test("strict: a burst is taken whole, then refused until the bucket is full enough", () => {
    const clock = clockAt();
    const counted = new ClientQuotas({ clock, image: () => image, windows: WINDOWS, mutationWindows: WINDOWS });
    expect(counted.mutate(client("u", ""), 30, true)).toBe(0);
    expect(counted.mutate(client("u", ""), 1, true)).toBe(4000);
    clock.nowMs += 4000;
    expect(counted.mutate(client("u", ""), 1, true)).toBe(0);
  });
  test("lenient: done, and waited for", () => {
    const counted = new ClientQuotas({ clock: clockAt(), image: () => image, windows: WINDOWS, mutationWindows: WINDOWS });
    expect(counted.mutate(client("u", ""), 20, false)).toBe(0);
    expect(counted.mutate(client("u", ""), 6, false)).toBe(2000);
  });
});

describe("connections", () => {
  test("of all and of a listener wait, of an address are closed", () => {
    const clock = clockAt();
    const rate = new ConnectionRate({
      clock,
      windows: WINDOWS,
      quotas: () => quotas([[["ip", "10.0.0.1"]], "connection_creation_rate", 1], [[["ip", null]], "connection_creation_rate", 1000]),
      rateMax: (listener) => (listener === "PLAINTEXT" ? 1 : 2_147_483_647),
    });
    for (let i = 0; i < 10; i++) expect(rate.arrive("PLAINTEXT")).toBe(0);
    expect(rate.arrive("PLAINTEXT")).toBe(1000);
    expect(rate.arrive("OTHER")).toBe(0);
    for (let i = 0; i < 10; i++) expect(rate.arriveFrom("10.0.0.1")).toBe(0);
    expect(rate.arriveFrom("10.0.0.1")).toBe(1000);
    expect(rate.arriveFrom("10.0.0.2")).toBe(0);
  });
});
