import { expect, test } from "vitest";
import { settingsOf, typeModes } from "#connectors/mysql/config";
import { timestampType } from "#connectors/mysql/types-temporal";

// As recorded of both of the reference's connectors for timestamp(6) and timestamp, on a server that is not in UTC.
test("defaults of TIMESTAMP columns show as many digits as the column has", () => {
  const modes = { ...typeModes("mysql", settingsOf("mysql", {})), charsetTables: new Map() };
  expect(timestampType(6, modes).defaultOf("2001-01-01 00:00:00.500000")).toBe("2001-01-01T00:00:00.500000Z");
  expect(timestampType(6, modes).defaultOf("2001-01-01 00:00:00.5")).toBe("2001-01-01T00:00:00.500000Z");
  expect(timestampType(3, modes).defaultOf("2001-01-01 00:00:00")).toBe("2001-01-01T00:00:00.000Z");
  expect(timestampType(0, modes).defaultOf("2020-06-01 12:00:00")).toBe("2020-06-01T12:00:00Z");
});
