/** Settings by their names of before 2.0: the current name, and one warning for each. */
import { expect, test } from "vitest";
import { settingsOf } from "#connectors/mysql/config";
import { currentNames } from "#connectors/mysql/former-names";

test.each([
  ["database.server.name", "shop", "topic.prefix", "shop"],
  ["database.whitelist", "a", "database.include.list", "a"],
  ["database.blacklist", "a", "database.exclude.list", "a"],
  ["table.whitelist", "a.b", "table.include.list", "a.b"],
  ["table.blacklist", "a.b", "table.exclude.list", "a.b"],
  ["column.whitelist", "a.b.c", "column.include.list", "a.b.c"],
  ["column.blacklist", "a.b.c", "column.exclude.list", "a.b.c"],
  ["database.history.kafka.topic", "h", "schema.history.internal.kafka.topic", "h"],
  ["database.history.kafka.bootstrap.servers", "k:9092", "schema.history.internal.kafka.bootstrap.servers", "k:9092"],
  ["database.history.producer.security.protocol", "SSL", "schema.history.internal.producer.security.protocol", "SSL"],
  ["database.history.store.only.captured.tables.ddl", "true", "schema.history.internal.store.only.captured.tables.ddl", "true"],
  [
    "database.history",
    "io.debezium.relational.history.FileDatabaseHistory",
    "schema.history.internal",
    "io.debezium.storage.file.history.FileSchemaHistory",
  ],
])("%s", (former, value, current, now) => {
  const warnings: string[] = [];
  const settings = settingsOf("mysql", { [former]: value }, (warning) => warnings.push(warning));
  expect(settings.optional(current)).toBe(now);
  expect(warnings).toEqual([`the setting '${former}' is now called '${current}'`]);
});
test("a current name that is given as well wins, and says so once", () => {
  const { values, warnings } = currentNames({ "database.server.name": "old", "topic.prefix": "new" });
  expect(values).toEqual({});
  expect(warnings).toEqual(["the setting 'database.server.name' is now called 'topic.prefix', which is given as well and wins"]);
});
test("values of snapshot.mode only beside old names", () => {
  expect(currentNames({ "snapshot.mode": "schema_only" })).toEqual({ values: {}, warnings: [] });
  const old = currentNames({ "database.server.name": "s", "snapshot.mode": "SCHEMA_ONLY_RECOVERY" });
  expect(old.values).toEqual({ "topic.prefix": "s", "snapshot.mode": "recovery" });
  expect(old.warnings).toHaveLength(2);
});
