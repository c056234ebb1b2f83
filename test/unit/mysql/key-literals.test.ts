import { expect, test } from "vitest";
import { literal } from "#connectors/mysql/catalog";
import { keyLiteral } from "#connectors/mysql/key-literals";
import type { Column } from "#connectors/cdc/table-model";
import { columnOf } from "../../fakes/columns.ts";

const column = (typeName: string, jdbcType: number, enumValues: readonly string[] = []): Column =>
  columnOf("k", { jdbcType, typeName, enumValues });

test("text means the same whether a backslash escapes or not", () => {
  expect(literal('plain "é🎉"')).toBe(`'plain "é🎉"'`);
  expect(literal("a\\")).toBe("_utf8mb4 X'615c'");
  expect(literal("it's")).toBe("_utf8mb4 X'69742773'");
});

test("values of keys are compared as their index orders them", () => {
  expect(keyLiteral(column("BIGINT UNSIGNED", -5))("18446744073709551615")).toBe("18446744073709551615");
  // As text it would be compared as a double: 90071992547409930.00001 is then the same as …00002.
  expect(keyLiteral(column("DECIMAL", 3))("-90071992547409930.00001")).toBe("-90071992547409930.00001");
  expect(keyLiteral(column("DECIMAL", 3))("1) OR (1=1")).toBe("'1) OR (1=1'");
  expect(keyLiteral(column("BINARY", -2))("00ff")).toBe("X'00ff'");
  expect(keyLiteral(column("VARCHAR", 12))("a\\5")).toBe("_utf8mb4 X'615c35'");
  expect(keyLiteral(column("DATETIME", 93))("2020-01-01 00:00:00.5")).toBe("'2020-01-01 00:00:00.5'");
  expect(keyLiteral(undefined)("x")).toBe("'x'");
});

test("members of ENUM and SET stand as their numbers", () => {
  const enumeration = keyLiteral(column("ENUM", 1, ["'z'", "'a'", "'it''s'"]));
  expect(["z", "a", "it's", ""].map(enumeration)).toEqual(["1", "2", "3", "0"]);
  const set = keyLiteral(column("SET", 1, ["'c'", "'b'", "'a'"]));
  expect(["c", "b", "c,b", "a", ""].map(set)).toEqual(["1", "2", "3", "4", "0"]);
});
