/** Runs the PostgreSQL source task without a worker. */
import { postgresSource } from "#connectors/postgres/index";
import type { ThrowawayPostgres } from "../peers/postgres.ts";
import { SourceBench } from "./task-bench.ts";

export { plain } from "./task-bench.ts";

export class TaskBench extends SourceBench {
  constructor(server: ThrowawayPostgres, database: string, extra: Readonly<Record<string, string>> = {}) {
    super(postgresSource, {
      "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
      "database.hostname": server.host,
      "database.port": String(server.port),
      "database.user": server.user,
      "database.dbname": database,
      "plugin.name": "pgoutput",
      "slot.name": database,
      "slot.retry.delay.ms": "200",
      "slot.max.retries": "50",
      ...extra,
    });
  }
}
