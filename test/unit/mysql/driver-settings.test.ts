import { expect, test } from "vitest";
import { refuseUnsupported, settingsOf, settingsWithoutEffect } from "#connectors/mysql/config";
import { serverOf } from "#connectors/mysql/server-settings";

const LOGIN = { "database.hostname": "h", "database.port": "3306", "database.user": "u", "database.password": "p", "topic.prefix": "t" };
test("what only a JDBC driver knows is named; settings of the connector and their former names are not", () => {
  const notices = (config: Readonly<Record<string, string>>): readonly string[] =>
    settingsWithoutEffect("mysql", settingsOf("mysql", { ...LOGIN, ...config }));
  expect(notices({ "database.server.name": "x", "database.history.kafka.topic": "h", "database.connectionTimeZone": "UTC" })).toEqual([]);
  expect(notices({ "driver.sessionVariables": "a=1", "database.ssl.mode": "required" })).toEqual([]);
  expect(notices({ "database.allowPublicKeyRetrieval": "true", "driver.useSSL": "false", "driver.socketTimeout": "1000" })).toEqual([
    "the setting 'database.allowPublicKeyRetrieval' has no effect: there is no JDBC driver here",
    "the setting 'driver.useSSL' has no effect: there is no JDBC driver here",
    "the setting 'driver.socketTimeout' has no effect: there is no JDBC driver here",
  ]);
});
test("what would make the connection safer than database.ssl.mode does is refused", () => {
  const refused = (name: string, value: string) => () => refuseUnsupported({ ...LOGIN, [name]: value });
  for (const [name, value] of [
    ["driver.sslMode", "VERIFY_IDENTITY"],
    ["driver.sslMode", "verify-full"],
    ["database.useSSL", "true"],
    ["database.verifyServerCertificate", "TRUE"],
    ["driver.trustCertificateKeyStoreUrl", "file:/trust.jks"],
  ] as const)
    expect(refused(name, value)).toThrow(`The '${name}' value is invalid: there is no JDBC driver here; use database.ssl.mode`);
  for (const [name, value] of [
    ["driver.sslMode", "PREFERRED"],
    ["database.useSSL", "false"],
    ["driver.requireSSL", "false"],
  ] as const)
    expect(refused(name, value)).not.toThrow();
});
test("session variables are set before the initial statements", () => {
  const statements = (variables: string): readonly string[] =>
    serverOf(
      settingsOf("mysql", { ...LOGIN, "driver.sessionVariables": variables, "database.initial.statements": "SET @x = 1;SELECT ';;'" }),
    ).initialStatements;
  expect(statements("wait_timeout=60, sql_mode='ANSI,NO_ZERO_DATE'; @mine=CONCAT('a', 'b'),SESSION tmp_table_size=1")).toEqual([
    "SET SESSION wait_timeout=60, SESSION sql_mode='ANSI,NO_ZERO_DATE', @mine=CONCAT('a', 'b'), SESSION tmp_table_size=1",
    "SET @x = 1",
    "SELECT ';'",
  ]);
  expect(statements("")).toEqual(["SET @x = 1", "SELECT ';'"]);
});
