/**
 * The broker, put together: data folders, metadata, logs, coordinators, handlers, network. This and config.ts are the only
 * places that know all parts.
 */
import type { TlsOptions } from "node:tls";
import { type Admission, makeAdmission } from "./admission.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import { BrokerError } from "./base/errors.ts";
import { type Logger, silentLogger } from "./base/logger.ts";
import { isLogLevel, LogLevels } from "./base/log-levels.ts";
import { type Random, randomUuid, systemRandom } from "./base/random.ts";
import { type MetricsSources, metricsText } from "./broker-metrics.ts";
import { type BrokerConfig, brokerConfig, networkLimits, type Properties } from "./config.ts";
import { EffectiveConfig } from "./controller/configs/effective.ts";
import { type Controller, openController } from "./controller/controller.ts";
import { ResourceType } from "./controller/image.ts";
import { initialFeatures } from "./controller/features.ts";
import { registration } from "./controller/registration.ts";
import { createTopics, isRefusal, type TopicDefaults } from "./controller/topics.ts";
import { producerIdBlocks } from "./controller/producer-ids.ts";
import { coordinatorConfig } from "./coordinator/config.ts";
import { createCoordinators } from "./coordinator/coordinators.ts";
import type { Coordinators } from "./coordinator/types.ts";
import { coordinatorLog, markerWriter } from "./coordinator-log.ts";
import { type DataFolder, openDataFolders } from "./data-folder.ts";
import { brokerHandlers } from "./handlers/broker-handlers.ts";
import { coordinatorHandlers } from "./handlers/coordinator-handlers.ts";
import type { BrokerEndpoint, HandlerDeps } from "./handlers/deps.ts";
import type { Handler } from "./handlers/handler.ts";
import { readBuffers } from "./log/read-buffers.ts";
import { fileDisk } from "./log/store/file.ts";
import { type MetricsEndpoint, openMetricsEndpoint } from "./metrics/endpoint.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import { metadataView } from "./metadata-view.ts";
import { type BoundListener, Network } from "./network/network.ts";
import type { ListenerAddress } from "./network/types.ts";
import { type PartitionSyncOptions, syncAtStart, syncChange } from "./partition-sync.ts";
import { ErrorCode, KafkaError } from "./protocol/errors.ts";
import { openLogManager } from "./replication/log-manager.ts";
import { metadataRecord } from "./controller/metadata-record.ts";
import { partitionChangeRecord } from "./protocol/state/metadata-records.ts";
import type { LogManager, Partition } from "./replication/types.ts";
import { authorizerOf, authorizes } from "./security/authorizer.ts";
import { authenticators } from "./security/sasl.ts";
import { certificateNames } from "./security/tls.ts";
import { allTlsOptions, tlsRefusal } from "./security/tls-changes.ts";
import { noteDurability, noteSettings } from "./start-notes.ts";
import { automaticTopic, OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from "./state-topics.ts";

export interface BrokerDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Is given what passes the levels, and filters nothing itself. */
  readonly logger: Logger;
}
/** What all parts are given. */
interface Foundation extends BrokerDeps {
  readonly logLevels: LogLevels;
  readonly requests: RequestMetrics;
}
export interface RunningBroker {
  readonly nodeId: number;
  readonly clusterId: string;
  /** The first listener's port. */
  readonly port: number;
  readonly listeners: readonly BoundListener[];
  readonly dataDirs: readonly string[];
  readonly controller: Controller;
  readonly logs: LogManager;
  /** host:port for clients on this machine. */
  readonly bootstrap: string;
  metrics(): { readonly connections: number; readonly queuedBytes: number };
  /** In Prometheus' text format. */
  metricsText(): string;
  /** Of /metrics, /health and /ready; null: not asked for. */
  readonly metricsPort: number | null;
  /** Flushes and marks a clean shutdown. Idempotent. */
  close(): Promise<void>;
}

