/** What is said when changes cannot come, or are gone: rule 3 of reliability; and lists of tables that name them with their database. */
import { expect, test } from "vitest";
import { inHashMapOrder } from "#connect/api/hash-map-order";
import { captureProgress } from "#connectors/sqlserver/catalog";
import { lateness } from "#connectors/sqlserver/capture-watch";
import { sqlserverSource } from "#connectors/sqlserver/index";
import type { SqlServerPeer } from "../peers/sqlserver.ts";
import { addressOf, op } from "./sqlserver-reading.ts";
import { enable, ids, type SuiteParts } from "./sqlserver-suite.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Removes what the change table of `instance` has before the newest change. */
const cleanUp = (instance: string): string =>
  `DECLARE @last binary(10) = sys.fn_cdc_get_max_lsn();
   EXEC sys.sp_cdc_cleanup_change_table @capture_instance = N'${instance}', @low_water_mark = @last, @threshold = 5000`;
const other = async (peer: SqlServerPeer, database: string): Promise<void> => {
  await peer.run(database, "CREATE TABLE other (id int NOT NULL PRIMARY KEY)");
  await peer.run(database, enable("other"));
};

export function gapTests({ on, reading, item, streaming }: SuiteParts): void {
  test("a capture job that stands while its tables change is found", async (t) => {
    const { peer, database } = await on(t);
    await item(peer, database);
    const session = {
      rows: async (statement: string) => (await peer.rows(database, statement.replaceAll("@db", `N'${database}'`))).map(Object.values),
      first: async (statement: string) => (await session.rows(statement))[0] ?? null,
    };
    await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three')");
    for (let left = 60; left > 0 && (await captureProgress(session, database)).behindSeconds > 0; left--) await sleep(500);
    expect((await captureProgress(session, database)).behindSeconds).toBeLessThanOrEqual(0);
    await peer.run(database, "EXEC sys.sp_cdc_stop_job @job_type = N'capture'");
    await sleep(2100);
    await peer.run(database, "UPDATE item SET n = 5 WHERE id = 1");
    const found = await captureProgress(session, database);
    expect(found.behindSeconds).toBeGreaterThan(0);
    expect(lateness({ ...found, ageSeconds: 90 })).toContain(String(found.changedAt));
    await peer.run(database, "EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = 60");
    const doctor = await sqlserverSource.diagnosis?.();
    const told = (await doctor?.check(addressOf(peer, database), new AbortController().signal)) ?? [];
    const failing = told.filter((c) => !c.ok).map((c) => [c.check, c.sql?.at(-1)]);
    expect(failing).toEqual([
      ["capture job", "EXEC sys.sp_cdc_start_job @job_type = N'capture'"],
      ["retention", "EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = 4320"],
    ]);
  });
  test("the doctor does not take a database without captured tables for one without rights", async (t) => {
    const { peer, database } = await on(t);
    await peer.run(database, "CREATE TABLE item (id int NOT NULL PRIMARY KEY)");
    const doctor = await sqlserverSource.diagnosis?.();
    const told = (await doctor?.check(addressOf(peer, database), new AbortController().signal)) ?? [];
    expect(told.filter((c) => !c.ok && c.severity === "error").map((c) => [c.check, c.sql?.at(-1)])).toEqual([
      ["capture instance", "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'item', @role_name = NULL"],
    ]);
  });
  test("changes that the clean-up job takes away before a running task has read them stop it", async (t) => {
    const { peer, database } = await on(t);
    await item(peer, database);
    await other(peer, database);
    const all = reading(t, peer, database, { "max.batch.size": "10", "max.queue.size": "20", "streaming.fetch.size": "10" });
    await all.start();
    await all.take(0, 2);
    const goOn = all.hold();
    const rows = Array.from({ length: 100 }, (_, i) => `(${100 + i}, 0, 'x')`);
    await peer.run(database, `INSERT INTO item VALUES ${rows.join(", ")}`);
    await all.captured("dbo_item", database, 100);
    expect((await all.quiet(2)).length).toBeLessThan(60);
    await peer.run(database, "INSERT INTO item VALUES (4, 4, 'four')");
    await peer.run(database, "INSERT INTO item VALUES (5, 5, 'five')");
    await all.captured("dbo_item", database, 102);
    await peer.run(database, cleanUp("dbo_item"));
    goOn();
    expect(await all.failed()).toMatch(
      /clean-up job has removed changes of the capture instance dbo_item[\s\S]*snapshot\.mode=when_needed/,
    );
  });
  test("a change table that was cleaned up alone, by hand, is named at the next start", async (t) => {
    const { peer, database } = await on(t);
    await item(peer, database);
    await other(peer, database);
    const all = reading(t, peer, database, { "errors.max.retries": "0" });
    await all.start();
    await all.take(0, 2);
    await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three')");
    await all.take(2, 1);
    await all.stop();
    await peer.run(database, "INSERT INTO item VALUES (4, 4, 'four')");
    await peer.run(database, "INSERT INTO item VALUES (5, 5, 'five')");
    await all.captured("dbo_item", database, 3);
    await peer.run(database, cleanUp("dbo_item"));
    // The other table still begins before the position.
    const told = all.start().then(() => all.failed());
    await expect(told.catch(String)).resolves.toMatch(/the change table of dbo_item begins at/);
  });
  test("a table whose capture instance was disabled is named with the statement that mends it; the others go on", async (t) => {
    const { peer, database } = await on(t);
    await item(peer, database);
    await other(peer, database);
    const all = reading(t, peer, database);
    await all.start();
    await all.take(0, 2);
    await peer.run(database, "INSERT INTO item VALUES (3, 3, 'three')");
    await all.take(2, 1);
    await peer.run(
      database,
      "EXEC sys.sp_cdc_disable_table @source_schema = N'dbo', @source_name = N'item', @capture_instance = N'dbo_item'",
    );
    await peer.run(database, "INSERT INTO other VALUES (9)");
    expect(ids(await all.take(3, 1))).toEqual([9]);
    expect(await all.warned(/no capture instance/)).toContain(
      `${database}.dbo.item has no capture instance: its changes are not read. Capture it with EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'item'`,
    );
    await peer.run(database, enable("item"));
    await peer.run(database, "INSERT INTO item VALUES (4, 4, 'four')");
    expect(ids(await all.take(4, 1))).toEqual([4]);
  });
  test("a database whose change data capture was disabled is named", async (t) => {
    const { peer, database, all } = await streaming(t);
    await peer.run(database, "EXEC sys.sp_cdc_disable_db");
    expect(await all.failed()).toMatch(new RegExp(`change data capture is disabled in ${database}[\\s\\S]*sys\\.sp_cdc_enable_db`, "i"));
    await peer.run(database, "EXEC sys.sp_cdc_enable_db");
  });
  test("snapshot.include.collection.list has the database in its names; notifications of rows that were scanned list all captured tables", async (t) => {
    const { peer, database } = await on(t);
    await item(peer, database);
    await other(peer, database);
    await peer.run(database, "INSERT INTO other VALUES (1)");
    const listing = (list: string): Readonly<Record<string, string>> => ({
      "snapshot.include.collection.list": list,
      "snapshot.mode": "initial_only",
      "notification.enabled.channels": "sink",
      "notification.sink.topic.name": "told",
    });
    const all = reading(t, peer, database, listing(`${database}.dbo.item`));
    await all.start();
    const events = await all.take(0, 6);
    expect(events.filter((e) => e.topic !== "told").map((e) => `${e.topic} ${op(e)}`)).toEqual(
      Array.from({ length: 2 }, () => `${database}.${database}.dbo.item r`),
    );
    const told = events.filter((e) => e.topic === "told").map((e) => [e.value?.["type"], e.value?.["additional_data"]] as const);
    expect(told.map(([type]) => type)).toEqual(["STARTED", "IN_PROGRESS", "TABLE_SCAN_COMPLETED", "COMPLETED"]);
    expect(told[1]?.[1]).toMatchObject({
      current_collection_in_progress: `${database}.dbo.item`,
      data_collections: `${database}.dbo.item`,
    });
    expect(told[2]?.[1]).toMatchObject({ data_collections: `${database}.dbo.item,${database}.dbo.other` });
    const both = reading(t, peer, database, { ...listing(`${database}.dbo.(item|other)`), "topic.prefix": "both" });
    await both.start();
    const begun = (await both.take(0, 9)).find((e) => e.topic === "told" && e.value?.["type"] === "IN_PROGRESS");
    const names = inHashMapOrder([`${database}.dbo.item`, `${database}.dbo.other`].map((name) => [name, null] as const)).map(
      ([name]) => name,
    );
    expect(begun?.value?.["additional_data"]).toMatchObject({ data_collections: names.join(",") });
    const none = reading(t, peer, database, { ...listing("dbo.item"), "topic.prefix": "bare" });
    await none.start();
    expect((await none.quiet(0)).filter((e) => e.topic !== "told")).toEqual([]);
  });
}
