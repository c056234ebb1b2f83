/** What a poll asks while nothing happens: one query for each database, whatever the number of its tables. Counted at the simulator. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePorts } from "../peers/ports.ts";
import { type SqlServerPeer, startSqlServer } from "../peers/sqlserver.ts";
import { Reading } from "./sqlserver-reading.ts";

const DATABASES = ["idle_a", "idle_b", "idle_c"];
const POLL_MS = 100;
const INTERVALS = 20;
const ends: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

async function tables(peer: SqlServerPeer, database: string): Promise<void> {
  await peer.run("master", `CREATE DATABASE [${database}]`);
  await peer.run(database, "EXEC sys.sp_cdc_enable_db");
  await peer.run(database, "CREATE TABLE t0 (id int NOT NULL PRIMARY KEY); INSERT INTO t0 VALUES (1)");
  for (const table of ["t1", "t2", "t3", "t4"]) {
    await peer.run(database, `CREATE TABLE ${table} (id int NOT NULL PRIMARY KEY)`);
    await peer.run(database, `EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'${table}', @role_name = NULL`);
  }
}
test("an idle task asks one query an interval for each of its databases", { timeout: 120_000 }, async (t) => {
  if (process.env["MSSQL_URL"] !== undefined) return t.skip("the statements are counted at the simulator, MSSQL_URL names another server");
  const folder = await mkdtemp(join(tmpdir(), "millrace-mssql-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const trace = join(folder, "statements");
  const peer = await startSqlServer({ port: (await freePorts(1))[0] ?? 0, arguments: ["--trace", trace] });
  if ("reason" in peer) return t.skip(peer.reason);
  ends.push(() => peer.stop());
  for (const database of DATABASES) await tables(peer, database);
  const all = new Reading(peer, "idle", {
    "database.names": DATABASES.join(","),
    "poll.interval.ms": String(POLL_MS),
  });
  ends.push(() => all.stop());
  await all.start();
  expect(await all.take(0, 3)).toHaveLength(3);
  for (const database of DATABASES) await peer.run(database, "INSERT INTO t1 VALUES (1)");
  expect(await all.take(3, 3)).toHaveLength(3);
  await all.quiet(6);
  const asked = async (): Promise<readonly string[]> => (await readFile(trace, "utf8")).split("\n").filter((line) => line !== "");
  const before = (await asked()).length;
  await new Promise((resolve) => setTimeout(resolve, INTERVALS * POLL_MS));
  const statements = (await asked()).slice(before);
  expect(statements.filter((s) => !s.includes("lsn_time_mapping"))).toEqual([]);
  for (const database of DATABASES) {
    const mine = statements.filter((s) => s.includes(`[${database}]`)).length;
    expect(mine, database).toBeGreaterThan(0);
    expect(mine, database).toBeLessThanOrEqual(INTERVALS + 1);
  }
});
