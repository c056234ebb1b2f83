/** What the connector says of its server besides moving data: edition, agent, change data capture and rights, with the SQL that mends them. */
import type { Check, Diagnosis, SourcePosition } from "#connect/api/diagnosis";
import type { TaskConfig } from "#connect/api/connector";
import type { SourceOffset } from "#connect/api/record";
import { errorCode } from "../cdc/database-failures.ts";
import { DOCTOR_CONNECT_TIMEOUT_MS, failed, passed, warned } from "../cdc/doctor-checks.ts";
import { historyLeftovers, removeHistory } from "../cdc/schema-history/leftovers.ts";
import { messageOf } from "../cdc/source-error.ts";
import { lateness } from "./capture-watch.ts";
import { agentRunning, captureProgress, idOf, listTables, maxLsn, readInstances, readTables, type TableName } from "./catalog.ts";
import { instancesByTable, newestInstance, tableKey } from "./change-tables/capture-instance.ts";
import { lsnBytes } from "./change-tables/lsn.ts";
import { literal, quoted } from "./change-tables/statements.ts";
import { settingsOf } from "./config.ts";
import { Session } from "./connection.ts";
import { errorNumber } from "./failures.ts";
import { readOffset } from "./position.ts";
import { serverOf } from "./server-settings.ts";
import { type TaskSettings, taskSettings } from "./task-settings.ts";

/** Changes are kept so long by default; less is a risk. */
const RETENTION_MIN_MINUTES = 1440;

export const sqlserverDoctor: Diagnosis = {
  check,
  position,
  leftovers: (config) => Promise.resolve(historyLeftovers(settingsOf(config))),
  remove: (_config, leftover) => removeHistory(leftover),
};

const LOGIN_FAILED = 18456;
async function withSession<T>(config: TaskConfig, run: (session: Session) => Promise<T>): Promise<T> {
  const server = serverOf(settingsOf(config));
  const connectTimeoutMs = Math.min(server.connectTimeoutMs, DOCTOR_CONNECT_TIMEOUT_MS);
  const open = (database: string | null): Promise<Session> =>
    Session.open({ ...server, database, applicationName: "Millrace Doctor", connectTimeoutMs });
  // The server's answer for a database that is closed to the login is that for a wrong password, so it is entered later. A user that only
  // the database knows (a contained one) gets in there only.
  const session = await open(null).catch((error: unknown) => {
    if (errorNumber(error) !== LOGIN_FAILED || server.database === null) throw error;
    return open(server.database);
  });
  try {
    return await run(session);
  } finally {
    await session.close();
  }
}

