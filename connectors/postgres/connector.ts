/** The connector: validation against the server, and its one task. */
import type { RawConfig } from "#connect/api/config";
import type { Connector, SourceConnectorPlugin } from "#connect/api/connector";
import { checkOffsets, type ServerProblem, validation, VALIDATION_TIMEOUT_MS } from "../cdc/connector-validation.ts";
import { VERSION } from "../cdc/source-block.ts";
import { messageOf } from "../cdc/source-error.ts";
import { CONFIG, refuseUnsupported, settingsOf } from "./config.ts";
import { connect } from "./connection.ts";
import { sqlState } from "./failures.ts";
import { readOffset } from "./position.ts";
import { serverOf } from "./server-settings.ts";
import { postgresTask } from "./task.ts";

const NEEDED = ["database.hostname", "database.user", "database.dbname"];

/** As the reference's driver puts it. */
function connectionProblem(error: unknown, host: string, port: number): string {
  const code = sqlState(error);
  if (code === "ECONNREFUSED")
    return `Connection to ${host}:${port} refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "The connection attempt failed.";
  const severity =
    typeof error === "object" && error !== null && "severity" in error && typeof error.severity === "string" ? `${error.severity}: ` : "";
  return `${severity}${messageOf(error)}`;
}

async function serverProblem(config: RawConfig): Promise<ServerProblem | null> {
  const settings = settingsOf(config);
  const server = serverOf(settings);
  const setting = "database.hostname";
  try {
    const connectTimeoutMs = Math.min(server.connectTimeoutMs, VALIDATION_TIMEOUT_MS);
    const client = await connect({ ...server, connectTimeoutMs, initialStatements: [] });
    try {
      const { rows } = await client.query<{ wal_level: string }>("SHOW wal_level");
      const level = rows[0]?.wal_level;
      if (level === "logical" || settings.choice("snapshot.mode") === "initial_only") return null;
      return {
        setting,
        message: `Postgres server wal_level property must be 'logical' but is: '${level}'. Set wal_level = logical and restart the server.`,
      };
    } finally {
      await client.end();
    }
  } catch (error) {
    return { setting, message: `Error while validating connector config: ${connectionProblem(error, server.host, server.port)}` };
  }
}

export const postgresSource: SourceConnectorPlugin = {
  kind: "source",
  name: "postgres",
  classes: ["io.debezium.connector.postgresql.PostgresConnector"],
  taskClass: "io.debezium.connector.postgresql.PostgresConnectorTask",
  version: VERSION,
  config: CONFIG,
  validate: validation({ refuse: refuseUnsupported, needed: NEEDED, serverProblem }),
  start(config): Connector {
    refuseUnsupported(config);
    return { taskConfigs: () => [config] };
  },
  task: postgresTask,
  alterOffsets(_config, offsets) {
    checkOffsets(offsets, {
      partition: { server: "<topic.prefix>" },
      readable: (offset) => readOffset(offset) !== null,
      fields: "a field lsn, a number",
    });
    // The slot is another one, on the server.
    return false;
  },
  exactlyOnce: "supported",
  threads: "own",
  diagnosis: async () => (await import("./doctor.ts")).postgresDoctor,
};
