/** What the doctor finds wrong with a real server, its own statements mend. */
import { describe, expect, test } from "vitest";
import type { Check } from "#connect/api/diagnosis";
import type { SourceConnectorPlugin } from "#connect/api/connector";
import { configOfUrl } from "#connect/cli/verbs/database-url";
import { mariadbSource, mysqlSource } from "#connectors/mysql/index";
import { postgresSource } from "#connectors/postgres/index";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import { freePorts } from "../peers/ports.ts";
import { startPostgres } from "../peers/postgres.ts";

async function checks(plugin: SourceConnectorPlugin, url: string): Promise<readonly Check[]> {
  const doctor = await plugin.diagnosis?.();
  return (await doctor?.check(configOfUrl(url), new AbortController().signal)) ?? [];
}
const wrong = (found: readonly Check[]): readonly string[] => found.filter((c) => !c.ok && c.severity === "error").map((c) => c.check);
async function mend(found: readonly Check[], run: (sql: string) => Promise<unknown>): Promise<void> {
  for (const each of found)
    if (!each.ok && (each.severity === "error" || each.check === "tables")) for (const sql of each.sql ?? []) await run(sql);
}

describe.each([
  ["mariadb", mariadbSource, startMariadb],
  ["mysql", mysqlSource, startMysql],
] as const)("%s", (scheme, plugin, start) => {
  test("rights, row format and row image", async (t) => {
    const [port = 0] = await freePorts(1);
    const peer = await start({ port, arguments: ["--binlog-row-image=MINIMAL", "--binlog-format=STATEMENT"] });
    if ("reason" in peer) return t.skip(peer.reason);
    try {
      const sql = await peer.connect();
      await sql.query(
        "CREATE DATABASE shop; CREATE TABLE shop.orders (id int PRIMARY KEY); CREATE TABLE shop.items (id int PRIMARY KEY); CREATE TABLE shop.sig (id varchar(64) PRIMARY KEY, type varchar(32), data text); CREATE USER 'ann'@'%' IDENTIFIED BY 'pw'; GRANT UPDATE ON shop.items TO 'ann'@'%'; GRANT SELECT ON shop.sig TO 'ann'@'%'",
      );
      const url = `${scheme}://ann:pw@${peer.host}:${peer.port}/shop?signal.data.collection=shop.sig&table.include.list=shop.orders,shop.items`;
      const first = await checks(plugin, url);
      expect(wrong(first)).toEqual([
        "binlog_format",
        "binlog_row_image",
        "replication right",
        "log position right",
        "lock right",
        "select right",
        "signal table",
      ]);
      expect(first.find((c) => c.check === "tables")).toMatchObject({
        severity: "warning",
        sql: ["GRANT SELECT ON `shop`.`orders` TO 'ann'@'%'"],
      });
      await mend(first, (statement) => sql.query(statement));
      expect((await checks(plugin, url)).filter((c) => !c.ok)).toEqual([]);
      const other = scheme === "mysql" ? mariadbSource : mysqlSource;
      expect(wrong(await checks(other, url))).toContain("server");
      expect(wrong(await checks(plugin, url.replace(":pw@", ":no@")))).toEqual(["connection"]);
    } finally {
      await peer.stop();
    }
  });
});
test("postgres: rights, publication, slots", async (t) => {
  const [port = 0] = await freePorts(1);
  const peer = await startPostgres(port);
  if ("reason" in peer) return t.skip(peer.reason);
  try {
    const sql = await peer.database("shop");
    await sql.query(
      "CREATE ROLE ann LOGIN PASSWORD 'pw'; CREATE SCHEMA s; CREATE TABLE s.orders (id int PRIMARY KEY); CREATE TABLE s.log (x int)",
    );
    const url = `postgres://ann:pw@${peer.host}:${peer.port}/shop`;
    const first = await checks(postgresSource, url);
    expect(wrong(first)).toEqual(["replication right", "create right", "select right"]);
    expect(first.find((c) => c.check === "server version")).toMatchObject({ ok: true, message: `PostgreSQL ${peer.version}` });
    expect(first.find((c) => c.check === "replica identity")).toMatchObject({
      ok: false,
      sql: ['ALTER TABLE "s"."log" REPLICA IDENTITY FULL'],
    });
    await mend(first, (statement) => sql.query(statement));
    await sql.query("SELECT pg_create_logical_replication_slot('debezium', 'pgoutput')");
    const second = await checks(postgresSource, url);
    expect(wrong(second)).toEqual([]);
    expect(second.find((c) => c.check === "slot")?.message).toMatch(
      /^slot debezium is there, nobody reads it; it keeps \d+ (bytes|kB|MB) of WAL, wal_status reserved$/,
    );
  } finally {
    await peer.stop();
  }
});