async function check(config: TaskConfig): Promise<readonly Check[]> {
  try {
    return await withSession(config, async (session) => {
      const s = taskSettings(config, 0, Date.now(), () => {});
      const checks: Check[] = [...(await serverChecks(session))];
      for (const database of s.databases)
        checks.push(...(await databaseChecks(session, s, database).catch((error: unknown) => [refused(s, database, error)])));
      return checks;
    });
  } catch (error) {
    if (errorNumber(error) === 0 && errorCode(error) === "") throw error;
    return [
      failed(
        "connection",
        messageOf(error),
        [],
        "Check database.hostname, database.port, database.user and database.password; for a certificate of your own set driver.trustStore.",
      ),
    ];
  }
}
async function serverChecks(session: Session): Promise<readonly Check[]> {
  const row = await session.first(
    "SELECT CAST(SERVERPROPERTY('Edition') AS nvarchar(128)), CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))",
  );
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const edition = text(row?.[0]),
    version = text(row?.[1]);
  const checks = [passed("connection", "connected")];
  checks.push(
    /express|web/i.test(edition)
      ? failed(
          "edition",
          `${edition} has no change data capture`,
          [],
          "Use the Standard (2016 SP1 or later), Enterprise or Developer edition.",
        )
      : passed("edition", `${edition}, version ${version}`),
  );
  return checks;
}
async function databaseChecks(session: Session, s: TaskSettings, database: string): Promise<readonly Check[]> {
  const row = await session.first("SELECT CASE WHEN is_cdc_enabled = 1 THEN 1 ELSE 0 END FROM sys.databases WHERE name = @name", {
    name: database,
  });
  if (row === null)
    return [failed("database", `there is no database ${database}, or the user may not see it`, [], "Check database.names.")];
  if (Number(row[0]) !== 1)
    return [
      failed(
        "change data capture",
        `it is off in ${database}`,
        [`USE ${quoted(database)}`, "EXEC sys.sp_cdc_enable_db"],
        "A member of sysadmin has to do it.",
      ),
    ];
  const checks = [passed("change data capture", `it is on in ${database}`)];
  const instances = await readInstances(session, database, null);
  const visible = await session.rows(`EXEC ${quoted(database)}.sys.sp_cdc_help_change_data_capture`);
  if (visible.length === 0 && instances.length > 0)
    checks.push(failed("rights", `the user sees no capture instance of ${database}`, grants(s, database), GATING));
  return [
    ...checks,
    await agentCheck(session, s, database),
    await captureCheck(session, s, database),
    await retentionCheck(session, database),
    ...(await tableChecks(session, s, database)),
  ];
}
const userOf = (s: TaskSettings): string => quoted(s.all.optional("database.user") ?? "user");
const grants = (s: TaskSettings, database: string): readonly string[] => [
  `USE ${quoted(database)}`,
  `ALTER ROLE db_owner ADD MEMBER ${userOf(s)}`,
];
const GATING = "Or grant SELECT on the captured tables and membership in their gating roles (@role_name of sys.sp_cdc_enable_table).";
/** Connection errors are another matter. */
function refused(s: TaskSettings, database: string, error: unknown): Check {
  if (errorNumber(error) === 0) throw error;
  const user = userOf(s);
  return failed(
    "rights",
    `${database} cannot be looked into: ${messageOf(error)}`,
    [`USE ${quoted(database)}`, `CREATE USER ${user} FOR LOGIN ${user}`, ...grants(s, database).slice(1)],
    `Leave out what there is already. ${GATING}`,
  );
}
/** Whether the capture job has come as far as the tables have changed. */
async function captureCheck(session: Session, s: TaskSettings, database: string): Promise<Check> {
  const progress = await captureProgress(session, database).catch(() => null);
  if (progress === null)
    return warned("capture job", "whether the capture job keeps up cannot be seen", [
      "USE [master]",
      `GRANT VIEW SERVER STATE TO ${userOf(s)}`,
    ]);
  const late = lateness(progress, 0);
  return late === null
    ? passed("capture job", `it has come to ${progress.capturedAt ?? "the start of the tables' capture"} (the server's time)`)
    : warned(
        "capture job",
        `the captured tables of ${database} have changed, and the job has not taken it: ${late}`,
        [`USE ${quoted(database)}`, "EXEC sys.sp_cdc_start_job @job_type = N'capture'"],
        "It may be behind by a few seconds, or wait for a transaction that is open. Its errors: SELECT * FROM sys.dm_cdc_errors.",
      );
}
async function agentCheck(session: Session, s: TaskSettings, database: string): Promise<Check> {
  const running = await agentRunning(session, database, s.all.optional("sqlserver.agent.status.query")).catch(() => null);
  if (running === true) return passed("agent", "SQL Server Agent is running");
  if (running === null)
    return warned("agent", "whether SQL Server Agent is running cannot be seen", [
      "USE [master]",
      `GRANT VIEW SERVER STATE TO ${userOf(s)}`,
    ]);
  return failed(
    "agent",
    "SQL Server Agent is not running: nothing is written to the change tables",
    ["EXEC xp_servicecontrol N'start', N'SQLServerAgent'"],
    `Start the service, then its job cdc.${database}_capture.`,
  );
}
/** How long changes are kept; null: the job cannot be seen. */
async function cleanupJob(session: Session, database: string): Promise<{ readonly minutes: number } | null> {
  const rows = await session.rows(`EXEC ${quoted(database)}.sys.sp_cdc_help_jobs`).catch(() => []);
  // job_id, job_type, job_name, maxtrans, maxscans, continuous, pollinginterval, retention, threshold
  const cleanup = rows.find((r) => String(r[1]) === "cleanup");
  return cleanup === undefined ? null : { minutes: Number(cleanup[7] ?? 0) };
}
async function retentionCheck(session: Session, database: string): Promise<Check> {
  const cleanup = await cleanupJob(session, database);
  if (cleanup === null) return warned("retention", `the clean-up job of ${database} cannot be seen`, []);
  const { minutes } = cleanup;
  if (minutes >= RETENTION_MIN_MINUTES) return passed("retention", `changes are kept for ${minutes} minutes`);
  return warned("retention", `changes are kept for ${minutes} minutes: a connector that is down for longer loses changes`, [
    `USE ${quoted(database)}`,
    "EXEC sys.sp_cdc_change_job @job_type = N'cleanup', @retention = 4320",
  ]);
}
const enable = (t: TableName, instance: string | null): string =>
  `EXEC sys.sp_cdc_enable_table @source_schema = ${literal(t.schema)}, @source_name = ${literal(t.table)}, @role_name = NULL${instance === null ? "" : `, @capture_instance = ${literal(instance)}`}`;

