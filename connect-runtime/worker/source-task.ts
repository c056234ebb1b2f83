/** A source task from start to end: assembles its parts, runs the loop, and closes them in the right order. */
import type { Admin, Producer } from "#broker/client/types";
import type { SourceConnectorPlugin, SourceTask, SourceTaskContext, TransactionContext } from "../api/connector.ts";
import { ConnectError } from "../api/errors.ts";
import type { SourceRecord } from "../api/record.ts";
import { adminConfig, ownTopicClients, sourceProducerConfig, topicReaderConfig } from "./client-config.ts";
import { createConverters, missingClass } from "./converters.ts";
import { FailurePolicy, logReporter } from "./failure.ts";
import { KafkaOwnTopic } from "./own-topic.ts";
import { RecordWriter } from "./record-writer.ts";
import { RequestedBoundaries } from "./requested-boundaries.ts";
import { errorSettings } from "./settings.ts";
import { openSourceDeadLetters } from "./source-dead-letters.ts";
import { SourceLoop } from "./source-loop.ts";
import type { TaskHost } from "./task-host.ts";
import { topicRecords } from "./topic-reader.ts";
import { creationGroups } from "./topic-creation.ts";
import { TopicRegistry } from "./topic-registry.ts";
import { boundaryOf, isExactlyOnce, transactionalId } from "./transactional-commits.ts";
import { createSteps, TransformChain } from "./transform-chain.ts";

async function pluginOf(host: TaskHost): Promise<SourceConnectorPlugin> {
  const className = host.connectorConfig["connector.class"] ?? "";
  const plugin = await host.catalog.connector(className);
  if (plugin === null) throw missingClass("Connector", className);
  if (plugin.kind !== "source") throw new ConnectError(`${className} is not a source connector`, { causeClass: "config" });
  return plugin;
}
export function sourceTaskContext(host: TaskHost, transaction: TransactionContext | null = null): SourceTaskContext {
  const { "bootstrap.servers": bootstrap = "" } = host.workerConfig;
  return {
    connectorName: host.id.connector,
    taskId: host.id.task,
    log: host.log,
    offsets: {
      offsets: (partitions) => host.offsets.read(partitions),
      save: (partition, offset) => host.offsets.write([{ partition, offset }]),
    },
    metrics: { gauge: (name, value, labels = {}) => host.gauge(name, value, labels) },
    signal: host.stop,
    transaction,
    kafka: { "bootstrap.servers": bootstrap },
    records: (config, topic, signal) =>
      topicRecords(host.clients, topicReaderConfig(host.workerConfig, config, host.id), topic, signal, host.log),
    ownTopic: (config) => new KafkaOwnTopic(host.clients, ownTopicClients(host.workerConfig, config, host.id), config, host.clock),
  };
}

/** Resolves when the task was asked to stop; throws what made it fail. */
export async function runSourceTask(host: TaskHost): Promise<void> {
  const { connectorConfig, workerConfig, clients, id } = host;
  const plugin = await pluginOf(host);
  const converters = await createConverters(host.catalog, connectorConfig, workerConfig);
  const chain = new TransformChain<SourceRecord>(await createSteps(host.catalog, connectorConfig));
  const settings = errorSettings(connectorConfig);
  const groups = creationGroups(workerConfig, connectorConfig);
  const plain = sourceProducerConfig(workerConfig, connectorConfig, id);
  const clientSettings = isExactlyOnce(workerConfig)
    ? { ...plain, "enable.idempotence": "true", "transactional.id": plain["transactional.id"] ?? transactionalId(workerConfig, id) }
    : plain;
  let producer: Producer | null = null;
  let admin: Admin | null = null;
  let task: SourceTask | null = null;
  try {
    if (!(await waitWhilePaused(host))) return;
    producer = await clients.producer(clientSettings);
    const topics = new TopicRegistry({
      producer,
      admin: async () => (admin ??= await clients.admin(adminConfig(workerConfig, connectorConfig, `${id.connector}-${id.task}`))),
      groups,
      clock: host.clock,
      log: host.log,
    });
    const boundaries = isExactlyOnce(workerConfig) && boundaryOf(connectorConfig) === "connector" ? new RequestedBoundaries() : null;
    task = plugin.task(host.taskConfig, sourceTaskContext(host, boundaries));
    if (task.backfill !== undefined) host.questions.answer = task.backfill.bind(task);
    const failures = new FailurePolicy({
      ...host,
      settings,
      reporters: settings.logEnable ? [logReporter(id, settings, host.counters, host.log)] : [],
    });
    const writer = new RecordWriter(producer, topics, chain, converters);
    const bufferMax = Number(clientSettings["buffer.memory"]);
    const deadLetters = await openSourceDeadLetters(host, producer);
    await new SourceLoop({ host, task, producer, writer, topics, failures, deadLetters, boundaries, bufferMax }).run();
  } finally {
    chain.close();
    host.questions.answer = null;
    await close(host, task, producer, admin);
  }
}
/** False: stopped before it was resumed. A task that is created paused does not start before that (as in Kafka Connect). */
export async function waitWhilePaused(host: TaskHost): Promise<boolean> {
  if (host.target.paused) host.state("PAUSED");
  while (host.target.paused && !host.stop.aborted) await host.target.changed(host.clock, 1_000, host.stop);
  return !host.stop.aborted;
}
/** Closing goes on after an error, and never hides the one that ended the task. */
async function close(host: TaskHost, task: SourceTask | null, producer: Producer | null, admin: Admin | null): Promise<void> {
  const step = async (what: string, run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      host.log.warn(`${what} failed while task ${host.id.connector}-${host.id.task} was closing: ${String(error)}`);
    }
  };
  if (task !== null) await step("stopping the source", () => task.stop());
  // What was not acknowledged by now is sent again after a restart: its offsets have not been committed.
  if (producer !== null) await step("closing the producer", () => producer.close(0));
  if (admin !== null) await step("closing the admin client", () => admin.close());
}
