/** `schema.history.internal.ddl.filter` and `store.only.captured.*.ddl`: which statements are read, and which are kept. */
import { expect, test } from "vitest";
import type { SchemaHistory } from "#connectors/cdc/schema-history/history";
import type { Server } from "#connectors/mysql/catalog";
import { SchemaTracker } from "#connectors/mysql/schema-tracker";
import { taskSettings } from "#connectors/mysql/task-settings";

const CONFIG = {
  "topic.prefix": "t",
  "database.hostname": "h",
  "database.user": "u",
  "database.server.id": "7",
  "database.include.list": "shop",
  "table.include.list": "shop\\.orders",
  "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
};
const settings = (more: Readonly<Record<string, string>>) => taskSettings("mysql", { ...CONFIG, ...more }, 0, 0, () => {});
const info = { version: 80_400, ignoreTableCase: false } as Partial<Server> as Server;
const passesOver = (more: Readonly<Record<string, string>>): ((sql: string) => boolean) => {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const sql = (): Promise<never> => Promise.reject(new Error("nobody asks the server"));
  return new SchemaTracker({ settings: settings(more), partition: {}, info, history: {} as SchemaHistory, log, sql }).passesOver;
};
test.each(["schema.history.internal.ddl.filter", "internal.schema.history.internal.ddl.filter"])("%s", (name) => {
  const passes = passesOver({ [name]: "CREATE TABLE secret.*,DROP TABLE.*" });
  expect(passes("create table secretx (id int,\n a int)")).toBe(true);
  expect(passes("DROP TABLE orders")).toBe(true);
  expect(passes("CREATE TABLE orders (id int)")).toBe(false);
  // The whole statement has to match; the built-in filter stays.
  expect(passes("/* x */ DROP TABLE orders")).toBe(false);
  expect(passes("FLUSH PRIVILEGES")).toBe(true);
  expect(passesOver({})("DROP TABLE orders")).toBe(false);
});
test("which definitions are kept", () => {
  const kept = (more: Readonly<Record<string, string>>): readonly boolean[] => {
    const { keepsDdl } = settings(more);
    return [keepsDdl("shop", "orders"), keepsDdl("shop", "items"), keepsDdl("other", "t"), keepsDdl("other", null), keepsDdl("", null)];
  };
  const only = "schema.history.internal.store.only.captured";
  expect(kept({})).toEqual([true, true, true, true, true]);
  expect(kept({ [`${only}.databases.ddl`]: "true" })).toEqual([true, true, false, false, true]);
  expect(kept({ [`${only}.tables.ddl`]: "true" })).toEqual([true, false, false, false, true]);
});
