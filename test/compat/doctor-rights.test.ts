/** One right at a time is taken from a user of a real server: the doctor names that one, and its statements give it back. */
import { describe, expect, test } from "vitest";
import type { SourceConnectorPlugin } from "#connect/api/connector";
import type { Check } from "#connect/api/diagnosis";
import { configOfUrl } from "#connect/cli/verbs/database-url";
import { mariadbSource, mysqlSource } from "#connectors/mysql/index";
import { postgresSource } from "#connectors/postgres/index";
import { sqlserverSource } from "#connectors/sqlserver/index";
import { connectCluster, eventually, rest } from "../fakes/connect-cluster.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import { freePorts } from "../peers/ports.ts";
import { startPostgres } from "../peers/postgres.ts";
import { startSqlServer } from "../peers/sqlserver.ts";

type Settings = Readonly<Record<string, string>>;
async function errors(plugin: SourceConnectorPlugin, url: string, settings: Settings): Promise<readonly Check[]> {
  const doctor = await plugin.diagnosis?.();
  const found = await doctor?.check({ ...configOfUrl(url), ...settings }, new AbortController().signal);
  if (found === undefined) throw new Error("no doctor");
  return found.filter((c) => !c.ok && c.severity === "error");
}
/** Breaks one thing, expects exactly these checks to fail with the statements given, runs them, expects all to be well. */
async function inTurn(
  plugin: SourceConnectorPlugin,
  url: string,
  base: Settings,
  run: (sql: string) => Promise<unknown>,
  cases: readonly (readonly [broken: string, check: string, sql: readonly string[], settings?: Settings])[],
): Promise<void> {
  expect(await errors(plugin, url, base), "with all rights").toEqual([]);
  for (const [broken, check, sql, settings = base] of cases) {
    for (const statement of broken.split(";")) await run(statement);
    const found = await errors(plugin, url, settings);
    expect(
      found.map((c) => [c.check, c.sql ?? []]),
      `${broken}: ${JSON.stringify(found)}`,
    ).toEqual([[check, sql]]);
    for (const statement of sql) await run(statement);
    expect(await errors(plugin, url, settings), `after ${sql.join("; ")}`).toEqual([]);
  }
}

