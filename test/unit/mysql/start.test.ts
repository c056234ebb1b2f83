/** What the server has to have of the transactions before the stored position. */
import type { Connection } from "mysql2/promise";
import { expect, test } from "vitest";
import type { Server } from "#connectors/mysql/catalog";
import type { StoredPosition } from "#connectors/mysql/position";
import { missingLog, streamStart } from "#connectors/mysql/start";

const A = "9cafe29a-e674-11f1-8a3a-02fc00000001";
const B = "9cafe29a-e674-11f1-8a3a-02fc00000002";
const stored = (gtids: string): StoredPosition => ({ file: "b.000001", position: 4, gtids, event: 0, row: 0, complete: true });
/** Each question is answered by the next of its answers; the last one stays. */
function asking(answers: Readonly<Record<string, readonly string[]>>): Connection {
  const left = new Map(Object.entries(answers).map(([k, v]) => [k, [...v]]));
  const query = (sql: string): Promise<unknown> => {
    if (sql === "SHOW BINARY LOGS") return Promise.resolve([[{ Log_name: "b.000001" }]]);
    const key = [...left.keys()].find((k) => sql.includes(k)) ?? "";
    const list = left.get(key) ?? [];
    const value = list.length > 1 ? list.shift() : list[0];
    return Promise.resolve([[{ [/ AS (\w+)/.exec(sql)?.[1] ?? ""]: value }]]);
  };
  return { query } as Partial<Connection> as Connection;
}
const missing = (mariadb: boolean, gtids: string, answers: Parameters<typeof asking>[0], wanted: ((s: string) => boolean) | null = null) =>
  missingLog(asking(answers), { mariadb, gtidMode: true } as Partial<Server> as Server, stored(gtids), wanted, () => Promise.resolve());

test("MySQL: logs that were reset lack what was read; purged ones what was not", async () => {
  expect(await missing(false, `${A}:1-9`, { gtid_executed: [`${A}:1-12`], gtid_purged: [`${A}:1-5`] })).toBeNull();
  expect(await missing(false, `${A}:1-9`, { gtid_executed: [`${A}:1-3`], gtid_purged: [""] })).toContain(`have the transactions ${A}:4-9`);
  expect(await missing(false, `${A}:1-9`, { gtid_executed: [`${A}:1-30`], gtid_purged: [`${A}:1-12`] })).toContain(
    `${A}:10-12 were purged`,
  );
});
test("a transaction that is in the log and not yet counted is waited for; sources that are not read do not count", async () => {
  expect(await missing(false, `${A}:1-9`, { gtid_executed: [`${A}:1-8`, `${A}:1-9`], gtid_purged: [""] })).toBeNull();
  expect(await missing(false, `${A}:1-9,${B}:1`, { gtid_executed: [`${A}:1-9`], gtid_purged: [""] }, (s) => s === A)).toBeNull();
});
test("purged transactions of a source that is not wanted are passed over, and the server is told that they are there", async () => {
  const answers = { gtid_executed: [`${A}:1-12,${B}:1-9`], gtid_purged: [`${A}:1-5,${B}:1-3`] };
  expect(await missing(false, `${A}:1-9`, answers)).toContain(`${B}:1-3 were purged`);
  expect(await missing(false, `${A}:1-9`, answers, (s) => s === A)).toBeNull();
  const server = { mariadb: false, gtidMode: true } as Partial<Server> as Server;
  const start = await streamStart(asking(answers), server, stored(`${A}:1-9`), (s) => s === A);
  expect(start.by === "mysqlGtid" ? start.executed.toString() : "").toBe(`${A}:1-9,${B}:1-3`);
  const oldest = { gtid_current_pos: ["0-1-20,7-2-9"], BINLOG_GTID_POS: ["0-1-5,7-2-3"] };
  expect(await missing(true, "0-1-9", oldest)).toContain("were purged");
  expect(await missing(true, "0-1-9", oldest, (s) => s === "0")).toBeNull();
  const mariadb = { mariadb: true, gtidMode: true } as Partial<Server> as Server;
  expect(await streamStart(asking(oldest), mariadb, stored("0-1-9"), (s) => s === "0")).toMatchObject({ position: "0-1-9,7-2-3" });
});
test("MariaDB: by domain; one that was taken out of the log's state does not count", async () => {
  const before = { BINLOG_GTID_POS: [""] };
  expect(await missing(true, "0-1-855", { gtid_current_pos: ["0-1-3"], ...before })).toContain("have the transactions 0-1-855");
  expect(await missing(true, "0-1-855", { gtid_current_pos: [""], ...before })).toContain("have the transactions 0-1-855");
  expect(await missing(true, "0-1-855,5-1-7", { gtid_current_pos: ["0-2-900"], ...before })).toBeNull();
});
