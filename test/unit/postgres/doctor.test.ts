import { expect, test } from "vitest";
import { versionCheck } from "#connectors/postgres/doctor";

test("servers that the connector is for, too old ones and newer ones", () => {
  const of = (number: number): readonly [boolean, string] => [versionCheck(number).ok, versionCheck(number).severity];
  expect([120_020, 130_000, 180_001, 190_000].map(of)).toEqual([
    [false, "error"],
    [true, "error"],
    [true, "error"],
    [false, "warning"],
  ]);
});
