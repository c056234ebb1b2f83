/** Settings that decide about keys and sources, as Debezium 3.4's connectors were seen to take them. */
import { expect, test } from "vitest";
import type { Table } from "#connectors/cdc/table-model";
import { TablePlans } from "#connectors/mysql/plans";
import { taskSettings } from "#connectors/mysql/task-settings";
import { columnOf } from "../../fakes/columns.ts";

const settings = (flavor: "mysql" | "mariadb", more: Readonly<Record<string, string>>) =>
  taskSettings(flavor, { "topic.prefix": "p", "database.hostname": "h", "database.user": "u", ...more }, 0, 0, () => {});
const table = (name: string, primaryKeyColumnNames: readonly string[]): Table => ({
  id: { catalog: "d", schema: null, table: name },
  primaryKeyColumnNames,
  columns: [columnOf("id")],
  defaultCharsetName: null,
  comment: null,
  attributes: [],
});

test("regex topic naming: keys tell the tables of one topic apart, also of tables that stay in their own", () => {
  const s = settings("mysql", {
    "topic.naming.strategy": "io.debezium.schema.DefaultRegexTopicNamingStrategy",
    "topic.regex": "(.*)\\.(a|b)",
    "topic.replacement": "$1.all",
    "topic.key.field.name": "tbl",
    "topic.key.field.regex": "(.*)\\.(.*)",
    "topic.key.field.replacement": "$2",
  });
  const plans = new TablePlans(s.planSettings(new Map()));
  const keyOf = (name: string, key: readonly string[]): unknown => {
    const plan = plans.plan(table(name, key), { kind: "text", columns: ["id"] });
    const cells = { starts: Int32Array.of(0), ends: Int32Array.of(1) };
    return [plan.topic, plan.keySchema?.fields.map((f) => f.name) ?? null, plan.key(cells, Buffer.from("7"))?.get("tbl")];
  };
  expect(keyOf("a", ["id"])).toEqual(["p.d.all", ["id", "tbl"], "a"]);
  expect(keyOf("c", ["id"])).toEqual(["p.d.c", ["id", "tbl"], "c"]);
  expect(keyOf("tä", ["id"])).toEqual(["p.d.t_", ["id", "tbl"], "tä"]);
  expect(keyOf("b", [])).toEqual(["p.d.all", ["tbl"], "b"]);
});

test("Schema… strategies leave the database out of topics, which the default does not; expressions see the name without odd characters", () => {
  const topic = (strategy: string | null, name: string, more: Readonly<Record<string, string>> = {}) =>
    settings(
      "mysql",
      strategy === null ? more : { "topic.naming.strategy": `io.debezium.schema.${strategy}TopicNamingStrategy`, ...more },
    ).naming.data("d", name);
  expect([topic(null, "t"), topic("Default", "t"), topic("Schema", "t")]).toEqual(["p.d.t", "p.d.t", "p.t"]);
  expect([topic("DefaultUnicode", "tä"), topic("SchemaUnicode", "tä")]).toEqual(["p.d.t_u00e4", "p.t_u00e4"]);
  const routed = { "topic.regex": "(.*)\\.(a|t_)", "topic.replacement": "$1.all" };
  expect([topic("SchemaRegex", "b", routed), topic("SchemaRegex", "tä", routed)]).toEqual(["p.b", "p.all"]);
  expect([topic("DefaultRegex", "b", routed), topic("DefaultRegex", "tö", routed)]).toEqual(["p.d.b", "p.d.all"]);
});

test("MariaDB's GTID sources are domain and server; an expression of the domain alone is taken, too", () => {
  const source = (setting: string, value: string) => settings("mariadb", { [setting]: value }).gtidSource;
  expect(["0-1", "7-1", "70-1"].map((s) => source("gtid.source.includes", "0-.*,70")?.(s))).toEqual([true, false, true]);
  expect(["0-1", "7-1", "7-2", "70-1"].map((s) => source("gtid.source.excludes", "7-1,70")?.(s))).toEqual([true, false, true, false]);
  // Of a whole domain only what is ruled out for sure counts as not wanted: what was purged of it is passed over without a word.
  const domains = (list: string, value: string): unknown => ["0", "7", "70"].map((d) => source(list, value)?.(d));
  expect(domains("gtid.source.includes", "0-1,70")).toEqual([true, true, true]);
  expect(domains("gtid.source.includes", "0, 70")).toEqual([true, false, true]);
  expect(domains("gtid.source.excludes", "7-1,70")).toEqual([true, true, false]);
  expect(settings("mariadb", {}).gtidSource).toBeNull();
  const uuid = "d11800e6-e637-11f1-954b-02fc00000001";
  expect(settings("mysql", { "gtid.source.excludes": "d11800e6" }).gtidSource?.(uuid)).toBe(true);
  expect(settings("mysql", { "gtid.source.excludes": "d11800e6-.*" }).gtidSource?.(uuid)).toBe(false);
});
