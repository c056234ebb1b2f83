/**
 * What the connectors say of their server besides moving data: checks of the log, of rights and of the captured tables, with the
 * statements that mend them. It reads only. Which rights are needed: Debezium's documentation of the MySQL and MariaDB connectors.
 */
import type { Connection } from "mysql2/promise";
import type { TaskConfig } from "#connect/api/connector";
import type { Check, Diagnosis } from "#connect/api/diagnosis";
import { DOCTOR_CONNECT_TIMEOUT_MS, failed, passed, warned } from "../cdc/doctor-checks.ts";
import { historyLeftovers, removeHistory } from "../cdc/schema-history/leftovers.ts";
import { messageOf } from "../cdc/source-error.ts";
import {
  checkFlavor,
  firstRow,
  listDatabases,
  listTables,
  quoted,
  readServer,
  type Row,
  rowsOf,
  type Server,
  type TableName,
} from "./catalog.ts";
import { settingsOf } from "./config.ts";
import { connect } from "./connection.ts";
import { position } from "./doctor-position.ts";
import { lockCheck, nameOf, rightChecks, signalCheck } from "./doctor-rights.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { errorNumber } from "./failures.ts";
import { serverOf } from "./server-settings.ts";
import { taskSettings, type TaskSettings } from "./task-settings.ts";

const DAY_SECONDS = 86_400;
/** Each is looked at with a statement of its own. */
const TABLES_MAX = 500;

export const mysqlDoctor = (flavor: Flavor): Diagnosis => ({
  check: (config) => check(flavor, config),
  position: (config, offset) => position(flavor, config, offset),
  leftovers: (config) => Promise.resolve(historyLeftovers(settingsOf(flavor, config))),
  remove: (_config, leftover) => removeHistory(leftover),
});

const IN_CONFIG = "Put it into the server's configuration file too, and open the connections of writers anew.";

async function check(flavor: Flavor, config: TaskConfig): Promise<readonly Check[]> {
  const server = serverOf(settingsOf(flavor, config));
  let connection: Connection;
  try {
    const connectTimeoutMs = Math.min(server.connectTimeoutMs, DOCTOR_CONNECT_TIMEOUT_MS);
    connection = await connect({ ...server, connectTimeoutMs, initialStatements: [] });
  } catch (error) {
    const next = "Check database.hostname, database.port, database.user, database.password, database.ssl.mode and the user's host.";
    return [failed("connection", messageOf(error), [], next)];
  }
  try {
    return await allChecks(
      connection,
      taskSettings(flavor, config, 0, Date.now(), () => {}),
      `${server.user} on ${server.host}:${server.port}`,
    );
  } finally {
    connection.destroy();
  }
}
async function allChecks(connection: Connection, s: TaskSettings, where: string): Promise<readonly Check[]> {
  const info = await readServer(connection);
  const account = await accountOf(connection);
  const grantStatements = await grants(connection);
  const tables = (await listTables(connection, await listDatabases(connection))).filter((t) => s.filters.table(t.database, t.table));
  return [
    passed("connection", `connected as ${where}`),
    versionCheck(s.flavor, info),
    ...logChecks(info, await variables(connection)),
    serverIdCheck(s, await firstRow(connection, "SELECT @@server_id AS id")),
    ...rightChecks(info, grantStatements, account),
    ...(s.all.choice("snapshot.locking.mode") === "none" ? [] : [lockCheck(grantStatements, account, tables)]),
    ...(await tableChecks(connection, s, tables, account)),
    ...signalCheck(s, grantStatements, account, tables),
  ];
}

/** The account that the server took the login for, quoted: 'millrace'@'%'. */
async function accountOf(connection: Connection): Promise<string> {
  const account = (await firstRow(connection, "SELECT CURRENT_USER() AS u"))["u"] ?? "";
  const at = account.lastIndexOf("@");
  return `'${account.slice(0, at)}'@'${account.slice(at + 1)}'`;
}
async function variables(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const names = "'binlog_row_image', 'binlog_row_value_options', 'binlog_expire_logs_seconds', 'expire_logs_days', 'gtid_mode'";
  const rows = await rowsOf(connection, `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`);
  return new Map(rows.map((r) => [(r["Variable_name"] ?? "").toLowerCase(), r["Value"] ?? ""]));
}
/** Of the account and its active roles, one statement each. */
async function grants(connection: Connection): Promise<readonly string[]> {
  const roles = (await firstRow(connection, "SELECT CURRENT_ROLE() AS r").catch((): Row => ({})))["r"] ?? "NONE";
  const using = roles === "" || roles === "NONE" ? "" : ` FOR CURRENT_USER() USING ${roles}`;
  // MariaDB lists those of roles without being asked, and knows no USING.
  const rows = await rowsOf(connection, `SHOW GRANTS${using}`).catch(() => rowsOf(connection, "SHOW GRANTS"));
  return rows.map((r) => Object.values(r)[0] ?? "");
}

