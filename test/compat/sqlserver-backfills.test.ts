/** Backfills of SQL Server: blocking ones without a table of signals, incremental ones with it; refused, cut off, given up. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, type TestContext, test } from "vitest";
import { sqlserverSource } from "#connectors/sqlserver/index";
import { ask, becomes, cutOff, lastStates, read, tables } from "../golden/backfill-asks.ts";
import { SourceBench } from "../golden/task-bench.ts";
import { freePorts } from "../peers/ports.ts";
import { startSqlServer, type SqlServerOrReason, type SqlServerPeer } from "../peers/sqlserver.ts";
import { addressOf } from "./sqlserver-reading.ts";
import { enable } from "./sqlserver-suite.ts";

const TEST_MS = 240_000;
const folder = mkdtempSync(join(tmpdir(), "backfills-"));
let found: SqlServerOrReason = { reason: "not started" };
beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  found = await startSqlServer({ port });
}, 180_000);
afterAll(async () => {
  if (!("reason" in found)) await found.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Opened {
  readonly run: (batch: string) => Promise<void>;
  readonly peer: SqlServerPeer;
  readonly bench: SourceBench;
}
async function opened(t: TestContext, database: string, extra: Readonly<Record<string, string>> = {}): Promise<Opened> {
  if ("reason" in found) return t.skip(found.reason);
  const peer = found;
  await peer.drop(database);
  await peer.run("master", `CREATE DATABASE [${database}]`);
  const run = (batch: string): Promise<void> => peer.run(database, batch);
  await run("EXEC sys.sp_cdc_enable_db");
  for (const table of ["t", "u"]) {
    await run(`CREATE TABLE ${table} (id int NOT NULL PRIMARY KEY, v int)`);
    await run(enable(table));
  }
  const bench = new SourceBench(sqlserverSource, {
    ...addressOf(peer, database),
    "topic.prefix": "p",
    "poll.interval.ms": "50",
    "include.schema.changes": "false",
    "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
    "schema.history.internal.file.filename": join(folder, database),
    "snapshot.mode": "no_data",
    "incremental.snapshot.chunk.size": "50",
    "max.batch.size": "40",
    ...extra,
  });
  t.onTestFinished(async () => {
    await bench.stop();
    await peer.drop(database);
  });
  return { run, peer, bench };
}
const fill = (run: Opened["run"], table: string, rows: number): Promise<void> =>
  run(`INSERT INTO ${table} VALUES ${Array.from({ length: rows }, (_, i) => `(${i + 1}, 0)`).join(", ")}`);
async function streaming(bench: SourceBench, database: string): Promise<void> {
  await bench.start();
  for (let i = 0; ; i++) {
    try {
      return void (await ask(bench, { kind: "blocking", tables: tables(`${database}.none.none`) }));
    } catch (error) {
      if (!String(error).includes("not open")) return;
      if (i > 800 || bench.failure !== null) throw bench.failure ?? error;
      await new Promise((r) => setTimeout(r, 25));
    }
  }
}
/** All changes so far came. */
async function caughtUp(run: Opened["run"], bench: SourceBench, database: string, id: number): Promise<void> {
  await run(`INSERT INTO t VALUES (${id}, -1)`);
  const key = JSON.stringify({ id });
  for (let i = 0; i < 1600 && !lastStates(bench, `${database}.dbo.t`).has(key); i++) {
    if (bench.failure !== null) throw bench.failure;
    await new Promise((r) => setTimeout(r, 25));
  }
}

test("blocking: conditions; what cannot be read is refused, and incremental ones without a table of signals", {
  timeout: TEST_MS,
}, async (t) => {
  const database = "backfill_refusals";
  const { run, bench } = await opened(t, database);
  await fill(run, "t", 120);
  await streaming(bench, database);
  await caughtUp(run, bench, database, 1000);
  const before = bench.records.length;
  const blocked = (where: string): ReturnType<typeof ask> =>
    ask(bench, { kind: "blocking", tables: [{ table: `${database}.dbo.t`, where }] });
  await expect(blocked("nothing = 1")).rejects.toThrow(`The condition for ${database}.dbo.t is refused by the database`);
  for (const where of [
    "1 = 1); DROP TABLE u; SELECT (1",
    "1 = 1; DROP TABLE u",
    "1 = 1\n) DROP TABLE u SELECT (1",
    "v = 'x",
    "v = [x",
    "1 = 1 /*",
  ])
    await expect(blocked(where)).rejects.toThrow("is not one whole condition");
  await expect(ask(bench, { tables: tables(`${database}.dbo.t`) })).rejects.toThrow(
    `Reading tables beside the stream needs a table for signals in ${database} (signal.data.collection); or ask with "kind": "blocking"`,
  );
  await expect(ask(bench, { kind: "blocking", tables: tables(`${database}.dbo.other`) })).rejects.toThrow("The connector does not capture");
  await expect(ask(bench, { kind: "blocking", tables: tables(`${database}.dbo.t`, "elsewhere.dbo.t") })).rejects.toThrow(
    `A backfill is for tables of one database, not of ${database} and elsewhere`,
  );
  const { id } = await blocked("id < 4 -- the first");
  expect((await becomes(bench, id, "completed")).tables.map((each) => each.rows)).toEqual([3]);
  await bench.until(before + 3);
  expect(read(bench, `${database}.dbo.t`).map((r) => r["id"])).toEqual([1, 2, 3]);
  expect((await bench.backfill({ do: "list" })).map((b) => b.id)).toEqual([id]);
});

test("cut off again and again while rows change: it goes on, and no old state comes last", { timeout: TEST_MS }, async (t) => {
  const database = "backfill_cuts";
  const { run, peer, bench } = await opened(t, database, { "signal.data.collection": `${database}.dbo.signals` });
  await run("CREATE TABLE signals (id varchar(64) NOT NULL PRIMARY KEY, type varchar(32), data varchar(2048))");
  await run(enable("signals"));
  await fill(run, "t", 600);
  await fill(run, "u", 200);
  await streaming(bench, database);
  await caughtUp(run, bench, database, 1000);
  await ask(bench, { id: "all", tables: tables(`${database}.dbo.t`, `${database}.dbo.u`) });
  await cutOff(
    bench,
    [0, 1, 90, 300],
    async (round) => {
      for (let i = 0; i < 10; i++) {
        await run(`UPDATE t SET v = v + 1 WHERE id % 97 = ${i + 20 * round}`);
        await run(`DELETE FROM t WHERE id = ${1 + ((i * 71 + round * 13) % 600)}`);
      }
    },
    60_000,
  );
  await streaming(bench, database);
  const done = await becomes(bench, "all", "completed", 2400);
  await caughtUp(run, bench, database, 1001);
  expect(done.tables.map((each) => each.state)).toEqual(["completed", "completed"]);
  for (const table of ["t", "u"]) {
    const rows = await peer.rows(database, `SELECT id, v FROM ${table} ORDER BY id`);
    const states = [...lastStates(bench, `${database}.dbo.${table}`).values()] as { id: number; v: number }[];
    expect(states.sort((a, b) => a.id - b.id)).toEqual(rows.map((r) => ({ ...r })));
  }
});
