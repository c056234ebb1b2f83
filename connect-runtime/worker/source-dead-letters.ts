/**
 * The dead letter queue of a source, which Kafka Connect does not have: records that a transform or converter refused, with
 * `errors.deadletterqueue.source.enable` beside the settings that sinks know. It goes through the task's own producer, so that the
 * record's offset is passed only when the queue has it, and under exactly-once it belongs to the transaction.
 */
import type { Delivery, Producer } from "#broker/client/types";
import { ConfigError } from "../api/errors.ts";
import type { Converter } from "../api/plugin.ts";
import type { OffsetValue } from "../api/record.ts";
import type { Schema } from "../api/schema.ts";
import type { ConnectValue } from "../api/value.ts";
import { missingClass } from "./converters.ts";
import { contextHeaders, ensureTopic, queueName } from "./dead-letter.ts";
import type { Failure } from "./failure.ts";
import { flagOf } from "./settings.ts";
import type { TaskHost } from "./task-host.ts";
import { messageOf } from "./trace.ts";

export interface SourceDeadLetters {
  readonly topic: string;
  /** Null: the failure is of no record. */
  send(failure: Failure, nowMs: number): Delivery | null;
}
const ENABLE = "errors.deadletterqueue.source.enable";
const JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter";

const asJson = (position: Readonly<Record<string, OffsetValue>>): string =>
  JSON.stringify(position, (_k, v: unknown) => (typeof v === "bigint" ? Number(v) : v));

/** As JSON with its schema, whatever converter the connector has: that one may be what refused it. */
function bytesOf(converter: Converter, topic: string, schema: Schema | null, value: ConnectValue): Uint8Array | null {
  try {
    return converter.fromConnect(topic, schema, value);
  } catch (error) {
    return Buffer.from(`the value cannot be shown as JSON: ${messageOf(error)}`);
  }
}
/** Null: it was not asked for. Creates the topic with one partition if it is absent. Throws ConfigError without a topic's name. */
export async function openSourceDeadLetters(host: TaskHost, producer: Producer): Promise<SourceDeadLetters | null> {
  const { connectorConfig: config, counters, id, hidden } = host;
  if (!flagOf(config, ENABLE, false)) return null;
  const topic = queueName(config);
  if (topic === "") throw new ConfigError(`${ENABLE} needs errors.deadletterqueue.topic.name`);
  const plugin = await host.catalog.converter(JSON_CONVERTER);
  if (plugin === null) throw missingClass("Converter", JSON_CONVERTER);
  const key = plugin.create({ "schemas.enable": "true" }, true);
  const value = plugin.create({ "schemas.enable": "true" }, false);
  const withContext = flagOf(config, "errors.deadletterqueue.context.headers.enable", false);
  await ensureTopic(host, topic);
  await producer.partitions(topic);
  return {
    topic,
    send(failure, nowMs) {
      const record = failure.source;
      if (record === null) return null;
      counters.add("deadletterqueue-produce-requests");
      const from = { topic: record.topic, partition: asJson(record.sourcePartition), offset: asJson(record.sourceOffset) };
      return producer.append(
        topic,
        null,
        bytesOf(key, record.topic, record.keySchema, record.key),
        bytesOf(value, record.topic, record.valueSchema, record.value),
        record.timestamp ?? nowMs,
        withContext ? contextHeaders(id, failure, from, hidden) : [],
      );
    },
  };
}
