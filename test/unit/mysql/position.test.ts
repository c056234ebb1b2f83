/** Which records of the schema history belong to a position. */
import { expect, test } from "vitest";
import { historyOrder } from "#connectors/mysql/position";

const mariadb = historyOrder("mariadb");
const statement = { file: "binlog.000001", pos: 1569483, gtids: "0-1-688", server_id: 1, event: 1 };

test("MariaDB: a statement is before the place between it and the next transaction, where a connection may be cut and heartbeats stand", () => {
  expect(mariadb(statement, { file: "binlog.000001", pos: 1569483, gtids: "0-1-688", server_id: 1 })).toBe(true);
  expect(mariadb(statement, { ...statement })).toBe(true);
  expect(mariadb(statement, { ...statement, event: 2, row: 1 })).toBe(true);
  // Inside the transaction before it.
  expect(mariadb(statement, { file: "binlog.000001", pos: 1568516, gtids: "0-1-686", server_id: 1, event: 2, row: 1 })).toBe(false);
});
test("a statement inside a transaction is after the transaction's beginning", () => {
  const inside = { file: "binlog.000001", pos: 400, gtids: "0-1-5", event: 3 };
  expect(mariadb(inside, { file: "binlog.000001", pos: 400, gtids: "0-1-5" })).toBe(false);
  expect(mariadb(inside, { file: "binlog.000001", pos: 400, gtids: "0-1-5", event: 2, row: 1 })).toBe(false);
  expect(mariadb(inside, { file: "binlog.000001", pos: 400, gtids: "0-1-5", event: 3, row: 1 })).toBe(true);
});
test("after a failover: the same transactions in files with lower numbers", () => {
  const place = { file: "binlog.000001", pos: 300, server_id: 1, event: 2, row: 1 };
  const uuid = "9cafe29a-e674-11f1-8a3a-02fc00000001";
  expect(mariadb({ ...statement, file: "binlog.000009" }, { ...place, gtids: statement.gtids })).toBe(true);
  const mysql = historyOrder("mysql");
  expect(mysql({ file: "binlog.000009", pos: 900, gtids: `${uuid}:1-8` }, { ...place, gtids: `${uuid}:1-8` })).toBe(true);
  expect(mysql({ file: "binlog.000009", pos: 900, gtids: `${uuid}:1-9` }, { ...place, gtids: `${uuid}:1-8` })).toBe(false);
});
