/**
 * What an account may do, by the statements of SHOW GRANTS, and the statements that give it what it lacks. Which rights are needed:
 * Debezium's documentation of the MySQL and MariaDB connectors; which names give them was tried on MySQL 9 and MariaDB 10.11.
 */
import type { Check } from "#connect/api/diagnosis";
import { failed, passed, warned } from "../cdc/doctor-checks.ts";
import { quoted, type Server, type TableName } from "./catalog.ts";
import type { TaskSettings } from "./task-settings.ts";

export const nameOf = (t: TableName): string => `${quoted(t.database)}.${quoted(t.table)}`;

/** By right: the names under which one of the servers has it. */
const RIGHTS: readonly (readonly [check: string, grant: string, why: string, names: readonly string[]])[] = [
  ["replication right", "REPLICATION SLAVE", "to read the log", ["REPLICATION SLAVE", "REPLICATION REPLICA"]],
  ["log position right", "REPLICATION CLIENT", "to know where the log stands", ["REPLICATION CLIENT", "BINLOG MONITOR", "SUPER"]],
];
/** Of all databases. `grantStatements`: as SHOW GRANTS gives them. */
export function rightChecks(info: Server, grantStatements: readonly string[], account: string): readonly Check[] {
  return RIGHTS.map(([name, grant, why, names]) => {
    if (grantStatements.some((g) => granted(g, names, null))) return passed(name, `${account} has ${grant}`);
    const wanted = info.mariadb && grant === "REPLICATION CLIENT" && info.version >= 100_502 ? "BINLOG MONITOR" : grant;
    return failed(name, `${account} lacks ${wanted}, ${why}`, [`GRANT ${wanted} ON *.* TO ${account}`]);
  });
}
/** `tables`: those that a snapshot would lock. */
export function lockCheck(grantStatements: readonly string[], account: string, tables: readonly TableName[]): Check {
  if (grantStatements.some((g) => granted(g, ["RELOAD", "FLUSH_TABLES"], null)))
    return passed("lock right", `${account} may hold all tables for a moment when a snapshot begins`);
  const sql = [`GRANT RELOAD ON *.* TO ${account}`];
  const unlocked = new Set(
    tables.filter((t) => !grantStatements.some((g) => granted(g, ["LOCK TABLES"], { ...t, table: null }))).map((t) => t.database),
  );
  if (unlocked.size > 0)
    return failed(
      "lock right",
      `${account} has neither RELOAD nor LOCK TABLES on ${[...unlocked].join(", ")}: a snapshot cannot begin`,
      sql,
      `Where RELOAD is not to be had: ${[...unlocked].map((d) => `GRANT LOCK TABLES ON ${quoted(d)}.* TO ${account};`).join(" ")}`,
    );
  return warned("lock right", `${account} lacks RELOAD: when a snapshot begins, the captured tables are locked one by one`, sql);
}
/** `table` null: something of the whole database; `on` null: of all. Databases in grants are patterns of LIKE. */
function granted(
  grant: string,
  names: readonly string[],
  on: { readonly database: string; readonly table: string | null } | null,
): boolean {
  const [, rights = "", database = "", table = ""] =
    /^GRANT (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`)\.(\*|`(?:[^`]|``)*`) TO /i.exec(grant) ?? [];
  const held = rights.split(",").map((r) => r.trim().toUpperCase());
  if (!held.includes("ALL PRIVILEGES") && !names.some((n) => held.includes(n))) return false;
  if (database === "*" || on === null) return database === "*";
  return (
    (table === "*" || table === quoted(on.table ?? "")) && (database === quoted(on.database) || like(database.slice(1, -1), on.database))
  );
}
function like(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll("``", "`")
    .replaceAll(/\\?[\s\S]/g, (c) => (c === "%" ? ".*" : c === "_" ? "." : RegExp.escape(c.at(-1) ?? "")));
  return new RegExp(`^${source}$`, "s").test(text);
}
/** Signals in a table: the connector writes the windows of incremental snapshots into it. */
export function signalCheck(
  s: TaskSettings,
  grantStatements: readonly string[],
  account: string,
  tables: readonly TableName[],
): readonly Check[] {
  const name = s.all.optional("signal.data.collection") ?? "";
  if (name === "") return [];
  const table = tables.find((t) => `${t.database}.${t.table}` === name);
  if (table === undefined)
    return [
      failed("signal table", `${account} sees no table ${name}`, [
        `CREATE TABLE ${name.split(".").map(quoted).join(".")} (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data TEXT NULL)`,
      ]),
    ];
  const insertDelete = s.all.choice("incremental.snapshot.watermarking.strategy") === "insert_delete";
  const lacking = ["INSERT", ...(insertDelete ? ["DELETE"] : [])].filter((r) => !grantStatements.some((g) => granted(g, [r], table)));
  if (lacking.length === 0 || s.all.bool("read.only")) return [passed("signal table", `signals are read from ${name}`)];
  const rights = lacking.join(", ");
  return [
    failed("signal table", `${account} lacks ${rights} on ${name}: incremental snapshots stop`, [
      `GRANT ${rights} ON ${nameOf(table)} TO ${account}`,
    ]),
  ];
}