function versionCheck(flavor: Flavor, info: Server): Check {
  const name = `${info.mariadb ? "MariaDB" : "MySQL"} ${Math.floor(info.version / 10_000)}.${Math.floor(info.version / 100) % 100}`;
  try {
    checkFlavor(flavor, info);
  } catch (error) {
    return failed("server", `the server is ${name}`, [], messageOf(error));
  }
  return passed("server", name);
}
export function logChecks(info: Server, settings: ReadonlyMap<string, string>): readonly Check[] {
  if (!info.logEnabled)
    return [
      failed(
        "log_bin",
        "the binary log is off",
        [],
        "Set log_bin=binlog, server_id=1 and binlog_format=ROW in the configuration; restart the server.",
      ),
    ];
  const image = (settings.get("binlog_row_image") ?? "FULL").toUpperCase();
  const partial = (settings.get("binlog_row_value_options") ?? "").toUpperCase().includes("PARTIAL_JSON");
  return [
    passed("log_bin", "the binary log is on"),
    info.rowFormat
      ? passed("binlog_format", "binlog_format is ROW")
      : failed(
          "binlog_format",
          "binlog_format is not ROW: the log does not hold the rows",
          ["SET GLOBAL binlog_format = 'ROW'"],
          IN_CONFIG,
        ),
    image === "FULL"
      ? passed("binlog_row_image", "binlog_row_image is FULL")
      : failed(
          "binlog_row_image",
          `binlog_row_image is ${image}: changed rows lack columns`,
          ["SET GLOBAL binlog_row_image = 'FULL'"],
          IN_CONFIG,
        ),
    ...(partial
      ? [
          warned(
            "binlog_row_value_options",
            "updates of JSON columns hold only what changed",
            ["SET GLOBAL binlog_row_value_options = ''"],
            IN_CONFIG,
          ),
        ]
      : []),
    info.gtidMode
      ? passed("GTID", "GTIDs are on: the connector may go on at another server")
      : warned(
          "GTID",
          `gtid_mode is ${settings.get("gtid_mode") ?? "OFF"}: after a failover the position means nothing to the other server`,
          [
            "SET GLOBAL enforce_gtid_consistency = ON",
            "SET GLOBAL gtid_mode = OFF_PERMISSIVE",
            "SET GLOBAL gtid_mode = ON_PERMISSIVE",
            "SET GLOBAL gtid_mode = ON",
          ],
        ),
    retentionCheck(settings),
  ];
}
/** How long a connector may be away before it needs a new snapshot. */
function retentionCheck(settings: ReadonlyMap<string, string>): Check {
  const seconds = Number(settings.get("binlog_expire_logs_seconds") ?? 0) || Number(settings.get("expire_logs_days") ?? 0) * DAY_SECONDS;
  if (seconds === 0) return passed("retention", "logs are kept until somebody purges them");
  if (seconds >= DAY_SECONDS) return passed("retention", `logs are kept for ${(seconds / DAY_SECONDS).toFixed(1)} days`);
  const setting = settings.has("binlog_expire_logs_seconds") ? `binlog_expire_logs_seconds = ${10 * DAY_SECONDS}` : "expire_logs_days = 10";
  return warned(
    "retention",
    `logs are kept for ${seconds} s only: a connector that is down for longer loses changes`,
    [`SET GLOBAL ${setting}`],
    IN_CONFIG,
  );
}
function serverIdCheck(s: TaskSettings, row: Row): Check {
  const ours = s.all.string("database.server.id");
  if (row["id"] !== ours) return passed("server id", `database.server.id ${ours} is not the server's own`);
  return failed(
    "server id",
    `database.server.id ${ours} is that of the server itself`,
    [],
    "Choose an id that no server and no other replica or connector has.",
  );
}

async function tableChecks(
  connection: Connection,
  s: TaskSettings,
  tables: readonly TableName[],
  account: string,
): Promise<readonly Check[]> {
  if (tables.length === 0) {
    const wanted = s.all.optional("database.include.list") ?? "";
    const on = /^[\w$]+$/.test(wanted) ? `${quoted(wanted)}.*` : "*.*";
    const next = "Check database.include.list and table.include.list too: they are matched against database and database.table.";
    return [failed("tables", `${account} sees no table that matches the filters`, [`GRANT SELECT ON ${on} TO ${account}`], next)];
  }
  const checks = unseen(s, tables).map((name) =>
    warned("tables", `${account} sees no table ${name} of table.include.list`, [
      `GRANT SELECT ON ${name.split(".").map(quoted).join(".")} TO ${account}`,
    ]),
  );
  const closed: TableName[] = [];
  for (const table of tables.slice(0, TABLES_MAX)) if (!(await readable(connection, table))) closed.push(table);
  checks.push(
    closed.length === 0
      ? passed("select right", `${account} may read all ${tables.length} captured tables`)
      : failed(
          "select right",
          `${account} may not read ${closed.map(nameOf).join(", ")}`,
          closed.map((t) => `GRANT SELECT ON ${nameOf(t)} TO ${account}`),
        ),
  );
  return checks;
}
/** Names of table.include.list that are no patterns, and no table's. */
function unseen(s: TaskSettings, tables: readonly TableName[]): readonly string[] {
  const names = (s.all.optional("table.include.list") ?? "").split(",").map((n) => n.trim().replaceAll("\\.", "."));
  return names.filter(
    (name) => /^[\w$]+\.[\w$]+$/.test(name) && !tables.some((t) => `${t.database}.${t.table}`.toLowerCase() === name.toLowerCase()),
  );
}
async function readable(connection: Connection, table: TableName): Promise<boolean> {
  try {
    await connection.query(`SELECT 1 FROM ${nameOf(table)} LIMIT 0`);
    return true;
  } catch (error) {
    if (errorNumber(error) === 0) throw error;
    return false;
  }
}
