import { expect, test } from "vitest";
import type { ConfigFinding } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";
import { type ConnectorChecks, validation } from "#connectors/cdc/connector-validation";

const asked: string[] = [];
const checks = (more: Partial<ConnectorChecks> = {}): ConnectorChecks => ({
  refuse: () => {},
  needed: ["database.hostname"],
  serverProblem: (config) => {
    asked.push(String(config["database.hostname"]));
    return Promise.resolve({ setting: "database.user", message: "no rights" });
  },
  ...more,
});
const finding = (name: string, errors: readonly string[]): ConfigFinding => ({
  name,
  value: "v",
  recommendedValues: [],
  errors,
  visible: true,
});

test("the server is asked once the declaration is satisfied, and its problem stands beside the setting's finding", async () => {
  asked.length = 0;
  const found = await validation(checks())({ "database.hostname": "h" }, [finding("database.user", [])]);
  expect(found).toEqual([finding("database.user", ["no rights"])]);
  expect(asked).toEqual(["h"]);
});
test("no server is asked after a finding, without what is needed, or for what is refused", async () => {
  asked.length = 0;
  expect(await validation(checks())({ "database.hostname": "h" }, [finding("database.user", ["wrong"])])).toEqual([]);
  expect(await validation(checks())({}, [])).toEqual([]);
  const refuse = (): void => {
    throw new ConfigError("The 'snapshot.mode' value is invalid: 'custom' is not supported");
  };
  const refused = await validation(checks({ refuse }))({ "database.hostname": "h", "snapshot.mode": "custom" }, []);
  expect(refused.map((f) => [f.name, f.value, f.errors.length])).toEqual([["snapshot.mode", "custom", 1]]);
  expect(asked).toEqual([]);
});
test("names of before are looked at by their current ones; a setting that the server's address refuses is named", async () => {
  const current = (): Record<string, string> => ({ "database.hostname": "h" });
  expect(await validation(checks({ current }))({ host: "h" }, [])).toHaveLength(1);
  const serverProblem = (): Promise<null> => Promise.reject(new ConfigError("The 'database.ssl.mode' value is invalid: x"));
  const found = await validation(checks({ serverProblem }))({ "database.hostname": "h" }, []);
  expect(found.map((f) => f.name)).toEqual(["database.ssl.mode"]);
  const bug = (): Promise<null> => Promise.reject(new TypeError("a bug"));
  await expect(validation(checks({ serverProblem: bug }))({ "database.hostname": "h" }, [])).rejects.toThrow("a bug");
});
