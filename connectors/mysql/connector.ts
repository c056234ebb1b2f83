/** The connectors: validation against the server, and their one task. */
import type { ConfigFinding, RawConfig } from "#connect/api/config";
import type { Connector, SourceConnectorPlugin } from "#connect/api/connector";
import { ConfigError } from "#connect/api/errors";
import { messageOf } from "../cdc/source-error.ts";
import { readServer } from "./catalog.ts";
import { CONFIGS, refuseUnsupported, settingsOf } from "./config.ts";
import { connect } from "./connection.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { currentNames } from "./former-names.ts";
import { readOffset } from "./position.ts";
import { serverOf } from "./server-settings.ts";
import { VERSION } from "./source-info.ts";
import { mysqlTask } from "./task.ts";

const VALIDATION_TIMEOUT_MS = 8000;

async function serverProblem(flavor: Flavor, config: RawConfig): Promise<string | null> {
  const settings = settingsOf(flavor, config);
  const server = serverOf(settings);
  try {
    const connection = await connect({
      ...server,
      connectTimeoutMs: Math.min(server.connectTimeoutMs, VALIDATION_TIMEOUT_MS),
      initialStatements: [],
    });
    try {
      const info = await readServer(connection);
      if (!info.logEnabled)
        return "The MySQL server is not configured to use a binary log, which is required for this connector to work properly. Set log_bin.";
      if (!info.rowFormat)
        return "The MySQL server is not configured to use a ROW binlog_format, which is required for this connector to work properly. Change the MySQL configuration to use a binlog_format=ROW and restart the connector.";
      return null;
    } finally {
      connection.destroy();
    }
  } catch (error) {
    return `Unable to connect: ${messageOf(error)}`;
  }
}
const validateFor =
  (flavor: Flavor): NonNullable<SourceConnectorPlugin["validate"]> =>
  async (config, findings) => {
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
      return [finding(/'([^']+)'/.exec(error.message)?.[1] ?? "database.hostname", error.message)];
    }
    const all = { ...config, ...currentNames(config).values };
    if (["database.hostname", "database.user", "topic.prefix"].some((name) => !all[name])) return [];
    const problem = await serverProblem(flavor, config);
    return problem === null ? [] : [finding("database.hostname", problem)];
  };

const source = (flavor: Flavor, className: string): SourceConnectorPlugin => ({
  kind: "source",
  name: flavor,
  classes: [`${className}`],
  taskClass: `${className}Task`,
  version: VERSION,
  config: CONFIGS[flavor],
  validate: validateFor(flavor),
  start(config): Connector {
    refuseUnsupported(config);
    return { taskConfigs: () => [config] };
  },
  task: (config, context) => mysqlTask(flavor, config, context),
  alterOffsets(_config, offsets) {
    for (const { partition, offset } of offsets) {
      if (partition !== null && typeof partition["server"] !== "string")
        throw new ConfigError('The partition must be {"server": "<topic.prefix>"}');
      if (offset !== null && readOffset(offset) === null)
        throw new ConfigError("The offset must have the fields file, a text, and pos, a number");
    }
    return true;
  },
  exactlyOnce: "supported",
  threads: "own",
});
export const mysqlSource = source("mysql", "io.debezium.connector.mysql.MySqlConnector");
export const mariadbSource = source("mariadb", "io.debezium.connector.mariadb.MariaDbConnector");
