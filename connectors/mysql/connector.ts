/** The connectors: validation against the server, and their one task. */
import type { RawConfig } from "#connect/api/config";
import type { Connector, SourceConnectorPlugin } from "#connect/api/connector";
import { checkOffsets, type ServerProblem, validation, VALIDATION_TIMEOUT_MS } from "../cdc/connector-validation.ts";
import { VERSION } from "../cdc/source-block.ts";
import { messageOf } from "../cdc/source-error.ts";
import { readServer } from "./catalog.ts";
import { CONFIGS, refuseUnsupported, settingsOf } from "./config.ts";
import { connect } from "./connection.ts";
import type { Flavor } from "./ddl/ddl.ts";
import { currentNames } from "./former-names.ts";
import { readOffset } from "./position.ts";
import { serverOf } from "./server-settings.ts";
import { mysqlTask } from "./task.ts";

const WITHOUT_LOG =
  "The MySQL server is not configured to use a binary log, which is required for this connector to work properly. Set log_bin.";
const NOT_ROWS =
  "The MySQL server is not configured to use a ROW binlog_format, which is required for this connector to work properly. Change the MySQL configuration to use a binlog_format=ROW and restart the connector.";

async function serverProblem(flavor: Flavor, config: RawConfig): Promise<ServerProblem | null> {
  const settings = settingsOf(flavor, config);
  const server = serverOf(settings);
  const setting = "database.hostname";
  try {
    const connectTimeoutMs = Math.min(server.connectTimeoutMs, settings.int("connection.validation.timeout.ms"), VALIDATION_TIMEOUT_MS);
    const connection = await connect({ ...server, connectTimeoutMs, initialStatements: [] });
    try {
      const info = await readServer(connection);
      if (!info.logEnabled) return { setting, message: WITHOUT_LOG };
      return info.rowFormat ? null : { setting, message: NOT_ROWS };
    } finally {
      connection.destroy();
    }
  } catch (error) {
    return { setting, message: `Unable to connect: ${messageOf(error)}` };
  }
}
const source = (flavor: Flavor, className: string): SourceConnectorPlugin => ({
  kind: "source",
  name: flavor,
  classes: [`${className}`],
  taskClass: `${className}Task`,
  version: VERSION,
  config: CONFIGS[flavor],
  validate: validation({
    refuse: refuseUnsupported,
    needed: ["database.hostname", "database.user", "topic.prefix"],
    current: (config) => ({ ...config, ...currentNames(config).values }),
    serverProblem: (config) => serverProblem(flavor, config),
  }),
  start(config): Connector {
    refuseUnsupported(config);
    return { taskConfigs: () => [config] };
  },
  task: (config, context) => mysqlTask(flavor, config, context),
  diagnosis: async () => (await import("./doctor.ts")).mysqlDoctor(flavor),
  alterOffsets(_config, offsets) {
    checkOffsets(offsets, {
      partition: { server: "<topic.prefix>" },
      readable: (offset) => readOffset(offset) !== null,
      fields: "the fields file, a text, and pos, a number",
    });
    return true;
  },
  exactlyOnce: "supported",
  threads: "own",
});
export const mysqlSource = source("mysql", "io.debezium.connector.mysql.MySqlConnector");
export const mariadbSource = source("mariadb", "io.debezium.connector.mariadb.MariaDbConnector");
