import { expect, test } from "vitest";
import { configOfUrl, isDatabaseUrl } from "#connect/cli/verbs/database-url";

test("a database's address becomes the configuration of its connector", () => {
  expect(configOfUrl("mssql://sa:P%40ss@db.example:1434/shop,crm?driver.trustServerCertificate=true")).toEqual({
    name: "doctor",
    "connector.class": "io.debezium.connector.sqlserver.SqlServerConnector",
    "topic.prefix": "doctor",
    "database.hostname": "db.example",
    "database.port": "1434",
    "database.user": "sa",
    "database.password": "P@ss",
    "database.names": "shop,crm",
    "driver.trustServerCertificate": "true",
  });
  expect(configOfUrl("postgres://u@h/d")).toMatchObject({ "database.dbname": "d", "database.user": "u" });
  expect(["mssql://h/d", "mariadb://h", "orders", "http://h/d"].map(isDatabaseUrl)).toEqual([true, true, false, false]);
  expect(() => configOfUrl("mssql://sa@h")).toThrow(/names no database/);
});
