import { expect, test } from "vitest";
import type { JsonObject } from "#connectors/cdc/schema-history/history";
import type { Signal } from "#connectors/cdc/signals";
import { laterThan, UnsettledSignals } from "#connectors/cdc/unsettled-signals";
import { historyOrder } from "#connectors/mysql/position";
import { historyOrder as sqlserverOrder } from "#connectors/sqlserver/position";

const byPos = (a: JsonObject, b: JsonObject): boolean => Number(a["pos"] ?? 0) <= Number(b["pos"] ?? 0);
const signal = (type: string): Signal => ({ id: "1", type, data: null });
test("a signal that changes what offsets carry is served when another offset is durable", async () => {
  const unsettled = new UnsettledSignals();
  const serving = {
    handler: { served: () => Promise.resolve() },
    incremental: { active: true },
    settles: () => laterThan({ pos: 1 }, byPos),
  };
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
test("records that were on their way when the signal came do not settle it", () => {
  const mysql = laterThan({ file: "b.000010", pos: 400, row: 2, event: 3 }, historyOrder("mysql"));
  expect(mysql({ file: "b.000009", pos: 900, row: 1, event: 2 })).toBe(false);
  expect(mysql({ file: "b.000010", pos: 400, row: 1, event: 3 })).toBe(false);
  expect(mysql({ file: "b.000010", pos: 400, row: 2, event: 3, ts_sec: 7 })).toBe(false);
  expect(mysql({ file: "b.000010", pos: 400, row: 2, event: 3, incremental_snapshot_collections: "[…]" })).toBe(true);
  expect(mysql({ file: "b.000010", pos: 600 })).toBe(true);
  const gtid = laterThan({ file: "b.000002", pos: 300, gtids: "9-1-7" }, historyOrder("mariadb"));
  expect([gtid({ file: "b.000009", pos: 900, gtids: "9-1-6" }), gtid({ file: "b.000001", pos: 4, gtids: "9-1-8" })]).toEqual([false, true]);
  const at = { commit_lsn: "00000026:00000098:0003", change_lsn: "00000026:00000098:0002", event_serial_no: 1 };
  const sqlserver = laterThan(at, sqlserverOrder);
  expect(sqlserver({ ...at, commit_lsn: "00000026:00000090:0003" })).toBe(false);
  expect(sqlserver({ ...at, event_serial_no: 2 })).toBe(true);
});
test("others are served at once", async () => {
  const serving = { handler: { served: () => Promise.resolve() }, settles: () => laterThan({}, byPos) };
  const others = [
    new UnsettledSignals().served(signal("log"), { ...serving, incremental: { active: true } }),
    new UnsettledSignals().served(signal("execute-snapshot"), { ...serving, incremental: null }),
  ];
  expect(await Promise.all(others)).toEqual([undefined, undefined]);
});
test("a task that stops leaves none waiting: it is not dealt with, and later ones are not either", async () => {
  const unsettled = new UnsettledSignals();
  const serving = {
    handler: { served: () => Promise.resolve() },
    incremental: { active: true },
    settles: () => laterThan({ pos: 1 }, byPos),
  };
  const waiting = unsettled.served(signal("execute-snapshot"), serving);
  await new Promise((r) => setImmediate(r));
  unsettled.close();
  await expect(waiting).rejects.toThrow("the task was stopped before an offset with its change was stored");
  await expect(unsettled.served(signal("stop-snapshot"), serving)).rejects.toThrow("the task was stopped");
  await unsettled.served(signal("log"), serving);
});
