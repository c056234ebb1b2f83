/** Backfills without a table of signals: asked for, interrupted, paused, stopped, while rows change. */
import { afterAll, describe, expect, test } from "vitest";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { ask, becomes, cutOff, lastStates, read, shown, tables } from "./backfill-asks.ts";
import { TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort());
const reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;

const NO_SNAPSHOT = { "snapshot.mode": "no_data", "incremental.snapshot.chunk.size": "50" };

describe.skipIf(reason !== "")(`backfills${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());

  test("what cannot be read is refused with the database's words; the same id is the same request", async () => {
    const db = await server.database("refusals");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v text)");
    await db.query("CREATE TABLE nokey (v text)");
    await db.query("INSERT INTO t SELECT g, 'v' FROM generate_series(1, 120) g");
    await db.query("INSERT INTO nokey VALUES ('a'), ('b')");
    const bench = new TaskBench(server, "refusals", { ...NO_SNAPSHOT, "column.exclude.list": "public.nokey.none" });
    await bench.start();
    await expect(ask(bench, { tables: tables("public.other") })).rejects.toThrow(
      "The connector does not capture public.other; it captures public.nokey, public.t",
    );
    await expect(ask(bench, { tables: tables("public.nokey") })).rejects.toThrow(
      'public.nokey has no primary key to read it in chunks by; ask with "kind": "blocking"',
    );
    await expect(ask(bench, { tables: [{ table: "public.t", where: "nothing = 1" }] })).rejects.toThrow('column "nothing" does not exist');
    const several = "true) ; DROP TABLE nokey; SELECT (1";
    await expect(ask(bench, { tables: [{ table: "public.t", where: several }] })).rejects.toThrow("cannot insert multiple commands");
    await expect(ask(bench, { tables: tables("public.t", "public.t") })).rejects.toThrow("A table is named twice");
    const request = { id: "mine", tables: [{ table: "public.t", where: "id % 2 = 0" }] };
    expect(await ask(bench, request)).toMatchObject({ id: "mine", state: "waiting" });
    const done = await becomes(bench, "mine", "completed");
    expect(done.tables).toEqual([{ table: "public.t", where: "id % 2 = 0", state: "completed", rows: 60, reason: null }]);
    expect(await ask(bench, request)).toEqual(done);
    await bench.until(60);
    expect(read(bench, "public.t").map((r) => r["id"])).toEqual(Array.from({ length: 60 }, (_, i) => 2 * (i + 1)));
    const blocking = await ask(bench, { kind: "blocking", tables: [...tables("public.nokey"), { table: "public.t", where: "id < 4" }] });
    expect((await becomes(bench, blocking.id, "completed")).tables.map((t) => t.rows)).toEqual([2, 3]);
    await bench.until(65);
    await bench.stop();
    expect(read(bench, "public.nokey")).toEqual([{ v: "a" }, { v: "b" }]);
    expect(bench.records).toHaveLength(65);
    // Nobody who did not ask carries anything of it.
    expect(Object.keys(bench.stored ?? {}).filter((k) => k.startsWith("incremental"))).toEqual([]);
  });

  test("cut off again and again while rows change: it goes on, and no old state comes last", async () => {
    const db = await server.database("cuts");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v int)");
    await db.query("CREATE TABLE u (id int PRIMARY KEY, v int)");
    await db.query("INSERT INTO t SELECT g, 0 FROM generate_series(1, 1500) g");
    await db.query("INSERT INTO u SELECT g, 0 FROM generate_series(1, 500) g");
    const bench = new TaskBench(server, "cuts", { ...NO_SNAPSHOT, "max.batch.size": "40" });
    await bench.start();
    await ask(bench, { id: "all", tables: tables("public.t", "public.u") });
    await cutOff(bench, [0, 1, 90, 400, 777], async (round) => {
      for (let i = 0; i < 20; i++) {
        await db.query("UPDATE t SET v = v + 1 WHERE id % 97 = $1", [i + 20 * round]);
        await db.query("DELETE FROM t WHERE id = $1", [1 + ((i * 71 + round * 13) % 1500)]);
      }
    });
    await bench.start();
    const done = await becomes(bench, "all", "completed");
    await db.query("INSERT INTO t VALUES (-1, -1)");
    for (let i = 0; i < 400 && !lastStates(bench, "public.t").has('{"id":-1}'); i++) await new Promise((r) => setTimeout(r, 25));
    await bench.stop();
    expect(done.tables.map((t) => t.state)).toEqual(["completed", "completed"]);
    for (const table of ["t", "u"]) {
      const { rows } = await db.query<{ id: number; v: number }>(`SELECT id, v FROM ${table} ORDER BY id`);
      const states = [...lastStates(bench, `public.${table}`).values()] as { id: number; v: number }[];
      expect(states.sort((a, b) => a.id - b.id)).toEqual(rows);
    }
  }, 60_000);

  test("paused over a restart, resumed, stopped; the next one waits for its turn", async () => {
    const db = await server.database("pauses");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v int)");
    await db.query("INSERT INTO t SELECT g, 0 FROM generate_series(1, 20000) g");
    const bench = new TaskBench(server, "pauses", NO_SNAPSHOT);
    await bench.start();
    await ask(bench, { id: "one", tables: tables("public.t") });
    await ask(bench, { id: "two", tables: [{ table: "public.t", where: "id <= 10" }] });
    await bench.until(100);
    await bench.backfill({ do: "pause", id: "one" });
    expect(await shown(bench, "one")).toMatchObject({ state: "paused" });
    await new Promise((r) => setTimeout(r, 300));
    const at = bench.records.length;
    await bench.stop();
    await bench.start();
    await db.query("UPDATE t SET v = 1 WHERE id = 20000");
    await bench.until(at + 1);
    await new Promise((r) => setTimeout(r, 300));
    expect(bench.records).toHaveLength(at + 1);
    expect([await shown(bench, "one"), await shown(bench, "two")]).toMatchObject([{ state: "paused" }, { state: "waiting" }]);
    const before = read(bench, "public.t").length;
    await bench.backfill({ do: "resume", id: "one" });
    await bench.until(at + 200);
    // Where it was, with one chunk again at most.
    expect(Number(read(bench, "public.t")[before]?.["id"])).toBeGreaterThan(before - 50);
    expect(await shown(bench, "one")).toMatchObject({ state: "running" });
    await bench.backfill({ do: "stop", id: "one" });
    expect(await shown(bench, "one")).toMatchObject({ state: "stopped" });
    expect((await becomes(bench, "two", "completed")).tables[0]?.rows).toBe(10);
    await bench.stop();
    expect(read(bench, "public.t").length).toBeLessThan(20_000);
    expect((await bench.backfill({ do: "list" })).length).toBe(0);
  }, 30_000);
});
