/** The slot guard: what a slot keeps is measured, told, and bounded where that is asked for. */
import type pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort());
const reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;
const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

describe.skipIf(reason !== "")(`the slot guard${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());
  let db: pg.Client;
  const blocked = async (name: string, guard: Readonly<Record<string, string>>): Promise<TaskBench> => {
    db = await server.database(name);
    await db.query("CREATE TABLE t (id int PRIMARY KEY)");
    const bench = new TaskBench(server, name, {
      "snapshot.mode": "no_data",
      "status.update.interval.ms": "30",
      "millrace.slot.guard.interval.ms": "50",
      "millrace.slot.guard.max.bytes": "1000000",
      ...guard,
    });
    await bench.start();
    await db.query("INSERT INTO t VALUES (1)");
    await bench.until(1);
    // A transaction that stays open holds the slot where it is.
    await db.query("BEGIN");
    await db.query("INSERT INTO t SELECT generate_series(2, 60000)");
    return bench;
  };

  test("warns with what is kept, and measures it", async () => {
    const bench = await blocked("guard_warn", {});
    for (const end = Date.now() + 10_000; (bench.gauges.get("SlotRetainedBytes") ?? 0) < 1_000_000 && Date.now() < end; ) await sleep(20);
    await bench.stop();
    // Making the next slot would wait for it.
    await db.query("ROLLBACK");
    expect(bench.failure).toBeNull();
    expect(bench.logged.find((l) => l.includes("keeps"))).toMatch(/slot guard_warn keeps \d+ bytes of WAL \(wal_status reserved\)/);
    expect(bench.gauges.get("SlotRetainedBytes")).toBeGreaterThan(1_000_000);
    expect(bench.gauges.get("SlotSafeWalBytes")).toBe(-1);
  });

  test("drops the slot where the disk counts for more, and names the gap", async () => {
    const bench = await blocked("guard_drop", { "millrace.slot.guard": "drop" });
    for (const end = Date.now() + 10_000; bench.failure === null && Date.now() < end; ) await sleep(20);
    await bench.stop();
    expect(bench.failure?.message).toMatch(/was dropped: changes from [0-9A-F]+\/[0-9A-F]+ to [0-9A-F]+\/[0-9A-F]+ cannot be read/);
    await db.query("ROLLBACK");
    let left = 1;
    for (const end = Date.now() + 5000; left > 0 && Date.now() < end; await sleep(50))
      left = (await db.query("SELECT 1 FROM pg_replication_slots WHERE slot_name = 'guard_drop'")).rowCount ?? 0;
    expect(left).toBe(0);
  });
});
