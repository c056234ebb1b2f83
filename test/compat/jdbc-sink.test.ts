/** The JDBC sink's further targets: MariaDB, MySQL, and SQL Server's simulator as far as that goes. */
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe } from "vitest";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlOrReason } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";
import { startSqlServer } from "../peers/sqlserver.ts";
import { jdbcSinkSuite, type Target } from "./jdbc-sink-suite.ts";

const texts = (row: Readonly<Record<string, unknown>>): Record<string, string | null> =>
  Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v === null ? null : typeof v === "string" ? v : JSON.stringify(v)]));
const COMMON = {
  i8: "-7",
  i64: "9223372036854775807",
  f: "0.5",
  b: "1",
  de: "-1.500",
  d: "1969-12-31",
  ts: "1969-12-31 23:59:59.999999",
  ms: "2023-11-14 22:13:20.123",
  tm: "23:59:59.999999",
  u: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
  raw: "00FF5C27",
  txt: "'quoted' \\ \"and\" 😀 \n é",
  arr: "[1,2]",
  nul: null,
};
const SERVERS: readonly (readonly [string, string, (options: { port: number }) => Promise<MysqlOrReason>])[] = [
  ["MariaDB", "mariadb", startMariadb],
  ["MySQL", "mysql", startMysql],
];
for (const [name, vendor, start] of SERVERS) {
  const [port = 0] = await freePorts(1);
  const peer = await start({ port });
  const reason = "reason" in peer ? peer.reason : "";
  describe.skipIf(reason !== "")(`${name}${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
    let connection: Connection;
    let target: Target;
    beforeAll(async () => {
      if ("reason" in peer) return;
      const password = peer.password === "" ? "secret" : peer.password;
      connection = await peer.connect();
      await connection.query("create database if not exists sink character set utf8mb4; use sink");
      await connection.query(`create user if not exists 'sinker'@'%' identified by '${password}'; grant all on sink.* to 'sinker'@'%'`);
      target = {
        url: `jdbc:${vendor}://${peer.host}:${peer.port}/sink`,
        user: "sinker",
        password,
        run: async (statement) => void (await connection.query(statement)),
        rows: async (query) =>
          (
            await connection.query<RowDataPacket[]>({ sql: query, dateStrings: true, bigNumberStrings: true, supportBigNumbers: true })
          )[0].map(texts),
        shownTypes:
          "i8, i64, f, b, de, d, ts, ms, tz, tm, cast(js as char) js, u, hex(raw) raw, txt, cast(arr as char) arr, nul, bin(bits) bits",
        expectedTypes: {
          ...COMMON,
          tz: "2024-02-29 22:59:59.123456",
          js: '{"a": [1, 2]}',
          bits: "100000000011",
          ...(name === "MySQL" && { arr: "[1, 2]" }),
        },
        hasBits: true,
        batchRows: 2500,
      };
    });
    afterAll(async () => {
      await connection?.end();
      if (!("reason" in peer)) await peer.stop();
    });
    jdbcSinkSuite(() => target);
  });
}

const [port = 0] = await freePorts(1);
const server = await startSqlServer({ port });
const reason = "reason" in server ? server.reason : "";
describe.skipIf(reason !== "")(`SQL Server${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  let target: Target;
  beforeAll(async () => {
    if ("reason" in server) return;
    await server.run("master", "create database sink");
    target = {
      url: `jdbc:sqlserver://${server.host}:${server.port};databaseName=sink;encrypt=true;trustServerCertificate=true`,
      user: server.user,
      password: server.password,
      run: (statement) => server.run("sink", statement),
      rows: async (query) => (await server.rows("sink", query)).map(texts),
      shownTypes:
        "i8, i64, f, cast(b as int) as b, cast(de as nvarchar(40)) as de, convert(nvarchar(40), d, 23) as d, convert(nvarchar(40), ts, 121) as ts, convert(nvarchar(40), ms, 121) as ms, convert(nvarchar(40), tz, 121) as tz, convert(nvarchar(40), tm, 121) as tm, js, lower(convert(nvarchar(40), u)) as u, convert(nvarchar(40), raw, 2) as raw, txt, arr, nul",
      expectedTypes: { ...COMMON, tz: "2024-02-29 23:59:59.1234560 +01:00", js: '{"a": [1, 2]}' },
      hasBits: false,
      // More than one statement; the simulator joins row by row.
      batchRows: server.simulator ? 700 : 2500,
    };
  });
  afterAll(async () => {
    if (!("reason" in server)) await server.stop();
  });
  jdbcSinkSuite(() => target);
});
