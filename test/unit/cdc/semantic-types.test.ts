import { expect, test } from "vitest";
import { geometry, point } from "#connectors/cdc/semantic-types";

test("of the geometries of NOT NULL columns only Geometry is optional, as in io.debezium.data.geometry", () => {
  expect([geometry("Geometry")({}), geometry("Geography")({}), point({})].map((s) => [s.name, s.optional])).toEqual([
    ["io.debezium.data.geometry.Geometry", true],
    ["io.debezium.data.geometry.Geography", false],
    ["io.debezium.data.geometry.Point", false],
  ]);
});
