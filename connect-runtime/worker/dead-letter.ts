/**
 * The dead letter queue of a sink (KIP-298): the record's own key and value bytes, its headers, and the ten headers that say
 * where and why it failed. Unlike Kafka Connect, a record that cannot be written here ends the task before its offset is
 * committed: otherwise it would be lost.
 */
import type { Producer, RecordHeader } from "#broker/client/types";
import { ConnectError } from "../api/errors.ts";
import { adminConfig, dlqProducerConfig } from "./client-config.ts";
import type { Failure, FailureReporter } from "./failure.ts";
import { flagOf, numberOf } from "./settings.ts";
import type { TaskHost } from "./task-host.ts";
import { javaClassOf, messageOf, traceOf } from "./trace.ts";
import type { ConfigMap, TaskId } from "./types.ts";

export interface DeadLetterQueue extends FailureReporter {
  /** Resolves when every reported record is durable; throws ConnectError when one could not be written. */
  flush(): Promise<void>;
  /** Resolves when more can be reported without growing the producer's buffer over its limit. */
  room(): Promise<void>;
  close(): Promise<void>;
}
const PREFIX = "__connect.errors.";

/** Where the record came from, as three of the ten headers say. */
export interface FailedAddress {
  readonly topic: string;
  readonly partition: string;
  readonly offset: string;
}
const addressOf = (consumed: Failure["consumed"]): FailedAddress => ({
  topic: consumed?.topic ?? "",
  partition: String(consumed?.partition ?? -1),
  offset: String(consumed?.offset ?? -1),
});
export function contextHeaders(id: TaskId, failure: Failure, from: FailedAddress, hidden: (text: string) => string): RecordHeader[] {
  const { error } = failure;
  const message = hidden(messageOf(error));
  const header = (name: string, value: string): RecordHeader => ({ key: PREFIX + name, value: Buffer.from(value) });
  return [
    header("topic", from.topic),
    header("partition", from.partition),
    header("offset", from.offset),
    header("connector.name", id.connector),
    header("task.id", String(id.task)),
    header("stage", failure.stage),
    header("class.name", failure.className),
    header("exception.class.name", javaClassOf(error)),
    message === "" ? { key: `${PREFIX}exception.message`, value: null } : header("exception.message", message),
    header("exception.stacktrace", hidden(traceOf(error))),
  ];
}
export async function ensureTopic(host: TaskHost, topic: string): Promise<void> {
  const { workerConfig, connectorConfig: config, id } = host;
  const admin = await host.clients.admin(adminConfig(workerConfig, config, `dlq-${id.connector}-${id.task}`));
  try {
    if ((await admin.describeTopics([topic])).has(topic)) return;
    const replicationFactor = numberOf(config, "errors.deadletterqueue.topic.replication.factor", 3);
    await admin.createTopics([{ name: topic, partitions: 1, replicationFactor }]);
  } catch (error) {
    throw new ConnectError(`Could not initialize dead letter queue with topic=${topic}`, { causeClass: "transient", cause: error });
  } finally {
    await admin.close();
  }
}
export const queueName = (config: ConfigMap): string => (config["errors.deadletterqueue.topic.name"] ?? "").trim();

/** Null: no queue is configured. Creates the topic with one partition if it is absent. */
export async function openDeadLetterQueue(host: TaskHost): Promise<DeadLetterQueue | null> {
  const topic = queueName(host.connectorConfig);
  if (topic === "") return null;
  const { counters, id } = host;
  const withContext = flagOf(host.connectorConfig, "errors.deadletterqueue.context.headers.enable", false);
  const { hidden } = host;
  await ensureTopic(host, topic);
  const producer: Producer = await host.clients.producer(dlqProducerConfig(host.workerConfig, host.connectorConfig, id));
  await producer.partitions(topic);
  let lost: Error | null = null;
  producer.onSettled = (delivery) => {
    if (delivery.state !== "failed") return;
    counters.add("deadletterqueue-produce-failures");
    lost ??= delivery.error ?? new Error("the write failed");
  };
  return {
    report(failure) {
      const record = failure.consumed;
      if (record === null) return;
      counters.add("deadletterqueue-produce-requests");
      const headers = withContext ? [...record.headers, ...contextHeaders(id, failure, addressOf(record), hidden)] : record.headers;
      const timestamp = record.timestampType === "NO_TIMESTAMP_TYPE" ? host.clock.now() : record.timestamp;
      producer.append(topic, null, record.key, record.value, timestamp, headers);
    },
    async flush() {
      if (producer.bufferedBytes > 0) await producer.flush();
      if (lost !== null) throw new ConnectError(`Could not write to dead letter queue ${topic}`, { causeClass: "transient", cause: lost });
    },
    room: () => producer.room(),
    close: () => producer.close(),
  };
}
