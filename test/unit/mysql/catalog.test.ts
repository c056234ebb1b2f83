import type { Connection } from "mysql2/promise";
import { expect, test } from "vitest";
import { listTables, readServer, showCreateTable } from "#connectors/mysql/catalog";

/** Answers, or fails with the server's error number. */
const server = (answers: Readonly<Record<string, number | readonly unknown[]>>): Connection => {
  const query = (asked: string | { readonly sql: string }): Promise<unknown> => {
    const answer = answers[typeof asked === "string" ? asked : asked.sql] ?? [];
    return typeof answer === "number" ? Promise.reject(Object.assign(new Error("refused"), { errno: answer })) : Promise.resolve([answer]);
  };
  return { query } as Partial<Connection> as Connection;
};
test("databases and tables that are dropped meanwhile are left out; other errors are told", async () => {
  const tables = (database: string): string => `SHOW FULL TABLES IN \`${database}\` WHERE Table_Type IN ('BASE TABLE', 'SYSTEM VERSIONED')`;
  expect(await listTables(server({ [tables("gone")]: 1049, [tables("shop")]: [["orders", "BASE TABLE"]] }), ["gone", "shop"])).toEqual([
    { database: "shop", table: "orders" },
  ]);
  await expect(listTables(server({ [tables("shop")]: 1044 }), ["shop"])).rejects.toMatchObject({ errno: 1044 });
  const create = (answer: number): Promise<string | null> =>
    showCreateTable(server({ "SHOW CREATE TABLE `shop`.`s39`": answer }), { database: "shop", table: "s39" });
  expect(await create(1146)).toBeNull();
  await expect(create(1142)).rejects.toMatchObject({ errno: 1142 });
});

test.each([
  ["ON", true],
  ["ON_PERMISSIVE", false],
  ["OFF_PERMISSIVE", false],
  ["OFF", false],
])("gtid_mode=%s: the log can be asked for by GTIDs: %s", async (mode, expected) => {
  const query = (sql: string | { readonly sql: string }): Promise<unknown> =>
    Promise.resolve([[JSON.stringify(sql).includes("@@gtid_mode") ? { mode, uuid: "u" } : { version: "9.7.0", lct: "0" }]]);
  const asked = await readServer({ query } as Partial<Connection> as Connection);
  expect([asked.mariadb, asked.serverUuid, asked.gtidMode]).toEqual([false, "u", expected]);
});
