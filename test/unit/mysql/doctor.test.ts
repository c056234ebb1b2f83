import { expect, test } from "vitest";
import type { Server } from "#connectors/mysql/catalog";
import { logChecks } from "#connectors/mysql/doctor";
import { lockCheck, rightChecks } from "#connectors/mysql/doctor-rights";

const server: Server = {
  mariadb: false,
  version: 80_400,
  gtidMode: true,
  rowFormat: true,
  logEnabled: true,
  ignoreTableCase: false,
  charset: "utf8mb4",
  collation: "",
  serverUuid: null,
};
const missing = (checks: ReturnType<typeof rightChecks>): readonly string[] =>
  checks.filter((c) => !c.ok).flatMap((c) => c.sql ?? [c.check]);

test("rights by the statements of SHOW GRANTS", () => {
  const account = "'a'@'%'";
  const rights = (info: Server, ...grants: string[]): readonly string[] => missing(rightChecks(info, grants, account));
  expect(rights(server, "GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION")).toEqual([]);
  expect(rights(server, "GRANT SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `a`@`%`")).toEqual([]);
  expect(rights(server, "GRANT RELOAD ON *.* TO `a`@`%`", "GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`")).toEqual([
    "GRANT REPLICATION SLAVE ON *.* TO 'a'@'%'",
    "GRANT REPLICATION CLIENT ON *.* TO 'a'@'%'",
  ]);
  const mariadb = { ...server, mariadb: true, version: 101_100 };
  expect(rights(mariadb, "GRANT RELOAD, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*X'")).toEqual([]);
  expect(rights(mariadb, "GRANT RELOAD, REPLICATION SLAVE ON *.* TO `a`@`%`")).toEqual(["GRANT BINLOG MONITOR ON *.* TO 'a'@'%'"]);
});
test("locks by the statements of SHOW GRANTS", () => {
  const lock = (...grants: string[]): readonly [boolean, string] => {
    const found = lockCheck(grants, "'a'@'%'", [
      { database: "shop_1", table: "orders" },
      { database: "new", table: "t" },
    ]);
    return [found.ok, found.severity];
  };
  expect(lock("GRANT RELOAD, SHOW DATABASES ON *.* TO `a`@`%`")).toEqual([true, "error"]);
  expect(lock("GRANT USAGE ON *.* TO `a`@`%`", "GRANT FLUSH_TABLES ON *.* TO `a`@`%`")).toEqual([true, "error"]);
  expect(lock("GRANT LOCK TABLES ON *.* TO `a`@`%`")).toEqual([false, "warning"]);
  expect(lock("GRANT SELECT, LOCK TABLES ON `shop\\_1`.* TO `a`@`%`", "GRANT ALL PRIVILEGES ON `ne%`.* TO `a`@`%`")).toEqual([
    false,
    "warning",
  ]);
  expect(lock("GRANT SELECT, LOCK TABLES ON `shop_1`.* TO `a`@`%`")).toEqual([false, "error"]);
  expect(lock("GRANT SUPER ON *.* TO `a`@`%`")).toEqual([false, "error"]);
});
test("settings of the log", () => {
  const log = (info: Partial<Server>, settings: Readonly<Record<string, string>>): readonly string[] =>
    missing(logChecks({ ...server, ...info }, new Map(Object.entries(settings))));
  expect(log({}, { binlog_row_image: "FULL", binlog_expire_logs_seconds: "2592000" })).toEqual([]);
  expect(log({ logEnabled: false }, {})).toEqual(["log_bin"]);
  expect(log({ rowFormat: false }, { binlog_row_image: "minimal" })).toEqual([
    "SET GLOBAL binlog_format = 'ROW'",
    "SET GLOBAL binlog_row_image = 'FULL'",
  ]);
  expect(log({}, { binlog_expire_logs_seconds: "3600" })).toEqual(["SET GLOBAL binlog_expire_logs_seconds = 864000"]);
  expect(log({ mariadb: true }, { expire_logs_days: "0" })).toEqual([]);
});
