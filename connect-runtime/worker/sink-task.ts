/** A sink task from start to end: assembles its parts, runs the loop, and closes them in the right order. */
import type { ClientConfig, Consumer } from "#broker/client/types";
import type { SinkConnectorPlugin } from "../api/connector.ts";
import { ConfigError, ConnectError } from "../api/errors.ts";
import type { SinkRecord } from "../api/record.ts";
import { sinkConsumerConfig } from "./client-config.ts";
import { createConverters, missingClass } from "./converters.ts";
import { type DeadLetterQueue, openDeadLetterQueue } from "./dead-letter.ts";
import { removeFormerSelf } from "./former-self.ts";
import { FailurePolicy, logReporter } from "./failure.ts";
import { RecordReader } from "./record-reader.ts";
import { errorSettings, listOf } from "./settings.ts";
import { SinkLoop } from "./sink-loop.ts";
import { waitWhilePaused } from "./source-task.ts";
import type { TaskHost } from "./task-host.ts";
import { createSteps, TransformChain } from "./transform-chain.ts";
import type { ConfigMap } from "./types.ts";

async function pluginOf(host: TaskHost): Promise<SinkConnectorPlugin> {
  const className = host.connectorConfig["connector.class"] ?? "";
  const plugin = await host.catalog.connector(className);
  if (plugin === null) throw missingClass("Connector", className);
  if (plugin.kind !== "sink") throw new ConnectError(`${className} is not a sink connector`, { causeClass: "config" });
  return plugin;
}
/** `topics`, or `topics.regex` as Java reads it. */
async function subscriptionOf(config: ConfigMap): Promise<readonly string[] | RegExp> {
  const topics = listOf(config, "topics");
  if (topics.length > 0) return topics;
  const pattern = config["topics.regex"];
  if (pattern === undefined || pattern === "") throw new ConfigError("Must configure one of topics or topics.regex");
  const { translate } = await import("../api/java-regex-translate.ts");
  const translated = translate(pattern, {}, true);
  return new RegExp(`^(?:${translated.source})$`, translated.flags);
}

/** Resolves when the task was asked to stop; throws what made it fail. */
export async function runSinkTask(host: TaskHost): Promise<void> {
  const { connectorConfig, workerConfig, id } = host;
  const plugin = await pluginOf(host);
  const converters = await createConverters(host.catalog, connectorConfig, workerConfig);
  const chain = new TransformChain<SinkRecord>(await createSteps(host.catalog, connectorConfig), true);
  const settings = errorSettings(connectorConfig);
  const subscription = await subscriptionOf(connectorConfig);
  let consumer: Consumer | null = null;
  let deadLetters: DeadLetterQueue | null = null;
  try {
    if (!(await waitWhilePaused(host))) return;
    deadLetters = await openDeadLetterQueue(host);
    const consumerConfig = sinkConsumerConfig(workerConfig, connectorConfig, id);
    await removeFormerTask(host, consumerConfig);
    consumer = await host.clients.consumer(consumerConfig);
    const failures = new FailurePolicy({
      ...host,
      settings,
      reporters: [
        ...(settings.logEnable ? [logReporter(id, settings, host.counters, host.log)] : []),
        ...(deadLetters === null ? [] : [deadLetters]),
      ],
    });
    const reader = new RecordReader(chain, converters);
    const loop = new SinkLoop({ host, plugin, consumer, reader, failures, deadLetters, subscription });
    await loop.run();
  } finally {
    chain.close();
    await closeQuietly(host, "the consumer", consumer);
    await closeQuietly(host, "the dead letter queue", deadLetters);
  }
}
/**
 * A task runs in one place only, so a group member with this task's client id is what a crash has left behind. Removing it
 * spares the 45 s of its session. A group or client id of the user's own choice may be shared with others and is left alone.
 */
async function removeFormerTask(host: TaskHost, config: ClientConfig): Promise<void> {
  const { "group.id": groupId = "", "client.id": clientId = "" } = config;
  if (groupId !== `connect-${host.id.connector}` || clientId !== `connector-consumer-${host.id.connector}-${host.id.task}`) return;
  await removeFormerSelf(host.clients, config, groupId, clientId, (m) => m.clientId === clientId, host.log);
}
async function closeQuietly(host: TaskHost, what: string, closable: { close(): Promise<void> } | null): Promise<void> {
  try {
    await closable?.close();
  } catch (error) {
    host.log.warn(`closing ${what} of task ${host.id.connector}-${host.id.task} failed: ${String(error)}`);
  }
}
