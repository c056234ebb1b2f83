/** Sessions of the connectors on real servers: `database.query.timeout.ms`. */
import { afterAll, describe, expect, test } from "vitest";
import { rowsOf } from "#connectors/mysql/catalog";
import { settingsOf } from "#connectors/mysql/config";
import { connect } from "#connectors/mysql/connection";
import { errorNumber, isTransient } from "#connectors/mysql/failures";
import { serverOf } from "#connectors/mysql/server-settings";
import { textConnection } from "#connectors/mysql/text-session";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import { freePorts } from "../peers/ports.ts";

const SERVERS = [
  // SLEEP does not fail when it is interrupted.
  {
    flavor: "mysql",
    start: startMysql,
    variable: "max_execution_time",
    limit: "300",
    none: "0",
    errnos: [3024, 1317],
    slow: "SELECT COUNT(*) FROM w a, w b, w c WHERE SIN(a.i + b.i * c.i) > 2",
  },
  {
    flavor: "mariadb",
    start: startMariadb,
    variable: "max_statement_time",
    limit: "0.3",
    none: "0",
    errnos: [1969],
    slow: "SELECT SLEEP(20)",
  },
] as const;

describe.each(SERVERS)("$flavor", ({ flavor, start, variable, limit, none, errnos, slow }) => {
  let stop: (() => Promise<void>) | null = null;
  afterAll(() => stop?.());
  test("a query that takes too long is ended by the server; reading tables is not limited", async (context) => {
    const [port = 0] = await freePorts(1);
    const peer = await start({ port });
    if ("reason" in peer) return context.skip(peer.reason);
    stop = () => peer.stop();
    const admin = await peer.connect();
    await admin.query(
      "CREATE DATABASE w; USE w; CREATE TABLE w (i int); INSERT INTO w WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 1000) SELECT i FROM r",
    );
    await admin.query("CREATE USER 'm'@'%' IDENTIFIED BY 'm'; GRANT SELECT ON *.* TO 'm'@'%'");
    const settings = settingsOf(flavor, {
      "database.hostname": peer.host,
      "database.port": String(peer.port),
      "database.user": "m",
      "database.password": "m",
      "database.query.timeout.ms": "300",
    });
    const server = serverOf(settings);
    const connection = await connect(server, { database: "w" });
    expect(await rowsOf(connection, `SELECT @@${variable} AS v`)).toEqual([{ v: limit }]);
    const error: unknown = await connection.query(slow).catch((e: unknown) => e);
    expect(errnos).toContain(errorNumber(error));
    expect(isTransient(error)).toBe(true);
    const reading = await textConnection(server);
    expect(await rowsOf(reading, `SELECT @@${variable} AS v`)).toEqual([{ v: none }]);
    const unlimited = await connect({ ...server, queryTimeoutMs: 0 });
    expect(await rowsOf(unlimited, `SELECT @@${variable} AS v`)).toEqual([{ v: none }]);
    for (const each of [connection, reading, unlimited]) each.destroy();
  }, 120_000);
});
