import { expect, test } from "vitest";
import type { Signal } from "#connectors/cdc/signals";
import { otherThan, UnsettledSignals } from "#connectors/cdc/unsettled-signals";

const signal = (type: string): Signal => ({ id: "1", type, data: null });
test("a signal that changes what offsets carry is served when another offset is durable", async () => {
  const unsettled = new UnsettledSignals();
  const serving = { handler: { served: () => Promise.resolve() }, incremental: { active: true }, settles: () => otherThan({ pos: 1 }) };
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
  const serving = { handler: { served: () => Promise.resolve() }, settles: () => otherThan({}) };
  const others = [
    new UnsettledSignals().served(signal("log"), { ...serving, incremental: { active: true } }),
    new UnsettledSignals().served(signal("execute-snapshot"), { ...serving, incremental: null }),
  ];
  expect(await Promise.all(others)).toEqual([undefined, undefined]);
});
test("a task that stops leaves none waiting: it is not dealt with, and later ones are not either", async () => {
  const unsettled = new UnsettledSignals();
  const serving = { handler: { served: () => Promise.resolve() }, incremental: { active: true }, settles: () => otherThan({ pos: 1 }) };
  const waiting = unsettled.served(signal("execute-snapshot"), serving);
  await new Promise((r) => setImmediate(r));
  unsettled.close();
  await expect(waiting).rejects.toThrow("the task was stopped before an offset with its change was stored");
  await expect(unsettled.served(signal("stop-snapshot"), serving)).rejects.toThrow("the task was stopped");
  await unsettled.served(signal("log"), serving);
});
