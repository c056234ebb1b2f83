/** `io.debezium.connector.jdbc.JdbcSinkConnector`: replicates topics into the tables of a PostgreSQL database. */
import type { SinkConnectorPlugin, TaskConfig } from "#connect/api/connector";
import { jdbcSinkConfig, jdbcSinkSettings } from "./config.ts";
import { jdbcSinkTask } from "./task.ts";

export const jdbcSink: SinkConnectorPlugin = {
  kind: "sink",
  name: "jdbc-sink",
  classes: ["io.debezium.connector.jdbc.JdbcSinkConnector"],
  taskClass: "io.debezium.connector.jdbc.JdbcSinkConnectorTask",
  version: "3.4.0.Final",
  config: jdbcSinkConfig,
  start(config) {
    // A wrong setting fails the connector, not each of its tasks.
    jdbcSinkSettings(config);
    return { taskConfigs: (maxTasks) => Array.from({ length: maxTasks }, (): TaskConfig => config) };
  },
  task: (config, context) => jdbcSinkTask(jdbcSinkSettings(config), context),
};
