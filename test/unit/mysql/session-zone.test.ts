import { expect, test } from "vitest";
import { sessionZone, settingsOf, typeModes } from "#connectors/mysql/config";

const zones = (flavor: "mysql" | "mariadb", config: Record<string, string>): readonly (string | null)[] => {
  const s = settingsOf(flavor, config);
  return [sessionZone(flavor, s), typeModes(flavor, s).zone];
};

test("connectionTimeZone: with MySQL texts of the server's zone are read by it, by either name; with MariaDB moments stay what they are", () => {
  for (const none of [{}, { "driver.connectionTimeZone": "SERVER" }, { "driver.connectionTimeZone": "LOCAL" }])
    expect([...zones("mysql", none), ...zones("mariadb", none)]).toEqual(["+00:00", null, "+00:00", null]);
  for (const name of ["driver.connectionTimeZone", "database.connectionTimeZone"]) {
    expect(zones("mysql", { [name]: "-05:30" })).toEqual([null, "-05:30"]);
    expect(zones("mariadb", { [name]: "-05:30" })).toEqual(["+00:00", null]);
  }
});
