/** Which transaction of a server's log is the one that an earlier run stopped in. */
import { expect, test } from "vitest";
import { type Beginning, HandedOn } from "#connectors/mysql/handed-on";

const A = "9cafe29a-e674-11f1-8a3a-02fc00000001";
const B = "9cafe29a-e674-11f1-8a3a-02fc00000002";
const offset = { file: "binlog.000002", pos: 300, server_id: 1, ts_sec: 1000 };
const stopped = (gtids: string | null): HandedOn =>
  new HandedOn({ file: "binlog.000002", position: 300, gtids, event: 4, row: 1 }, { ...offset, gtids });
const here = { file: "binlog.000002", position: 300, serverId: 1, tsSec: 1000 };
const elsewhere = { ...here, file: "binlog.000001", position: 900 };
const gtid = (uuid: string, number: bigint): Beginning["gtid"] => ({ uuid, tag: "", number, text: `${uuid}:${number}` });

test("by file and position it is the first, whatever it looks like", () => {
  expect(stopped(null).isIn({ ...elsewhere, serverId: 9, gtid: null })).toBe(true);
});
test("MySQL: at its place, else the next of its server at its time; never one of another server at that place", () => {
  const cut = stopped(`${A}:1-7`);
  expect(cut.isIn({ ...here, gtid: gtid(A, 8n) })).toBe(true);
  expect(cut.isIn({ ...here, position: 300 + 2 ** 32, gtid: gtid(A, 8n) })).toBe(true);
  expect(cut.isIn({ ...elsewhere, gtid: gtid(A, 8n) })).toBe(true);
  expect(cut.isIn({ ...elsewhere, gtid: gtid(A, 9n) })).toBe(false);
  expect(cut.isIn({ ...elsewhere, tsSec: 1001, gtid: gtid(A, 8n) })).toBe(false);
  expect(cut.isIn({ ...here, serverId: 2, gtid: gtid(B, 1n) })).toBe(false);
});
test("MariaDB: a filter of the replica may have left it out", () => {
  const cut = stopped("0-1-7,3-1-2");
  expect(cut.isIn({ ...elsewhere, gtid: { domain: 0, server: 1, sequence: 8n } })).toBe(true);
  expect(cut.isIn({ ...elsewhere, gtid: { domain: 0, server: 1, sequence: 9n } })).toBe(false);
  expect(cut.isIn({ ...here, serverId: 2, gtid: { domain: 7, server: 2, sequence: 1n } })).toBe(false);
});
