/** The built-in converters for a JDBC sink, by what the reference made of the same columns (snapshot and log). */
import { expect, test } from "vitest";
import type { Column } from "#connectors/cdc/table-model";
import { settingsOf, typeModes } from "#connectors/mysql/config";
import { convertersOf } from "#connectors/mysql/converters";
import type { TableColumn } from "#connectors/mysql/binlog/types";
import { columnOf } from "../../fakes/columns.ts";

const column = (name: string, typeName: string, length: number | null = null): Column =>
  columnOf(name, { jdbcType: 0, typeName, charsetName: typeName === "VARCHAR" ? "utf8mb4" : null, length, optional: true });
function converter(more: Readonly<Record<string, string>>) {
  const settings = settingsOf("mysql", {
    converters: "j",
    "j.type": "io.debezium.connector.binlog.converters.JdbcSinkDataTypesConverter",
    ...more,
  });
  return convertersOf(settings, { ...typeModes("mysql", settings), charsetTables: new Map() });
}
const wire = (length: number): TableColumn => ({ length }) as TableColumn; // the codecs of numbers look at nothing else
function both(of: ReturnType<typeof converter>, of_: Column, text: string, cell: Buffer): readonly unknown[] {
  const type = of("d.t", of_);
  if (type === null) return ["not converted"];
  const bytes = Buffer.from(text);
  return [
    type.shape({ optional: true }).type,
    type.text.decode(bytes, 0, bytes.length),
    type.binlog(wire(cell.length)).decode(cell, 0, cell.length),
  ];
}
const float = (value: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeFloatLE(value);
  return b;
};
const double = (value: number): Buffer => {
  const b = Buffer.alloc(8);
  b.writeDoubleLE(value);
  return b;
};

test("selector.real takes FLOAT, too, with the digits that Java's widening gives", () => {
  const of = converter({ "j.selector.real": ".*\\.r" });
  expect(both(of, column("r", "FLOAT"), "-1.1", float(-1.1))).toEqual(["FLOAT64", -1.100000023841858, -1.100000023841858]);
  expect(both(of, column("r", "DOUBLE"), "2.2", double(2.2))).toEqual(["FLOAT64", 2.2, 2.2]);
  expect(both(of, column("d", "DOUBLE"), "2.2", double(2.2))).toEqual(["not converted"]);
  const single = converter({ "j.selector.real": ".*\\.r", "j.treat.real.as.double": "false" });
  expect(both(single, column("r", "DOUBLE"), "2.2", double(2.2))).toEqual(["FLOAT32", 2.2, 2.2]);
});
test("selector.boolean: 1 for what is above 0", () => {
  const of = converter({ "j.selector.boolean": ".*\\.(a|e)" });
  expect(both(of, column("a", "TINYINT", 1), "1", Buffer.of(1))).toEqual(["INT16", 1, 1]);
  expect(both(of, column("a", "TINYINT", 1), "0", Buffer.of(0))).toEqual(["INT16", 0, 0]);
  expect(both(of, column("a", "TINYINT", 1), "5", Buffer.of(5))).toEqual(["INT16", 1, 1]);
  expect(both(of, column("a", "TINYINT", 1), "-1", Buffer.of(255))).toEqual(["INT16", 0, 0]);
  expect(both(of, column("e", "BIT", 1), "\u0001", Buffer.of(1))).toEqual(["INT16", 1, 1]);
});
test("without selectors nothing is converted", () => {
  const of = converter({});
  for (const c of [column("a", "TINYINT", 1), column("r", "FLOAT"), column("s", "VARCHAR", 5)]) expect(of("d.t", c)).toBeNull();
});

test("TINYINT(1) as boolean: true is what is above 0, in snapshot and log", () => {
  const settings = settingsOf("mysql", {
    converters: "b",
    "b.type": "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter",
  });
  const of = convertersOf(settings, { ...typeModes("mysql", settings), charsetTables: new Map() });
  const seen = ["1", "0", "-1", "5"].map((n) => both(of, column("t", "TINYINT", 1), n, Buffer.from([Number(n) & 255])));
  expect(seen).toEqual([true, false, false, true].map((value) => ["BOOLEAN", value, value]));
  expect(both(of, column("t", "TINYINT UNSIGNED", 1), "200", Buffer.from([200]))).toEqual(["BOOLEAN", true, true]);
});