test("postgres", async (t) => {
  const [port = 0] = await freePorts(1);
  const peer = await startPostgres(port);
  if ("reason" in peer) return t.skip(peer.reason);
  try {
    const sql = await peer.database("shop");
    await sql.query(`
      CREATE ROLE ann LOGIN REPLICATION PASSWORD 'pw'; CREATE SCHEMA s; CREATE TABLE s.orders (id int PRIMARY KEY); CREATE TABLE s."Odd one" (id int PRIMARY KEY);
      CREATE TABLE s.signals (id text PRIMARY KEY, type text, data text); GRANT USAGE ON SCHEMA s TO ann;
      ALTER TABLE s.orders OWNER TO ann; ALTER TABLE s."Odd one" OWNER TO ann; ALTER TABLE s.signals OWNER TO ann;
      REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT, CREATE ON DATABASE shop TO ann`);
    const filtered = { "publication.autocreate.mode": "filtered" };
    const withSignals = { ...filtered, "signal.data.collection": "s.signals" };
    await inTurn(postgresSource, `postgres://ann:pw@${peer.host}:${peer.port}/shop`, filtered, (s) => sql.query(s), [
      ["ALTER ROLE ann NOREPLICATION", "replication right", ['ALTER ROLE "ann" REPLICATION']],
      ["ALTER ROLE ann NOLOGIN", "connection", ['ALTER ROLE "ann" LOGIN']],
      ["REVOKE CONNECT ON DATABASE shop FROM ann", "connection", ['GRANT CONNECT ON DATABASE "shop" TO "ann"']],
      ["REVOKE CREATE ON DATABASE shop FROM ann", "create right", ['GRANT CREATE ON DATABASE "shop" TO "ann"']],
      ["REVOKE USAGE ON SCHEMA s FROM ann", "select right", ['GRANT USAGE ON SCHEMA "s" TO "ann"']],
      ['REVOKE SELECT ON s."Odd one" FROM ann', "select right", ['GRANT SELECT ON "s"."Odd one" TO "ann"']],
      ["REVOKE INSERT ON s.signals FROM ann", "signal table", ['GRANT INSERT ON "s"."signals" TO "ann"'], withSignals],
      [
        "DROP TABLE s.signals",
        "signal table",
        [
          'CREATE TABLE "s"."signals" (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data TEXT NULL)',
          'ALTER TABLE "s"."signals" OWNER TO "ann"',
        ],
        withSignals,
      ],
    ]);
  } finally {
    await peer.stop();
  }
});
describe.each([
  ["mariadb", mariadbSource, startMariadb, "BINLOG MONITOR"],
  ["mysql", mysqlSource, startMysql, "REPLICATION CLIENT"],
] as const)("%s", (scheme, plugin, start, monitor) => {
  test("rights", async (t) => {
    const [port = 0] = await freePorts(1);
    const peer = await start({ port });
    if ("reason" in peer) return t.skip(peer.reason);
    try {
      const sql = await peer.connect();
      const all = `SELECT, RELOAD, LOCK TABLES, REPLICATION SLAVE, ${monitor}`;
      await sql.query(`CREATE DATABASE shop; CREATE TABLE shop.orders (id int PRIMARY KEY); CREATE TABLE shop.items (id int PRIMARY KEY);
        CREATE USER 'ann'@'%' IDENTIFIED BY 'pw'; GRANT ${all} ON *.* TO 'ann'@'%'`);
      await inTurn(plugin, `${scheme}://ann:pw@${peer.host}:${peer.port}/shop`, {}, (s) => sql.query(s), [
        ["REVOKE REPLICATION SLAVE ON *.* FROM 'ann'@'%'", "replication right", ["GRANT REPLICATION SLAVE ON *.* TO 'ann'@'%'"]],
        [
          `REVOKE ${monitor} ON *.* FROM 'ann'@'%'`,
          "log position right",
          [`GRANT ${scheme === "mysql" ? "REPLICATION CLIENT" : "BINLOG MONITOR"} ON *.* TO 'ann'@'%'`],
        ],
        [
          "REVOKE SELECT ON *.* FROM 'ann'@'%';GRANT SELECT ON shop.items TO 'ann'@'%';GRANT INSERT ON shop.orders TO 'ann'@'%'",
          "select right",
          ["GRANT SELECT ON `shop`.`orders` TO 'ann'@'%'"],
        ],
      ]);
    } finally {
      await peer.stop();
    }
  });
});
test("sqlserver", async (t) => {
  const peer = await startSqlServer({ port: (await freePorts(1))[0] ?? 0 });
  if ("reason" in peer) return t.skip(peer.reason);
  try {
    await peer.run("master", "CREATE DATABASE shop");
    await peer.run("shop", "CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY); EXEC sys.sp_cdc_enable_db");
    await peer.run("shop", "EXEC sys.sp_cdc_enable_table @source_schema = N'dbo', @source_name = N'orders', @role_name = NULL");
    await peer.run("master", "CREATE LOGIN ann WITH PASSWORD='Passw0rd!'");
    await peer.run("shop", "CREATE USER ann FOR LOGIN ann");
    const config = {
      "topic.prefix": "s",
      "database.hostname": peer.host,
      "database.port": String(peer.port),
      "database.user": "ann",
      "database.password": "Passw0rd!",
      "database.names": "shop",
      "driver.encrypt": "false",
    };
    const found = async (settings: Settings = {}): Promise<readonly Check[]> => {
      const doctor = await sqlserverSource.diagnosis?.();
      const all = (await doctor?.check({ ...config, ...settings }, new AbortController().signal)) ?? [];
      return all.filter((c) => !c.ok && c.severity === "error");
    };
    const first = await found();
    expect(first.map((c) => [c.check, c.sql])).toEqual([["rights", ["USE [shop]", "ALTER ROLE db_owner ADD MEMBER [ann]"]]]);
    await peer.run("master", (first[0]?.sql ?? []).join(";\n"));
    expect(await found()).toEqual([]);
    expect((await found({ "database.password": "wrong" })).map((c) => c.check)).toEqual(["connection"]);
    expect(await found({ "database.names": "nowhere" })).toEqual([
      expect.objectContaining({ check: "database", message: "there is no database nowhere, or the user may not see it" }),
    ]);
  } finally {
    await peer.stop();
  }
});
test("clean-up through REST: the plan, a slot that is in use, a publication of somebody else, what may not be dropped", async (t) => {
  const [port = 0] = await freePorts(1);
  const peer = await startPostgres(port);
  if ("reason" in peer) return t.skip(peer.reason);
  const cluster = await connectCluster();
  try {
    const sql = await peer.database("shop");
    await sql.query(
      `CREATE ROLE ann LOGIN REPLICATION PASSWORD 'pw'; CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1);
       GRANT CREATE ON DATABASE shop TO ann; ALTER TABLE orders OWNER TO ann`,
    );
    const { url } = await cluster.join();
    const call = (method: string, path: string, body?: unknown): ReturnType<typeof rest> => rest(url, method, path, body);
    const create = async (name: string, slot: string): Promise<void> => {
      const config = {
        ...configOfUrl(`postgres://ann:pw@${peer.host}:${peer.port}/shop`),
        name,
        "topic.prefix": name,
        "slot.name": slot,
        "publication.autocreate.mode": "filtered",
      };
      expect((await call("POST", "/connectors", { name, config })).status).toBe(201);
      await eventually(async () => {
        const { body } = await call("GET", `/connectors/${name}/offsets`);
        return Object(body).offsets?.length === 1 ? true : null;
      }, `${name} has its snapshot and offset`);
    };
    await create("one", "slot_one");
    await create("two", "slot_two");
    const plan = async (name: string): Promise<string[]> => {
      const { body } = await call("DELETE", `/connectors/${name}?cleanup=plan`);
      return Object(body).items.map((i: { kind: string; name: string; removed: boolean }) => `${i.kind} ${i.name} ${i.removed}`);
    };
    expect(await plan("one")).toEqual([
      "offsets one true",
      "slot slot_one true",
      "publication dbz_publication false",
      "topic one.public.orders false",
    ]);
    expect((await call("DELETE", "/connectors/one?cleanup=sequins")).status).toBe(400);
    const removed = Object((await call("DELETE", "/connectors/one?cleanup=true")).body);
    expect(removed).toMatchObject({
      deleted: true,
      items: [{ kind: "offsets", removed: true }, { kind: "slot", removed: true }, { removed: false }, { removed: false }],
    });
    const slots = async (): Promise<unknown[]> =>
      (await sql.query("SELECT slot_name FROM pg_replication_slots")).rows.map((r: { slot_name: string }) => r.slot_name);
    expect(await slots()).toEqual(["slot_two"]);
    // Its publication is somebody else's now: what cannot be removed is said, the rest is done.
    await sql.query("ALTER PUBLICATION dbz_publication OWNER TO CURRENT_USER");
    expect(await plan("two")).toContain("publication dbz_publication true");
    const rest2 = Object((await call("DELETE", "/connectors/two?cleanup=true")).body);
    expect(rest2.items.find((i: { kind: string }) => i.kind === "publication")).toMatchObject({
      removed: false,
      error: expect.stringContaining("must be owner of publication dbz_publication"),
      sql: ['DROP PUBLICATION "dbz_publication"'],
    });
    expect([await slots(), (await call("GET", "/connectors")).body]).toEqual([[], []]);
  } finally {
    await cluster.close();
    await peer.stop();
  }
});
