/** Defaults of TIMESTAMP columns, by what the reference's schemas show (BinlogDefaultValueConverter). */
import { expect, test } from "vitest";
import type { Column, Table } from "#connectors/cdc/table-model";
import { TablePlans } from "#connectors/mysql/plans";
import { taskSettings } from "#connectors/mysql/task-settings";

const CONFIG = {
  "connector.class": "io.debezium.connector.mysql.MySqlConnector",
  "database.hostname": "h",
  "database.user": "u",
  "database.server.id": "7",
  "topic.prefix": "p",
};
const column = (name: string, optional: boolean, defaultValueExpression: string): Column => ({
  name,
  jdbcType: 2014,
  nativeType: null,
  typeName: "TIMESTAMP",
  typeExpression: "TIMESTAMP",
  charsetName: null,
  length: null,
  scale: null,
  position: 1,
  optional,
  autoIncremented: false,
  generated: false,
  comment: null,
  hasDefaultValue: true,
  defaultValueExpression,
  enumValues: [],
});
test("a nullable TIMESTAMP that is CURRENT_TIMESTAMP or 1970 by default shows none", () => {
  const now = "1970-01-01 00:00:00";
  const settings = taskSettings("mysql", CONFIG, 0, 0, () => {});
  const plans = new TablePlans(settings.planSettings(new Map()));
  const columns = [column("a", true, now), column("b", false, now), column("c", true, "2020-01-01 00:00:00.5")];
  const table: Table = {
    id: { catalog: "d", schema: null, table: "t" },
    primaryKeyColumnNames: [],
    columns,
    defaultCharsetName: null,
    comment: null,
    attributes: [],
  };
  const plan = plans.plan(table, { kind: "text", columns: ["a", "b", "c"] });
  const fields = plan.rowSchema.fields.map((f) => [f.name, f.schema.optional, f.schema.default]);
  expect(fields).toEqual([
    ["a", true, undefined],
    ["b", false, "1970-01-01T00:00:00Z"],
    ["c", true, "2020-01-01T00:00:00.5Z"],
  ]);
});
