/** The connector: validation against the server, and its one task. */
import type { ConfigFinding, RawConfig } from "#connect/api/config";
import type { Connector, SourceConnectorPlugin } from "#connect/api/connector";
import { ConfigError } from "#connect/api/errors";
import { CONFIG, refuseUnsupported, settingsOf } from "./config.ts";
import { connect, serverOf } from "./connection.ts";
import { messageOf } from "../cdc/source-error.ts";
import { sqlState } from "./failures.ts";
import { readOffset } from "./position.ts";
import { VERSION } from "./source-info.ts";
import { postgresTask } from "./task.ts";

const CONNECTION = ["database.hostname", "database.port", "database.user", "database.password", "database.dbname"];

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

async function validate(config: RawConfig, findings: readonly ConfigFinding[]): Promise<readonly ConfigFinding[]> {
  const finding = (name: string, error: string): ConfigFinding => {
    const known = findings.find((f) => f.name === name);
    return {
      name,
      value: known?.value ?? config[name] ?? null,
      recommendedValues: known?.recommendedValues ?? [],
      errors: [...(known?.errors ?? []), error],
      visible: known?.visible ?? true,
    };
  };
  if (findings.some((f) => f.errors.length > 0)) return [];
  try {
    refuseUnsupported(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [finding(/'([^']+)'/.exec(error.message)?.[1] ?? "plugin.name", error.message)];
  }
  if (CONNECTION.some((name) => name !== "database.password" && name !== "database.port" && !config[name])) return [];
  const settings = settingsOf(config);
  const server = serverOf(settings);
  try {
    const client = await connect({ ...server, connectTimeoutMs: Math.min(server.connectTimeoutMs, 8000), initialStatements: [] });
    try {
      const { rows } = await client.query<{ wal_level: string }>("SHOW wal_level");
      const level = rows[0]?.wal_level;
      if (level !== "logical" && settings.choice("snapshot.mode") !== "initial_only")
        return [
          finding(
            "database.hostname",
            `Postgres server wal_level property must be 'logical' but is: '${level}'. Set wal_level = logical and restart the server.`,
          ),
        ];
    } finally {
      await client.end();
    }
  } catch (error) {
    return [finding("database.hostname", `Error while validating connector config: ${connectionProblem(error, server.host, server.port)}`)];
  }
  return [];
}

export const postgresSource: SourceConnectorPlugin = {
  kind: "source",
  name: "postgres",
  classes: ["io.debezium.connector.postgresql.PostgresConnector"],
  taskClass: "io.debezium.connector.postgresql.PostgresConnectorTask",
  version: VERSION,
  config: CONFIG,
  validate,
  start(config): Connector {
    refuseUnsupported(config);
    return { taskConfigs: () => [config] };
  },
  task: postgresTask,
  alterOffsets(_config, offsets) {
    for (const { partition, offset } of offsets) {
      if (partition !== null && typeof partition["server"] !== "string")
        throw new ConfigError('The partition must be {"server": "<topic.prefix>"}');
      if (offset !== null && readOffset(offset) === null) throw new ConfigError("The offset must have a field lsn, a number");
    }
    return true;
  },
  exactlyOnce: "supported",
  threads: "own",
  diagnosis: async () => (await import("./doctor.ts")).postgresDoctor,
};
