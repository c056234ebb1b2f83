import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Delivery } from "#broker/client/types";
import { DeliveryLedger } from "#connect/worker/delivery-ledger";

interface Batch extends Delivery {
  state: "pending" | "acked" | "failed";
}
const batch = (): Batch => ({ topic: "t", partition: 0, state: "pending", baseOffset: -1, error: null });

describe("the ledger of deliveries", () => {
  test("passes the contiguous acknowledged prefix only, whatever the order of acknowledgements", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("send" as const), batch: fc.nat(5), partition: fc.nat(2) }),
      fc.record({ kind: fc.constant("ack" as const), batch: fc.nat(40) }),
      fc.constant({ kind: "take" as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const ledger = new DeliveryLedger(4);
        const sent: { batch: Batch; partition: number; offset: number }[] = [];
        const open = new Map<number, Batch>();
        const batches: Batch[] = [];
        const committed = new Map<number, number>();
        for (const s of steps) {
          if (s.kind === "send") {
            let b = open.get(s.batch);
            if (b === undefined || b.state !== "pending") {
              b = batch();
              open.set(s.batch, b);
              batches.push(b);
            }
            const record = { batch: b, partition: s.partition, offset: sent.length };
            sent.push(record);
            ledger.add(b, { p: record.partition }, { at: record.offset });
          } else if (s.kind === "ack") {
            const b = batches[s.batch];
            if (b !== undefined) b.state = "acked";
          } else {
            expect(ledger.advance()).toBeNull();
            for (const e of ledger.take()) committed.set(Number(e.partition["p"]), Number(e.offset["at"]));
            const prefix = sent.findIndex((r) => r.batch.state !== "acked");
            const expected = new Map(sent.slice(0, prefix < 0 ? sent.length : prefix).map((r) => [r.partition, r.offset]));
            expect(Object.fromEntries(committed)).toEqual(Object.fromEntries(expected));
            expect(ledger.records).toBe(prefix < 0 ? 0 : sent.length - prefix);
          }
        }
      }),
    );
  });

  test("stops at a failed delivery and offers again what could not be committed", () => {
    const ledger = new DeliveryLedger();
    const [first, second] = [batch(), batch()];
    ledger.add(first, { p: 1 }, { at: 1 });
    ledger.add(second, { p: 1 }, { at: 2 });
    first.state = "acked";
    second.state = "failed";
    expect(ledger.advance()).toBe(second);
    const taken = ledger.take();
    expect(taken).toEqual([{ partition: { p: 1 }, offset: { at: 1 } }]);
    ledger.putBack(taken);
    expect(ledger.take()).toEqual(taken);
    expect(ledger.skipHead()).toBe(1);
    expect(ledger.advance()).toBeNull();
    expect(ledger.take()).toEqual([]);
  });

  test("batches of several topics that fill in turn: one is skipped with all its records, and only those are counted as lost", () => {
    const ledger = new DeliveryLedger(2);
    const batches = [batch(), batch(), batch()];
    for (let at = 0; at < 30; at++) ledger.add(batches[at % 3] ?? batch(), { p: 1 }, { at });
    for (const [i, each] of batches.entries()) each.state = i === 1 ? "failed" : "acked";
    expect(ledger.advance()).toBe(batches[1]);
    expect(ledger.take()).toEqual([{ partition: { p: 1 }, offset: { at: 0 } }]);
    expect(ledger.skipHead()).toBe(10);
    expect(ledger.advance()).toBeNull();
    expect(ledger.take()).toEqual([{ partition: { p: 1 }, offset: { at: 29 } }]);
    expect(ledger.records).toBe(0);
  });
});