/** Resolves when requests are answered. Rejects with BrokerError, which says what to do; nothing is left open then. */
export async function startBroker(properties: Properties, given: Partial<BrokerDeps> = {}): Promise<RunningBroker> {
  const config = brokerConfig(properties);
  const deps = foundation(properties, given);
  noteSettings(config, deps.logger);
  const failedDirs: FailedDir[] = [];
  const folders = openDataFolders({
    paths: config.logDirs,
    nodeId: config.nodeId,
    clusterId: config.clusterId,
    random: deps.random,
    onFailure: (path, error) => {
      deps.logger.error("a data folder cannot be used; its partitions are offline", { directory: path, reason: error.message });
      failedDirs.push({ path, error });
    },
  });
  /** Undone in reverse order when the start fails, and on close. */
  const undo: (() => void | Promise<void>)[] = folders.map((folder) => () => folder.unlock());
  const close = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const running = await open(config, deps, folders, failedDirs, undo);
    let closing: Promise<void> | null = null;
    return { ...running, close: () => (closing ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}

function foundation(properties: Properties, given: Partial<BrokerDeps>): Foundation {
  const level = (properties["log.level"] ?? "").toUpperCase();
  const logLevels = new LogLevels(given.logger ?? silentLogger, isLogLevel(level) ? level : "INFO");
  return {
    clock: given.clock ?? systemClock,
    random: given.random ?? systemRandom,
    logger: logLevels.logger("kafka.server"),
    logLevels,
    requests: new RequestMetrics(),
  };
}
async function open(
  config: BrokerConfig,
  deps: Foundation,
  folders: readonly DataFolder[],
  failedDirs: readonly FailedDir[],
  undo: (() => void | Promise<void>)[],
): Promise<Omit<RunningBroker, "close">> {
  const [first] = folders;
  if (first === undefined) throw new BrokerError("INVALID_CONFIG", "log.dirs names no folder");
  const { clusterId } = first;
  const { controller, removedTopicIds } = openController({
    dataDirectory: first.path,
    clock: deps.clock,
    logger: deps.logLevels.logger("kafka.controller"),
  });
  undo.push(() => controller.close());
  const effective = effectiveConfig(config, controller);
  const logs = await openLogs(config, deps, folders, failedDirs, controller, effective);
  undo.push(() => logs.close());
  const listeners: BoundListener[] = [];
  const brokers = (listener: string): readonly BrokerEndpoint[] => endpoints(config, listeners, listener);
  const topicDefaults = defaultsOfTopics(config, deps.random, logs, first.directoryId);
  const coordinators = makeCoordinators(config, deps, controller, logs, topicDefaults, brokers);
  undo.push(() => coordinators.close());
  const sync: PartitionSyncOptions = { controller, effective, logs, nodeId: config.nodeId, logger: deps.logger, failedDirs };
  syncAtStart(sync, removedTopicIds);
  follow(sync, coordinators);

  const admission = makeAdmission(config, deps.clock, controller, effective);
  const handlerDeps: HandlerDeps = {
    ...deps,
    quotas: admission.quotas,
    refusals: deps.requests,
    config: { ...config, authorizes: authorizes(config.properties) },
    clusterId,
    controller,
    effective,
    logs,
    topicDefaults,
    brokers,
    automaticTopic: (name) => automaticTopic(config, name, controller.image.brokers.size),
    admitWrite: (write) => coordinators.admitWrite(write),
    tlsRefusal: (changes) => tlsRefusal(config.listeners, effective.brokerProperties(), changes),
  };
  const handlers = brokerHandlers(handlerDeps, coordinatorHandlers(coordinators));
  const network = makeNetwork(config, deps, controller, effective, handlers, admission);
  undo.push(() => network.close());
  const operation = await operate(config, { clusterId, controller, logs, coordinators, network, ...deps });
  // The last to go, so that readiness can be asked for while the broker stops.
  undo.unshift(() => operation.close());
  const register = (): void => {
    const node = { nodeId: config.nodeId, rack: config.rack, endpoints: advertisedEndpoints(config, listeners) };
    const features = initialFeatures((key) => handlers.has(key));
    controller.commit(registration(controller.image, { ...node, features, random: deps.random }));
  };
  // Known before the first request can come; again below, where ports that the system chose are known.
  if (!controller.image.brokers.has(config.nodeId)) register();
  const tls = allTlsOptions(config.listeners, effective.brokerProperties());
  for (const address of config.listeners) listeners.push(await listen(network, address, tls.get(address.name)));
  if (tls.size > 0) renewCertificates(config, deps.logger, controller, effective, network);
  register();
  coordinators.start();
  operation.running();
  undo.push(() => operation.stopping());
  noteDurability(effective.brokerProperties(), deps.logger);
  const { metricsText: text, metricsPort } = operation;
  return { ...running(config, clusterId, listeners, controller, logs, network, deps.logger), metricsText: text, metricsPort };
}
interface Operation {
  readonly metricsText: () => string;
  readonly metricsPort: number | null;
  running(): void;
  stopping(): void;
  close(): Promise<void>;
}
function openLogs(
  config: BrokerConfig,
  deps: Foundation,
  folders: readonly DataFolder[],
  failedDirs: readonly FailedDir[],
  controller: Controller,
  effective: EffectiveConfig,
): Promise<LogManager> {
  return openLogManager({
    dirs: folders.map(({ path }) => path),
    failedDirs,
    onMoved: (partition, directoryId) => recordMove(controller, partition, directoryId),
    disk: fileDisk,
    clock: deps.clock,
    logger: deps.logLevels.logger("kafka.log"),
    clusterId: folders[0]?.clusterId ?? "",
    nodeId: config.nodeId,
    brokerConfig: effective.brokerProperties(),
    topicConfig: (topic) => Object.fromEntries(controller.image.configs(ResourceType.TOPIC, topic)),
    random: deps.random,
  });
}
/** New partitions go round the folders that are online. */
function defaultsOfTopics(config: BrokerConfig, random: Random, logs: LogManager, firstDirectoryId: string): TopicDefaults {
  let next = 0;
  return {
    numPartitions: config.numPartitions,
    replicationFactor: config.defaultReplicationFactor,
    newTopicId: () => randomUuid(random),
    get directoryId() {
      const online = logs.onlineDirectoryIds();
      return online[next++ % Math.max(1, online.length)] ?? firstDirectoryId;
    },
  };
}
interface FailedDir {
  readonly path: string;
  readonly error: Error;
}
/** So that the next start knows where to look for it. */
function recordMove(controller: Controller, { topicId, partition }: Partition, directoryId: string): void {
  const value = { partitionId: partition, topicId, directories: [directoryId] };
  controller.commit({ records: [metadataRecord(partitionChangeRecord, value)], response: null });
}
/** Metrics, health and readiness. */
async function operate(
  config: BrokerConfig,
  parts: Omit<MetricsSources, "nodeId" | "startedMs" | "state"> & Foundation,
): Promise<Operation> {
  let state = BrokerState.STARTING;
  const startedMs = parts.clock.now();
  const text = (): string => metricsText({ ...parts, nodeId: config.nodeId, startedMs, state: () => state });
  const endpoint = await openEndpoint(config, text, () => (state === BrokerState.RUNNING ? null : "the broker is starting or stopping"));
  return {
    metricsText: text,
    metricsPort: endpoint?.port ?? null,
    running: () => void (state = BrokerState.RUNNING),
    stopping: () => void (state = BrokerState.STOPPING),
    close: () => endpoint?.close() ?? Promise.resolve(),
  };
}
function running(
  config: BrokerConfig,
  clusterId: string,
  listeners: readonly BoundListener[],
  controller: Controller,
  logs: LogManager,
  network: Network,
  logger: Logger,
): Omit<RunningBroker, "close" | "metricsText" | "metricsPort"> {
  const own = listeners[0];
  const host = own === undefined || own.host === "" || own.host === "0.0.0.0" || own.host === "::" ? "127.0.0.1" : own.host;
  logger.info("broker started", { nodeId: config.nodeId, clusterId, listeners: listeners.map(({ name, port }) => `${name}:${port}`) });
  return {
    nodeId: config.nodeId,
    clusterId,
    port: own?.port ?? 0,
    listeners,
    dataDirs: config.logDirs,
    controller,
    logs,
    bootstrap: `${host.includes(":") ? `[${host}]` : host}:${own?.port ?? 0}`,
    metrics: () => ({ connections: network.connectionCount, queuedBytes: network.queuedBytes }),
  };
}
/** Kafka's codes. */
const BrokerState = { STARTING: 1, RUNNING: 3, STOPPING: 6 };
async function openEndpoint(
  { metricsAddress }: BrokerConfig,
  metrics: () => string,
  notReady: () => string | null,
): Promise<MetricsEndpoint | null> {
  if (metricsAddress === null) return null;
  try {
    return await openMetricsEndpoint({ ...metricsAddress, metrics, notReady });
  } catch (error) {
    throw listenFailure(error, "metrics.listeners", metricsAddress);
  }
}
/** The settings of the broker with what was derived from them. */
function effectiveConfig(config: BrokerConfig, controller: Controller): EffectiveConfig {
  const nodeId = String(config.nodeId);
  return new EffectiveConfig({
    image: () => controller.image,
    nodeId: config.nodeId,
    properties: { ...config.properties, "node.id": nodeId, "broker.id": nodeId, "log.dirs": config.logDirs.join(",") },
  });
}
function makeNetwork(
  config: BrokerConfig,
  deps: Foundation,
  controller: Controller,
  effective: EffectiveConfig,
  handlers: ReadonlyMap<number, Handler>,
  admission: Admission,
): Network {
  let { limits } = config;
  controller.onChange((change) => {
    if (change.configs.some(({ resourceType }) => resourceType === ResourceType.BROKER))
      limits = networkLimits(effective.brokerProperties());
  });
  return new Network({
    clock: deps.clock,
    logger: deps.logLevels.logger("kafka.network"),
    observer: deps.requests,
    get limits() {
      return limits;
    },
    handlers,
    quotas: admission.quotas,
    admission: admission.connections,
    rights: authorizerOf(config.properties, () => controller.image, deps.logger),
    nameOfCertificate: certificateNames(config.properties, config.listeners),
    authenticator: authenticators(config.properties, config.listeners, { ...deps, image: () => controller.image }),
    onSent: (parts) => {
      for (const part of parts) readBuffers.giveBack(part);
    },
    onHandlerFailure: (apiName, cause) => {
      deps.logger.error("request failed", {
        api: apiName,
        reason: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      });
    },
  });
}
function makeCoordinators(
  config: BrokerConfig,
  deps: Foundation,
  controller: Controller,
  logs: LogManager,
  defaults: TopicDefaults,
  brokers: (listener: string) => readonly BrokerEndpoint[],
): Coordinators {
  const metadata = metadataView(config.nodeId, () => controller.image, brokers);
  const create = async (topic: string): Promise<void> => {
    if (controller.image.topics.has(topic)) return;
    const spec = automaticTopic(config, topic, controller.image.brokers.size);
    const [outcome] = controller.commit(createTopics(controller.image, [spec], defaults));
    if (outcome !== undefined && isRefusal(outcome) && outcome.errorCode !== ErrorCode.NONE) {
      throw new KafkaError(outcome.errorCode, outcome.errorMessage ?? undefined);
    }
  };
  return createCoordinators({
    ...deps,
    logger: deps.logLevels.logger("kafka.coordinator"),
    config: coordinatorConfig(config.properties),
    metadata,
    groupLog: coordinatorLog(OFFSETS_TOPIC, logs, metadata, deps.clock, create),
    transactionLog: coordinatorLog(TRANSACTIONS_TOPIC, logs, metadata, deps.clock, create),
    markers: markerWriter(logs),
    producerIds: producerIdBlocks(controller, config.nodeId),
    groupConfigs: (groupId) => controller.image.configs(ResourceType.GROUP, groupId),
    verifiesPartitions() {
      const name = "transaction.partition.verification.enable";
      const [own, all] = [String(config.nodeId), ""].map((broker) => controller.image.configs(ResourceType.BROKER, broker).get(name));
      return (own ?? all ?? config.properties[name]) !== "false";
    },
  });
}

/** Partitions and coordinators follow the metadata from here on. */
function follow(sync: PartitionSyncOptions, coordinators: Coordinators): void {
  const { controller, logger } = sync;
  const isState = (topic: string): boolean => topic === OFFSETS_TOPIC || topic === TRANSACTIONS_TOPIC;
  const elect = (topic: string, partition: number, leaderEpoch: number): void => {
    coordinators.elected(topic, partition, leaderEpoch).catch((error: unknown) => {
      logger.error("a coordinator's partition could not be loaded", {
        topic,
        partition,
        reason: error instanceof Error ? error.message : error,
      });
    });
  };
  const electAll = (topics: Iterable<{ name: string; partitions: readonly { partition: number; leaderEpoch: number }[] }>): void => {
    for (const { name, partitions } of topics) {
      if (isState(name)) for (const { partition, leaderEpoch } of partitions) elect(name, partition, leaderEpoch);
    }
  };
  electAll(controller.image.topics.values());
  controller.onChange((change) => {
    for (const { name, partitions } of change.deleted) {
      if (isState(name)) for (const { partition } of partitions) coordinators.resigned(name, partition);
    }
    syncChange(sync, change);
    electAll(change.created);
    electAll(change.grown.map(({ topic, from }) => ({ name: topic.name, partitions: topic.partitions.slice(from) })));
    if (change.deleted.length > 0) coordinators.topicsDeleted(change.deleted.map(({ name }) => name));
  });
}

/** With every change of this broker's settings: only then a file is looked at again. */
function renewCertificates(
  config: BrokerConfig,
  logger: Logger,
  controller: Controller,
  effective: EffectiveConfig,
  network: Network,
): void {
  controller.onChange(({ configs }) => {
    if (!configs.some(({ resourceType }) => resourceType === ResourceType.BROKER)) return;
    try {
      for (const [name, options] of allTlsOptions(config.listeners, effective.brokerProperties())) network.renewTls(name, options);
    } catch (error) {
      logger.error("certificates could not be renewed; connections go on with the old ones", {
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  });
}
async function listen(network: Network, address: ListenerAddress, tls: TlsOptions | undefined): Promise<BoundListener> {
  try {
    return await network.listen(address, tls);
  } catch (error) {
    throw listenFailure(error, `Listener ${address.name}`, address);
  }
}
function listenFailure(error: unknown, what: string, address: { readonly host: string; readonly port: number }): BrokerError {
  const code = error instanceof Error && "code" in error ? error.code : "";
  const where = `${address.host === "" ? "all interfaces" : address.host}, port ${address.port}`;
  if (code === "EADDRINUSE") return new BrokerError("PORT_IN_USE", `${what} (${where}): the port is in use`, error);
  const why = error instanceof Error ? error.message : String(error);
  return new BrokerError("LISTEN_FAILED", `${what} (${where}): ${why}`, error);
}
function advertisedEndpoints(config: BrokerConfig, bound: readonly BoundListener[]): { name: string; host: string; port: number }[] {
  return config.advertised.map(({ name, host, port }) => ({
    name,
    host,
    port: port === 0 ? (bound.find((listener) => listener.name === name)?.port ?? 0) : port,
  }));
}
function endpoints(config: BrokerConfig, bound: readonly BoundListener[], listener: string): readonly BrokerEndpoint[] {
  const own = advertisedEndpoints(config, bound).find(({ name }) => name === listener);
  return own === undefined ? [] : [{ nodeId: config.nodeId, host: own.host, port: own.port, rack: config.rack }];
}
