/**
 * Configurations of a task's Kafka clients: our defaults, then the worker's `producer.*` / `consumer.*` / `admin.*`, then the
 * connector's `*.override.*` (KIP-458). As in Kafka Connect, only `bootstrap.servers` is shared by all clients of a worker.
 */
import type { ClientConfig } from "#broker/client/types";
import { withPrefix } from "./settings.ts";
import type { ConfigMap, TaskId } from "./types.ts";

const NO_LIMIT_MS = "2147483647";

const bootstrap = (worker: ConfigMap): ClientConfig => ({ "bootstrap.servers": worker["bootstrap.servers"] ?? "" });

/**
 * Kafka Connect's producer: acks=all, one request in flight (order without idempotence, which old clusters may refuse),
 * retries without end. Batches are larger than Kafka's 16 kB because a source delivers in bulk: with one request in flight
 * per broker a round trip of 1 ms would otherwise cap a partition at 16 MB/s. They are as large as the default limits of
 * brokers and fetches (1,048,588 and 1,048,576 bytes) let them be, which costs a fifth less CPU than half the size; a quarter
 * of Kafka's 32 MB of buffer is as fast and stays in the processor's cache. `linger.ms` is left to its default, which adapts to how much comes.
 */
function producerConfig(worker: ConfigMap, connector: ConfigMap, clientId: string): ClientConfig {
  return {
    ...bootstrap(worker),
    "client.id": clientId,
    acks: "all",
    "enable.idempotence": "false",
    "max.in.flight.requests.per.connection": "1",
    "delivery.timeout.ms": NO_LIMIT_MS,
    "batch.size": "1000000",
    "buffer.memory": "8388608",
    ...withPrefix(worker, "producer."),
    ...withPrefix(connector, "producer.override."),
  };
}
export const sourceProducerConfig = (worker: ConfigMap, connector: ConfigMap, id: TaskId): ClientConfig =>
  producerConfig(worker, connector, `connector-producer-${id.connector}-${id.task}`);
export const dlqProducerConfig = (worker: ConfigMap, connector: ConfigMap, id: TaskId): ClientConfig => ({
  ...producerConfig(worker, connector, `connector-dlq-producer-${id.connector}-${id.task}`),
  "buffer.memory": "8388608",
});
export function sinkConsumerConfig(worker: ConfigMap, connector: ConfigMap, id: TaskId): ClientConfig {
  return {
    ...bootstrap(worker),
    "client.id": `connector-consumer-${id.connector}-${id.task}`,
    "group.id": sinkGroup(id.connector),
    "auto.offset.reset": "earliest",
    ...withPrefix(worker, "consumer."),
    ...withPrefix(connector, "consumer.override."),
    "enable.auto.commit": "false",
  };
}
export function adminConfig(worker: ConfigMap, connector: ConfigMap, name: string): ClientConfig {
  return {
    ...bootstrap(worker),
    "client.id": `connector-adminclient-${name}`,
    ...withPrefix(worker, "admin."),
    ...withPrefix(connector, "admin.override."),
  };
}
/** Of a topic that the connector reads itself: its own settings, over those of the worker unless it names other brokers. */
export function topicReaderConfig(worker: ConfigMap, given: ConfigMap, id: TaskId): ClientConfig {
  const elsewhere = given["bootstrap.servers"] !== undefined;
  return {
    ...(elsewhere ? {} : { ...bootstrap(worker), ...withPrefix(worker, "consumer.") }),
    "client.id": `connector-reader-${id.connector}-${id.task}`,
    ...given,
  };
}
/** Clients of a topic that the connector writes itself: its own settings, over those of the worker unless it names other brokers. */
export function ownTopicClients(
  worker: ConfigMap,
  given: { readonly producer: ConfigMap; readonly consumer: ConfigMap },
  id: TaskId,
): Record<"admin" | "producer" | "consumer", ClientConfig> {
  const of = (kind: "producer" | "consumer", settings: ConfigMap): ClientConfig => ({
    ...(settings["bootstrap.servers"] === undefined ? { ...bootstrap(worker), ...withPrefix(worker, `${kind}.`) } : {}),
    "client.id": `connector-own-topic-${id.connector}-${id.task}`,
    ...settings,
  });
  return { admin: of("producer", given.producer), producer: of("producer", given.producer), consumer: of("consumer", given.consumer) };
}
const sinkGroup = (connector: string): string => `connect-${connector}`;
/** The consumer group of a sink connector, after its override. */
export const groupOf = (name: string, connector: ConfigMap): string => connector["consumer.override.group.id"] ?? sinkGroup(name);
/** Read only what is committed: `isolation.level` of offset topics in an exactly-once cluster. */
export function offsetClientConfigs(
  worker: ConfigMap,
  connector: ConfigMap,
  name: string,
): { admin: ClientConfig; producer: ClientConfig; consumer: ClientConfig } {
  return {
    admin: adminConfig(worker, connector, `${name}-offsets`),
    producer: { ...producerConfig(worker, connector, `${name}-offsets`), "batch.size": "16384", "linger.ms": "0" },
    consumer: {
      ...bootstrap(worker),
      "client.id": `${name}-offsets`,
      ...withPrefix(worker, "consumer."),
      ...withPrefix(connector, "consumer.override."),
    },
  };
}