/** Each captured table has an instance, and the newest one has the table's columns. */
async function tableChecks(session: Session, s: TaskSettings, database: string): Promise<readonly Check[]> {
  const tables = (await listTables(session, database)).filter((t) => s.captures(t));
  const definitions = await readTables(session, database);
  const byTable = instancesByTable(await readInstances(session, database, null));
  const checks: Check[] = [];
  const use = `USE ${quoted(database)}`;
  for (const t of tables) {
    const id = idOf(t);
    const own = byTable.get(tableKey(t.schema, t.table)) ?? [];
    const newest = newestInstance(own);
    if (newest === undefined) {
      checks.push(failed("capture instance", `${id} is not captured`, [use, enable(t, null)]));
      continue;
    }
    const added = (definitions.get(id)?.columns ?? []).filter((c) => !newest.columns.includes(c.name)).map((c) => c.name);
    if (added.length === 0) {
      checks.push(passed("capture instance", `${id} is captured by ${newest.name}`));
      continue;
    }
    // A table has two at most: the older one has to go first.
    const older = own.length > 1 ? own[0] : undefined;
    const drop = older === undefined ? [] : [disable(t, older.name)];
    checks.push(
      warned(
        "capture instance",
        `the columns ${added.join(", ")} of ${id} are not in its capture instance ${newest.name}`,
        [use, ...drop, enable(t, `${t.schema}_${t.table}_${Date.now().toString(36)}`)],
        `If they are to be captured, make a second instance; once the connector has gone over to it (notification Capture Instance COMPLETED), remove the old one: ${disable(t, newest.name)}`,
      ),
    );
  }
  return tables.length > 0
    ? checks
    : [failed("tables", `no table of ${database} is captured`, [], "Check table.include.list and table.exclude.list.")];
}
const disable = (t: TableName, instance: string): string =>
  `EXEC sys.sp_cdc_disable_table @source_schema = ${literal(t.schema)}, @source_name = ${literal(t.table)}, @capture_instance = ${literal(instance)}`;

/** Of the first database: an offset belongs to one. */
async function position(config: TaskConfig, offset: SourceOffset | null): Promise<SourcePosition | null> {
  const database = settingsOf(config).list("database.names")[0];
  if (database === undefined) return null;
  return withSession(config, async (session) => {
    const head = await maxLsn(session, database);
    const at = readOffset(offset);
    const keptMinutes = (await cleanupJob(session, database))?.minutes ?? null;
    const behindMinutes = at?.commit === null || at === null ? null : await minutesSince(session, database, lsnBytes(at.commit));
    const minutesLeft = keptMinutes === null || behindMinutes === null ? null : keptMinutes - behindMinutes;
    const progress = await captureProgress(session, database).catch(() => null);
    const late = progress === null ? null : lateness(progress);
    return {
      position: at?.commit ?? null,
      head: head ?? "NULL",
      behindBytes: null,
      waiting:
        late !== null
          ? `the captured tables of ${database} have changed and the capture job has not taken it: ${late}`
          : waitingChanges(behindMinutes, minutesLeft),
      details: { database, changeLsn: at?.change ?? null, behindMinutes, keptMinutes, minutesLeft },
    };
  });
}
/** Younger ones are just being read. */
function waitingChanges(behindMinutes: number | null, minutesLeft: number | null): string | null {
  if (behindMinutes === null || behindMinutes < 1) return null;
  const left = minutesLeft === null ? "" : `; the clean-up job removes them in ${Math.max(0, minutesLeft)} minutes`;
  return `changes wait in the change tables, the oldest for ${behindMinutes} minutes${left}`;
}
/** Age of the oldest commit after `commit`: how long the connector has been behind. 0: it is not. */
async function minutesSince(session: Session, database: string, commit: Buffer): Promise<number | null> {
  const row = await session.first(
    `SELECT DATEDIFF(minute, MIN(tran_end_time), SYSDATETIME()) FROM ${quoted(database)}.cdc.lsn_time_mapping WHERE start_lsn > @commit AND tran_id <> 0x00`,
    { commit },
  );
  return row === null ? null : Math.max(0, Number(row[0] ?? 0));
}
