import { expect, test } from "vitest";
import type { Signal } from "#connectors/cdc/signals";
import { UnsettledSignals } from "#connectors/cdc/unsettled-signals";

const signal = (type: string): Signal => ({ id: "1", type, data: null });
test("a signal that changes what offsets carry is served when another offset is durable", async () => {
  const unsettled = new UnsettledSignals();
  const serving = { handler: { served: () => Promise.resolve() }, incremental: { active: true }, offset: () => ({ pos: 1 }) };
  const order: string[] = [];
  const served = unsettled.served(signal("execute-snapshot"), serving).then(() => order.push("served"));
  await new Promise((r) => setImmediate(r));
  unsettled.durable({ pos: 1 });
  await new Promise((r) => setImmediate(r));
  order.push("same offset");
  unsettled.durable({ pos: 2 });
  await served;
  expect(order).toEqual(["same offset", "served"]);
});
test("others are served at once", async () => {
  const serving = { handler: { served: () => Promise.resolve() }, offset: () => ({}) };
  const others = [
    new UnsettledSignals().served(signal("log"), { ...serving, incremental: { active: true } }),
    new UnsettledSignals().served(signal("execute-snapshot"), { ...serving, incremental: null }),
  ];
  expect(await Promise.all(others)).toEqual([undefined, undefined]);
});
