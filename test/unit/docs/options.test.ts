/** The tables of options in docs/ are those of the declarations, and say which options are refused or change nothing. */
import { describe, expect, test } from "vitest";
import type { ConfigDef, ConfigKey } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";
import { connectorKeys, SINK_KEYS, SOURCE_KEYS } from "#connect/catalog/connector-keys";
import { pluginNames } from "#connect/catalog/catalog";
import { DISTRIBUTED_KEYS, STANDALONE_KEYS, WORKER_KEYS } from "#connect/config-keys";
import { fileStreamSink } from "#connectors/file/sink";
import { fileStreamSource } from "#connectors/file/source";
import { jdbcSinkConfig } from "#connectors/jdbc-sink/config";
import * as mysql from "#connectors/mysql/config";
import { CONFIG, refuseUnsupported, settingsOf, settingsWithoutEffect } from "#connectors/postgres/config";
import { code, expectTable } from "./generated.ts";

const HEAD = ["option", "type", "default", "meaning"];

function defaultText(key: ConfigKey): string {
  if (key.default === undefined || key.validate?.(null, {}).some((m) => m.endsWith("A value is required"))) return "required";
  const value = Array.isArray(key.default) ? key.default.join(",") : String(key.default ?? "");
  return value === "" ? "" : code(value);
}
function choices(key: ConfigKey): string {
  const given = (key.recommended?.({}) ?? []).map(String);
  return given.every((c) => key.doc.includes(c)) ? "" : ` One of ${given.join(", ")}.`;
}
function rows(def: ConfigDef, remark: (key: ConfigKey) => string | null = () => null): string[][] {
  return def
    .filter((key) => key.internal !== true)
    .map((key) => {
      const said = remark(key);
      const doc = /[.!?)]$/.test(key.doc) ? key.doc : `${key.doc}.`;
      return [code(key.name), key.type.toLowerCase(), defaultText(key), said === null ? doc + choices(key) : `${doc} ${said}`];
    });
}

/** What becomes of a value that no setting of the connector knows. */
function remark(refuse: (config: Record<string, string>) => void, notices: (config: Record<string, string>) => readonly string[]) {
  return (key: ConfigKey): string | null => {
    try {
      refuse({ [key.name]: "-" });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return `**Anything else is refused**: ${error.message.slice(error.message.indexOf("; ") + 2)}.`;
    }
    const [notice] = notices({ [key.name]: "-" });
    return notice === undefined ? null : `**No effect**: ${notice.slice(notice.indexOf(": ") + 2)}.`;
  };
}
const postgresRemark = remark(refuseUnsupported, (config) => settingsWithoutEffect(settingsOf(config)));
const mysqlRemark = remark(mysql.refuseUnsupported, (config) => mysql.settingsWithoutEffect("mysql", mysql.settingsOf("mysql", config)));

describe("tables of options", () => {
  test("PostgreSQL source", () => {
    const table = rows(CONFIG, postgresRemark);
    expect(table.some((r) => r[3]?.includes("refused"))).toBe(true);
    expect(table.some((r) => r[3]?.includes("No effect"))).toBe(true);
    expectTable("docs/connectors/postgres.md", "options", HEAD, table);
  });
  test("MySQL and MariaDB sources", () => {
    const table = rows(mysql.CONFIGS.mysql, mysqlRemark);
    expect(table.some((r) => r[3]?.includes("refused"))).toBe(true);
    expect(table.some((r) => r[3]?.includes("No effect"))).toBe(true);
    expectTable("docs/connectors/mysql.md", "options", HEAD, table);
    expectTable("docs/connectors/mysql.md", "mariadb options", HEAD, rows(mysql.CONFIGS.mariadb, mysqlRemark));
  });
  test("JDBC sink", () => expectTable("docs/connectors/jdbc-sink.md", "options", HEAD, rows(jdbcSinkConfig)));
  test("file source and sink", () => {
    expectTable("docs/connectors/file.md", "source options", HEAD, rows(fileStreamSource.config));
    expectTable("docs/connectors/file.md", "sink options", HEAD, rows(fileStreamSink.config));
  });
  test("what every connector has", async () => {
    const keys = connectorKeys({ names: await pluginNames(), connectorVersion: null, worker: null });
    // The plugins that may be named have a page of their own.
    const all = keys.map((key): ConfigKey => ({ ...key, recommended: () => [] }));
    expectTable("docs/connectors/common.md", "options", HEAD, rows(all));
    expectTable("docs/connectors/common.md", "source options", HEAD, rows(SOURCE_KEYS));
    expectTable("docs/connectors/common.md", "sink options", HEAD, rows(SINK_KEYS));
  });
  test("the worker", () => {
    expectTable("docs/operating.md", "worker settings", HEAD, rows(WORKER_KEYS));
    expectTable("docs/operating.md", "distributed settings", HEAD, rows(DISTRIBUTED_KEYS));
    expectTable("docs/operating.md", "standalone settings", HEAD, rows(STANDALONE_KEYS));
  });
});
