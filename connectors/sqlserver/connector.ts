/** The connector: validation against the server, databases spread over tasks. */
import type { RawConfig } from "#connect/api/config";
import type { Connector, SourceConnectorPlugin, TaskConfig } from "#connect/api/connector";
import { checkOffsets, type ServerProblem, validation, VALIDATION_TIMEOUT_MS } from "../cdc/connector-validation.ts";
import { VERSION } from "../cdc/source-block.ts";
import { messageOf } from "../cdc/source-error.ts";
import { databaseName } from "./catalog.ts";
import { quoted } from "./change-tables/statements.ts";
import { CONFIG, refuseUnsupported, settingsOf } from "./config.ts";
import { Session } from "./connection.ts";
import { readOffset } from "./position.ts";
import { serverOf, type SqlServer } from "./server-settings.ts";
import { sqlserverTask } from "./task.ts";

/** Throws ConfigError for logins that are not supported. */
function serverFor(config: RawConfig): SqlServer {
  const server = serverOf(settingsOf(config));
  const connectTimeoutMs = Math.min(server.connectTimeoutMs, VALIDATION_TIMEOUT_MS);
  return { ...server, connectTimeoutMs, queryTimeoutMs: VALIDATION_TIMEOUT_MS };
}
/** Gives up after `connection.validation.timeout.ms`; the connection that is being made is left to end by itself. */
async function serverProblem(config: RawConfig): Promise<ServerProblem | null> {
  const limitMs = settingsOf(config).int("connection.validation.timeout.ms");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ServerProblem>((resolve) => {
    const problem = { setting: "database.hostname", message: `Connection validation timed out after ${limitMs} ms` };
    timer = setTimeout(() => resolve(problem), limitMs);
  });
  const asked = askServer(config);
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
    asked.catch(() => {});
  }
}
async function askServer(config: RawConfig): Promise<ServerProblem | null> {
  const settings = settingsOf(config);
  const server = serverFor(config);
  let session: Session | null = null;
  try {
    session = await Session.open(server);
    await session.rows("SELECT @@VERSION");
    if (settings.choice("snapshot.mode") === "initial_only") return null;
    const without: string[] = [];
    for (const database of settings.list("database.names")) {
      const rows = await session.rows(`EXEC ${quoted(database)}.sys.sp_cdc_help_change_data_capture`);
      if (rows.length === 0) without.push(database);
    }
    if (without.length === 0) return null;
    const user = settings.optional("database.user") ?? "";
    return {
      setting: "database.user",
      message: `User ${user} does not have access to CDC schema in the following databases: ${without.join(", ")}. This user can only be used in initial_only snapshot mode`,
    };
  } catch (error) {
    return {
      setting: "database.hostname",
      message: `Unable to connect. Check this and other connection properties. Error: ${messageOf(error)}`,
    };
  } finally {
    await session?.close();
  }
}
/** Round robin, with the server's spelling of each database. */
async function taskConfigs(config: TaskConfig, maxTasks: number): Promise<readonly TaskConfig[]> {
  const names = settingsOf(config).list("database.names");
  const real: string[] = [];
  const session = await Session.open(serverFor(config));
  try {
    for (const name of names) real.push((await databaseName(session, name)) ?? name);
  } finally {
    await session.close();
  }
  const tasks = Math.max(1, Math.min(maxTasks, real.length));
  return Array.from({ length: tasks }, (_, i) => ({
    ...config,
    "database.names": real.filter((_name, at) => at % tasks === i).join(","),
    "task.id": String(i),
  }));
}

export const sqlserverSource: SourceConnectorPlugin = {
  kind: "source",
  name: "sqlserver",
  classes: ["io.debezium.connector.sqlserver.SqlServerConnector"],
  taskClass: "io.debezium.connector.sqlserver.SqlServerConnectorTask",
  version: VERSION,
  config: CONFIG,
  validate: validation({
    refuse: refuseUnsupported,
    needed: ["database.hostname", "database.names", "topic.prefix"],
    serverProblem,
  }),
  start(config): Connector {
    refuseUnsupported(config);
    return { taskConfigs: (maxTasks) => taskConfigs(config, maxTasks) };
  },
  task: sqlserverTask,
  alterOffsets(_config, offsets) {
    checkOffsets(offsets, {
      partition: { server: "<topic.prefix>", database: "<database>" },
      readable: (offset) => readOffset(offset) !== null,
      fields: "the fields commit_lsn, change_lsn and event_serial_no",
    });
    return true;
  },
  exactlyOnce: "supported",
  diagnosis: async () => (await import("./doctor.ts")).sqlserverDoctor,
};
