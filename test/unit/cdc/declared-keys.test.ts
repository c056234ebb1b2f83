/** The settings of the database connectors are those of Debezium 3.4's ConfigDefs, and what several have is written once. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type DeclaredKey, declaredKeys } from "#connectors/cdc/declared-keys";
import { SHARED_KEYS } from "#connectors/cdc/shared-keys";
import { MARIADB_KEYS, MYSQL_KEYS } from "#connectors/mysql/config-keys";
import { POSTGRES_KEYS } from "#connectors/postgres/config-keys";
import { SQLSERVER_KEYS } from "#connectors/sqlserver/config-keys";

const TABLES: Readonly<Record<string, readonly DeclaredKey[]>> = {
  postgres: POSTGRES_KEYS,
  mysql: MYSQL_KEYS,
  mariadb: MARIADB_KEYS,
  sqlserver: SQLSERVER_KEYS,
};
/** Connector, group, order in it, name, type, default, importance, width, display name, dependents: what `Connector.config()` answered. */
const recorded: readonly (readonly unknown[])[] = JSON.parse(
  readFileSync(new URL("./reference/config-keys.json", import.meta.url), "utf8"),
);

describe.each(Object.entries(TABLES))("%s", (connector, keys) => {
  test("the same keys as the reference, group by group", () => {
    const ours = keys.map((k) => [
      connector,
      k.group,
      k.order,
      k.name,
      k.type,
      k.default,
      k.importance,
      k.width,
      k.displayName,
      k.dependents ?? [],
    ]);
    expect(ours).toEqual(recorded.filter((row) => row[0] === connector));
  });
  test("every key is explained", () => expect(keys.filter((k) => k.doc === "")).toEqual([]));
});

test("a setting that several databases have is described once", () => {
  const databases = [POSTGRES_KEYS, MYSQL_KEYS, SQLSERVER_KEYS];
  const owners = (name: string): number => databases.filter((keys) => keys.some((k) => k.name === name)).length;
  const shared = Object.keys(SHARED_KEYS);
  expect(shared.filter((name) => owners(name) < 2)).toEqual([]);
  const names = new Set(databases.flatMap((keys) => keys.map((k) => k.name)));
  expect([...names].filter((name) => owners(name) > 1 && !shared.includes(name))).toEqual([]);
});
test("what a connector has otherwise wins, and places are counted by group", () => {
  const own = { mine: { ...SHARED_KEYS["topic.prefix"], displayName: "Mine" } };
  const keys = declaredKeys({ A: ["topic.prefix", "mine"], B: ["database.port"] }, own, { "database.port": { default: "1" } });
  expect(keys.map((k) => [k.name, k.group, k.order, k.default, k.displayName])).toEqual([
    ["topic.prefix", "A", 1, null, "Topic prefix"],
    ["mine", "A", 2, null, "Mine"],
    ["database.port", "B", 1, "1", "Port"],
  ]);
});
