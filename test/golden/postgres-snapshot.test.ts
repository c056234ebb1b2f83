/** The initial snapshot in chunks: every row once, markers as the reference sets them, and what survives interruptions. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Struct } from "#connect/api/struct";
import { freePort } from "../peers/ports.ts";
import { startPostgres, type ThrowawayPostgres } from "../peers/postgres.ts";
import { plain, TaskBench } from "./postgres-task.ts";

const started = await startPostgres(await freePort());
const reason = "reason" in started ? started.reason : "";
const server = started as ThrowawayPostgres;

const marker = (value: unknown): unknown => (value instanceof Struct ? plain((value.get("source") as Struct).get("snapshot")) : null);
const of = <T>(list: readonly T[], value: T): number => list.filter((v) => v === value).length;

/** The table as the topic's records leave it, by key. */
function stateOf(bench: TaskBench, topic: string): Map<string, unknown> {
  const state = new Map<string, unknown>();
  for (const r of bench.records) {
    if (r.topic !== topic) continue;
    const key = JSON.stringify(plain(r.key));
    const after = r.value instanceof Struct ? plain(r.value.get("after") as Struct) : null;
    if (after === null) state.delete(key);
    else state.set(key, after);
  }
  return state;
}

describe.skipIf(reason !== "")(`initial snapshot in chunks${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  afterAll(() => server.stop());

  test("tables are read in the order of table.include.list, by name where one expression takes several", async () => {
    const name = "in_order";
    const db = await server.database(name);
    for (const table of ["b", "a", "c"]) await db.query(`CREATE TABLE ${table} (id int PRIMARY KEY); INSERT INTO ${table} VALUES (1)`);
    const bench = new TaskBench(server, name, { "table.include.list": "public.c,public.(a|b)" });
    await bench.start();
    await bench.until(3);
    await bench.stop();
    expect(bench.records.map((r) => r.topic.split(".").at(-1))).toEqual(["c", "a", "b"]);
    expect(bench.records.map((r) => marker(r.value))).toEqual(["first", "last_in_data_collection", "last"]);
  });

  test.each([1, 3])("every row comes once, by %i threads, whatever the key", async (threads) => {
    const name = `chunks${threads}`;
    const db = await server.database(name);
    await db.query("CREATE TABLE one (id int PRIMARY KEY, v text)");
    await db.query("CREATE TABLE two (a text, b int, v text, PRIMARY KEY (a, b))");
    await db.query("CREATE TABLE none (v text)");
    await db.query("CREATE TABLE maybe (u int UNIQUE, v text)");
    await db.query("CREATE TABLE nothing (id int PRIMARY KEY)");
    await db.query("CREATE TABLE zero (id int PRIMARY KEY)");
    await db.query("CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)");
    await db.query("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000)");
    await db.query("CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (1000) TO (9000)");
    await db.query(String.raw`INSERT INTO one SELECT g * 7 % 4001, repeat('x', g % 50) || E'\t\\\n' FROM generate_series(1, 4000) g`);
    await db.query("INSERT INTO two SELECT chr(97 + g % 26) || '''', g, 'v' FROM generate_series(1, 3000) g");
    await db.query("INSERT INTO none SELECT 'v' || g FROM generate_series(1, 5000) g");
    await db.query("INSERT INTO maybe SELECT CASE WHEN g % 3 = 0 THEN NULL ELSE g END, 'v' || g FROM generate_series(1, 1000) g");
    await db.query("INSERT INTO parts SELECT g, 'v' FROM generate_series(1, 2000) g");
    const bench = new TaskBench(server, name, {
      "snapshot.max.threads": String(threads),
      "millrace.snapshot.chunk.rows": "300",
      "table.include.list": "public.(one|two|none|maybe|nothing|parts|zero)",
      "publication.autocreate.mode": "filtered",
    });
    await bench.start();
    await bench.until(15_000);
    await new Promise((r) => setTimeout(r, 100));
    await bench.stop();
    expect(bench.records.length).toBe(15_000);
    const distinct = new Set(
      bench.records.map((r) => `${r.topic} ${JSON.stringify(plain(r.value instanceof Struct ? r.value.get("after") : null))}`),
    );
    expect(distinct.size).toBe(15_000);
    const markers = bench.records.map((r) => marker(r.value));
    expect([of(markers, "first"), of(markers, "last")]).toEqual([1, 1]);
    expect(markers.at(0)).toBe("first");
    expect(markers.at(-1)).toBe("last");
    expect(of(markers, "first_in_data_collection") + of(markers, "last_in_data_collection")).toBe(8);
    expect(bench.stored).toMatchObject({ snapshot: "INITIAL", snapshot_completed: true, last_snapshot_record: true });
    expect(bench.stored).not.toHaveProperty("snapshot_progress");
  });

  test("interrupted again and again while rows change: the end is the table, and finished chunks are not read again", async () => {
    const db = await server.database("kills");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v int)");
    await db.query("CREATE TABLE u (id int PRIMARY KEY, v int)");
    await db.query("INSERT INTO t SELECT g, 0 FROM generate_series(1, 3000) g");
    await db.query("INSERT INTO u SELECT g, 0 FROM generate_series(1, 3000) g");
    const bench = new TaskBench(server, "kills", {
      "snapshot.max.threads": "2",
      "millrace.snapshot.chunk.rows": "250",
      "max.batch.size": "50",
    });
    const durable = [30, 400, 1, 900, 700, 300];
    for (const [round, most] of durable.entries()) {
      bench.keepsOnly(most);
      const before = bench.records.length;
      await bench.start();
      await bench.until(before + most);
      await bench.stop();
      for (const table of ["t", "u"]) {
        await db.query(`DELETE FROM ${table} WHERE id % 17 = ${round}`);
        await db.query(`UPDATE ${table} SET v = v + 1 WHERE id % 5 = ${round % 5}`);
        await db.query(
          `UPDATE ${table} SET id = 5000 - id WHERE id % 31 = ${round} AND NOT EXISTS (SELECT 1 FROM ${table} o WHERE o.id = 5000 - ${table}.id)`,
        );
        await db.query(`INSERT INTO ${table} SELECT 10000 * ${round + 1} + g, ${round} FROM generate_series(1, 20) g`);
      }
    }
    const interruptedRows = bench.records.length;
    bench.onBatch = (batch) => batch.length;
    await bench.start();
    await db.query("INSERT INTO t VALUES (-1, -1)");
    await db.query("INSERT INTO u VALUES (-1, -1)");
    const present = (topic: string): boolean => stateOf(bench, topic).has('{"id":-1}');
    for (let i = 0; i < 300 && !(present("p.public.t") && present("p.public.u")); i++) await new Promise((r) => setTimeout(r, 50));
    await new Promise((r) => setTimeout(r, 200));
    await bench.stop();
    for (const table of ["t", "u"]) {
      const { rows } = await db.query<{ id: number; v: number }>(`SELECT id, v FROM ${table} ORDER BY id`);
      const state = [...stateOf(bench, `p.public.${table}`).values()] as { id: number; v: number }[];
      expect(state.sort((a, b) => a.id - b.id)).toEqual(rows);
    }
    expect(interruptedRows).toBe(durable.reduce((a, b) => a + b, 0));
    const read = bench.records.filter((r) => r.value instanceof Struct && r.value.get("op") === "r").length;
    // Each interruption repeats one chunk for each thread at most, and chunks are not quite even.
    expect(read).toBeLessThan(6000 + durable.length * 2 * 400);
  }, 60_000);

  test("a slot is there but no offset, and the try is cut off before one is stored: deletes since then are not missed", async () => {
    const db = await server.database("early");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v int)");
    await db.query("INSERT INTO t SELECT g, 0 FROM generate_series(1, 500) g");
    // As after a kill between the making of the slot and the first offset.
    await db.query("SELECT pg_create_logical_replication_slot('early', 'pgoutput')");
    const bench = new TaskBench(server, "early", { "max.batch.size": "50" });
    bench.flushes = false;
    bench.keepsOnly(300);
    await bench.start();
    await bench.until(300);
    await bench.stop();
    await db.query("DELETE FROM t WHERE id % 10 = 3");
    bench.flushes = true;
    bench.onBatch = (batch) => batch.length;
    await bench.start();
    await db.query("INSERT INTO t VALUES (-1, -1)");
    for (let i = 0; i < 300 && !stateOf(bench, "p.public.t").has('{"id":-1}'); i++) await new Promise((r) => setTimeout(r, 50));
    await bench.stop();
    const { rows } = await db.query<{ id: number; v: number }>("SELECT id, v FROM t ORDER BY id");
    const state = [...stateOf(bench, "p.public.t").values()] as { id: number; v: number }[];
    expect(state.sort((a, b) => a.id - b.id)).toEqual(rows);
    expect(bench.logged.join("\n")).not.toContain("was cut off");
    // With the slot gone, nothing can tell of such deletes: that is said.
    bench.stored = { last_snapshot_record: false, lsn: 1000, txId: 1, ts_usec: 1, snapshot: "INITIAL", snapshot_completed: false };
    await db.query("SELECT pg_drop_replication_slot('early')");
    await bench.start();
    await bench.stop();
    expect(bench.logged.join("\n")).toMatch(/A snapshot was cut off, and replication slot "early" of its position 0\/3E8 is gone/);
  }, 60_000);

  test("incremental without writing: rows that change while chunks are read keep their last state", async () => {
    const db = await server.database("readonly");
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v int)");
    await db.query("INSERT INTO t SELECT g, 0 FROM generate_series(1, 2000) g");
    const folder = await mkdtemp(join(tmpdir(), "millrace-signal-"));
    const file = join(folder, "signals.txt");
    process.env["MILLRACE_FILE_ROOTS"] = folder;
    const bench = new TaskBench(server, "readonly", {
      "snapshot.mode": "no_data",
      "read.only": "true",
      "signal.enabled.channels": "file",
      "signal.file": file,
      "signal.poll.interval.ms": "20",
      "incremental.snapshot.chunk.size": "50",
    });
    await bench.start();
    await writeFile(file, `{"id":"s","type":"execute-snapshot","data":{"data-collections":["public.t"]}}\n`);
    const reads = (): number => bench.events("public.t").filter((e) => (e as unknown[])[0] === "r").length;
    const changed = (async () => {
      for (let i = 0; i < 200; i++) {
        await db.query("UPDATE t SET v = v + 1 WHERE id % 40 = $1", [i % 40]);
        if (i % 5 === 0) await db.query("DELETE FROM t WHERE id = $1", [i * 9 + 1]);
      }
    })();
    await changed;
    await db.query("INSERT INTO t VALUES (-1, -1)");
    const state = (): Map<string, unknown> => stateOf(bench, "p.public.t");
    const { rows } = await db.query<{ id: number; v: number }>("SELECT id, v FROM t ORDER BY id");
    for (let i = 0; i < 300 && (state().size < rows.length || !state().has('{"id":-1}')); i++) await new Promise((r) => setTimeout(r, 50));
    await bench.stop();
    await rm(folder, { recursive: true });
    expect(([...state().values()] as { id: number; v: number }[]).sort((a, b) => a.id - b.id)).toEqual(rows);
    expect(reads()).toBeGreaterThan(500);
    const { rows: tables } = await db.query("SELECT 1 FROM pg_class WHERE relname = 'sig'");
    expect(tables).toEqual([]);
  }, 60_000);
});
