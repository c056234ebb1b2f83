/** What the reference's connectors announced for statements on real servers, beside what they do to names. */
import { describe, expect, test } from "vitest";
import { nameAdjuster } from "#connectors/cdc/name-adjustment";
import { MysqlSchema } from "#connectors/mysql/ddl/schema";

const DATABASE = { database: "d" };
function schemaWith(...statements: readonly string[]): MysqlSchema {
  const schema = new MysqlSchema({ flavor: "mysql", comments: true });
  for (const statement of statements) schema.apply(statement, DATABASE);
  return schema;
}

describe("statements as the reference announces them", () => {
  test("a table's name in double quotes is the server's", () => {
    const { events } = schemaWith().apply('CREATE TABLE "quo""ted" ("id" int PRIMARY KEY)', DATABASE);
    expect(events.map((e) => e.table?.table)).toEqual(['quo"ted']);
  });
  test("ALTER TABLE of a table that is not known is announced as one of the statement's database, about no table", () => {
    const { events } = schemaWith().apply("ALTER TABLE e.other ADD b int", DATABASE);
    const told = events.map((e) => [e.type, e.databaseName, e.table, e.changes.length, e.unknown?.table]);
    expect(told).toEqual([["DATABASE", "d", null, 0, "other"]]);
  });
  test("ALTER DATABASE is of the database that it names", () => {
    const { events } = schemaWith("CREATE DATABASE e").apply("ALTER DATABASE e CHARACTER SET utf8mb4", DATABASE);
    expect(events.map((e) => e.databaseName)).toEqual(["e"]);
  });
  test("a table's comment changes by ALTER TABLE", () => {
    const schema = schemaWith("CREATE TABLE t (id int) COMMENT 'old'", "ALTER TABLE t COMMENT 'new'");
    expect(schema.tables.get({ catalog: "d", schema: null, table: "t" })?.comment).toBe("new");
  });
  test("CREATE TABLE IF NOT EXISTS … LIKE of a table that is there is announced and changes nothing", () => {
    const schema = schemaWith("CREATE TABLE base (id int)", "CREATE TABLE t (a int, b int)");
    const { events } = schema.apply("CREATE TABLE IF NOT EXISTS t LIKE base", DATABASE);
    expect(events.map((e) => [e.type, e.table?.table])).toEqual([["CREATE", "t"]]);
    expect(schema.tables.get({ catalog: "d", schema: null, table: "t" })?.columns.map((c) => c.name)).toEqual(["a", "b"]);
  });
  test("a name that a rename gives and the next one takes again has no table", () => {
    const schema = schemaWith("CREATE TABLE a (x int)", "CREATE TABLE b (y int)");
    const { events } = schema.apply("RENAME TABLE a TO tmp, b TO a, tmp TO b", DATABASE);
    expect(events.map((e) => [e.ddl, e.changes.map((c) => [c.id.table, c.table?.columns[0]?.name])])).toEqual([
      ["RENAME TABLE a TO tmp", []],
      ["RENAME TABLE b TO a", [["a", "y"]]],
      ["RENAME TABLE tmp TO b", [["b", "x"]]],
    ]);
  });
  test("MariaDB's curdate() stands in the history", () => {
    const schema = new MysqlSchema({ flavor: "mariadb" });
    schema.apply("CREATE TABLE t (d date DEFAULT curdate())", DATABASE);
    expect(schema.tables.get({ catalog: "d", schema: null, table: "t" })?.columns[0]?.defaultValueExpression).toBe("curdate()");
  });
});

test("names for Avro: a digit at the beginning stays behind an underscore", () => {
  const names = ["1c", "a.b", "I D", "é"];
  expect(names.map(nameAdjuster("avro", true))).toEqual(["_1c", "a_b", "I_D", "_"]);
  expect(names.map(nameAdjuster("avro_unicode", true))).toEqual(["_u0031c", "a_u002eb", "I_u0020D", "_u00e9"]);
});
