/** Members of ENUM and SET: what Debezium 3.4 listed and sent of the same tables, recorded with MySQL 9.7 and MariaDB 10.11. */
import { expect, test } from "vitest";
import { enumType, memberText, setType } from "#connectors/mysql/types-text";

const DDL = ["'a'", "'b''c'", `'d"e'`, "'f,g'", "''", "'x y'", String.raw`'\\'`] as const;
const LISTED = String.raw`a,b'c,d"e,f\,g,,x y,\\`;
const PLAIN = { optional: true, default: undefined, parameters: null };

test("the schema lists them as the DDL has them, but for quotes and commas", () => {
  for (const type of [enumType(DDL), setType(DDL)]) expect(type.shape(PLAIN).parameters?.["allowed"]).toBe(LISTED);
});
test("as the server has them", () => {
  expect(DDL.map(memberText)).toEqual(["a", "b'c", 'd"e', "f,g", "", "x y", "\\"]);
});
