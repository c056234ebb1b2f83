import { describe, expect, test } from "vitest";
import { FlushTracker, readOffset, snapshotOffset, streamingOffset } from "#connectors/postgres/position";

const at = (lsn: number, commitLsn: number | null, txId: number | null = 1, eventAtLsn = 0) => ({ commitLsn, lsn, eventAtLsn, txId });

describe("what the server may forget", () => {
  test("nothing before the transaction's last record is durable", () => {
    const f = new FlushTracker(100);
    f.committed(150, 0, 1, 200);
    f.durable(at(140, 100));
    expect(f.flushed).toBe(100);
    f.durable(at(150, 100));
    expect(f.flushed).toBe(200);
  });
  test("a record inside a later transaction releases all that were complete before it", () => {
    const f = new FlushTracker(100);
    f.committed(150, 0, 1, 200);
    f.committed(250, 0, 2, 300);
    f.committed(350, 0, 3, 400);
    f.durable(at(340, 300, 3));
    expect(f.flushed).toBe(300);
    expect(f.idle).toBe(false);
    f.durable(at(350, 300, 3));
    expect(f.flushed).toBe(400);
    expect(f.idle).toBe(true);
  });
  test("keep-alives move on only when nothing is in flight, or with what is", () => {
    const f = new FlushTracker(100);
    f.skipped(120);
    expect(f.flushed).toBe(120);
    f.committed(150, 0, 1, 200);
    f.skipped(260);
    expect(f.flushed).toBe(120);
    f.durable(at(150, 120));
    expect(f.flushed).toBe(260);
  });
  test("rows that share an LSN are told apart", () => {
    const f = new FlushTracker(100);
    f.committed(150, 19, 1, 200);
    f.durable(at(150, 100, 1, 18));
    expect(f.flushed).toBe(100);
    f.durable(at(150, 100, 1, 19));
    expect(f.flushed).toBe(200);
  });
  test("a message without a commit does not hold up the transactions after it", () => {
    const f = new FlushTracker(100);
    f.committed(180, 0, null, 180);
    f.committed(250, 0, 2, 300);
    f.durable(at(250, 100, 2));
    expect(f.flushed).toBe(300);
  });
  test("a record that was durable before its commit was read", () => {
    const f = new FlushTracker(100);
    f.durable(at(150, 100));
    f.committed(150, 0, 1, 200);
    expect(f.flushed).toBe(200);
  });
  test("more transactions than are remembered one by one: never too far, and all of them at the last", () => {
    const f = new FlushTracker(0);
    for (let i = 1; i <= 10_000; i++) f.committed(i * 100 + 50, 0, i, i * 100 + 99);
    for (const i of [777, 5_000, 9_999]) {
      f.durable(at(i * 100 + 50, (i - 1) * 100 + 99, i));
      expect(f.flushed).toBeGreaterThanOrEqual((i - 1) * 100 + 99);
      expect(f.flushed).toBeLessThanOrEqual(i * 100 + 99);
      expect(f.idle).toBe(false);
    }
    f.durable(at(10_000 * 100 + 50, 9_999 * 100 + 99, 10_000));
    expect(f.flushed).toBe(10_000 * 100 + 99);
    expect(f.idle).toBe(true);
  });
  test("it never goes back", () => {
    const f = new FlushTracker(500);
    f.committed(150, 0, 1, 200);
    f.durable(at(150, 100));
    expect(f.flushed).toBe(500);
  });
});

describe("stored offsets", () => {
  test("of streaming, as Debezium writes them", () => {
    expect(readOffset({ lsn_proc: 9, messageType: "INSERT", lsn_commit: 5, lsn: 9, txId: 3, ts_usec: 1 })).toEqual({
      kind: "stream",
      at: at(9, 5, 3),
    });
    expect(readOffset({ lsn_proc: 9, messageType: "INSERT", lsn: 9, lsn_event: 4, txId: 3, ts_usec: 1 })).toEqual({
      kind: "stream",
      at: at(9, null, 3, 4),
    });
  });
  test("of a snapshot, complete or not", () => {
    expect(readOffset(snapshotOffset("INITIAL", 7, 1, 2, false))).toEqual({ kind: "snapshot", at: { lsn: 7, completed: false } });
    expect(readOffset(snapshotOffset("INITIAL", 7, 1, 2, true))).toEqual({ kind: "snapshot", at: { lsn: 7, completed: true } });
  });
  test("of streaming before the first change: without a trace of the snapshot, and read as its end", () => {
    const offset = streamingOffset(snapshotOffset("INITIAL", 7, 1, 2, true));
    expect(offset).toEqual({ lsn: 7, txId: 1, ts_usec: 2 });
    expect(readOffset(offset)).toEqual({ kind: "snapshot", at: { lsn: 7, completed: true } });
  });
  test("none", () => {
    expect(readOffset(null)).toBeNull();
    expect(readOffset({})).toBeNull();
  });
});
