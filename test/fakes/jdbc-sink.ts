/** A task of the JDBC sink without a worker, and records for it. */
import type { SinkTask } from "#connect/api/connector";
import type { SinkRecord } from "#connect/api/record";
import { INT32, OPTIONAL_STRING, type Schema, structOf } from "#connect/api/schema";
import { Struct } from "#connect/api/struct";
import type { ConnectValue } from "#connect/api/value";
import { jdbcSink } from "#connectors/jdbc-sink/index";

/** What the last task reported. */
export const errants: { record: SinkRecord; error: Error }[] = [];
/** A task that has started: upserts into table t, which it makes. `report`: there is a dead letter queue. */
export async function sinkTask(
  target: { readonly url: string; readonly user: string; readonly password: string },
  config: Record<string, string>,
  report = false,
): Promise<SinkTask> {
  errants.length = 0;
  const quiet = (): void => {};
  const made = jdbcSink.task(
    {
      "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
      "connection.url": target.url,
      "connection.username": target.user,
      "connection.password": target.password,
      "insert.mode": "upsert",
      "primary.key.mode": "record_key",
      "schema.evolution": "basic",
      "delete.enabled": "true",
      "collection.name.format": "t",
      ...config,
    },
    {
      connectorName: "c",
      taskId: 0,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      metrics: { gauge: quiet },
      signal: new AbortController().signal,
      reportErrant: report ? async (record, error) => void errants.push({ record, error }) : null,
      pause: quiet,
      resume: quiet,
      seek: quiet,
    },
  );
  await made.start();
  return made;
}
export const KEY = structOf([["id", INT32]], { name: "s.t.Key" });
export const ROW = structOf(
  [
    ["id", INT32],
    ["name", OPTIONAL_STRING],
  ],
  { name: "s.t.Value", optional: true },
);
let offset = 0;
export function record(keySchema: Schema | null, key: ConnectValue, valueSchema: Schema | null, value: ConnectValue): SinkRecord {
  offset++;
  const at = { topic: "s.t", partition: 0, offset, originalTopic: "s.t", originalPartition: 0, originalOffset: offset };
  return { ...at, keySchema, key, valueSchema, value, timestamp: 0, timestampType: "CREATE_TIME", headers: [] };
}
export const key = (id: number): Struct => new Struct(KEY, [id]);
