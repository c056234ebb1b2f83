/** A Connect worker put together: stores, worker, herder, REST. The only place of this folder that knows all parts. */
import { hostname } from "node:os";
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Random } from "#broker/base/random";
import type { Admin, ClientConfig, KafkaClients } from "#broker/client/types";
import type { RawConfig } from "./api/config.ts";
import { addThirdParty, catalog, connectorClasses } from "./catalog/catalog.ts";
import { refusal, validateConnector, type ValidationOptions } from "./catalog/validate.ts";
import { clientConfig, type DistributedSettings, type Listener, type StorageTopic, type WorkerConfig } from "./config.ts";
import { HerderCommands } from "./herder/commands.ts";
import { type HerderLoop, type HerderStores, openHerderLoop } from "./herder/distributed.ts";
import { badRequest, RestError } from "./herder/errors.ts";
import { ZombieFencing } from "./herder/fencing.ts";
import { LoneMembership } from "./herder/lone-membership.ts";
import { WorkerMembership } from "./herder/membership.ts";
import type { Herder, PostedConfig } from "./herder/types.ts";
import type { WorkerRequest } from "./herder/worker-client.ts";
import { ProgressWatch } from "./operate/progress.ts";
import { StallWatch, type StallWatchOptions } from "./operate/stall-watch.ts";
import { WorkerFigures } from "./operate/worker-figures.ts";
import { openAudit } from "./rest/audit.ts";
import { LogLevels } from "./rest/log-levels.ts";
import type { Operations } from "./rest/operations.ts";
import { openSecrets, type Secrets } from "./rest/secrets.ts";
import { openRest, type RestServer } from "./rest/server.ts";
import { tlsMaterial } from "./rest/tls.ts";
import { workerRequest } from "./rest/worker-request.ts";
import type { ConfigChange } from "./store/config-state.ts";
import { openConfigStore } from "./store/config.ts";
import { memoryConfigStore, memoryStatusStore } from "./store/memory.ts";
import { fileOffsetStore } from "./store/offset-file.ts";
import { topicOffsetStore } from "./store/offset-topic.ts";
import { SkippedRecords } from "./store/skipped-records.ts";
import { openStatusStore } from "./store/status.ts";
import { type ConfigResolver, createConfigResolver } from "./worker/config-resolver.ts";
import { listOf, stalledMsOf } from "./worker/settings.ts";
import type { ConfigMap, OffsetStore, ThirdPartyPlugin, Worker } from "./worker/types.ts";
import { createWorker } from "./worker/worker.ts";

export interface ConnectDeps {
  readonly clients: KafkaClients;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A level was changed through REST. */
  readonly setLogLevel: (level: string) => void;
}
export interface RunningConnect {
  /** `http://host:port`, as clients on this machine reach it. */
  readonly url: string;
  readonly herder: Herder;
  readonly worker: Worker;
  close(): Promise<void>;
}
const COMMIT = "millrace-0.1.0";
/** The Kafka Connect that this one stands for. */
const VERSION = "4.1.0";

/** What REST answers with, as far as it is there yet. */
interface Answering {
  herder: Herder | null;
  operations: Operations | null;
  resolver: ConfigResolver | null;
}
interface Front {
  readonly config: WorkerConfig;
  readonly deps: ConnectDeps;
  readonly levels: LogLevels;
  readonly requestWorker: WorkerRequest;
  readonly secrets: Secrets;
  readonly answering: Answering;
  readonly validation: ValidationOptions;
}
const resolverOf = async ({ config, answering }: Pick<Front, "config" | "answering">): Promise<ConfigResolver> =>
  (answering.resolver ??= await createConfigResolver(catalog, config.raw));

/** Resolves when REST answers and the worker runs what its group gave it. Throws ConnectError, KafkaError or a listen error. */
export async function startConnect(config: WorkerConfig, deps: ConnectDeps): Promise<RunningConnect> {
  const { log, clock } = deps;
  if (config.unknownKeys.length > 0) log.warn(`settings that the worker does not know: ${config.unknownKeys.join(", ")}`);
  const answering: Answering = { herder: null, operations: null, resolver: null };
  const resolve = async (raw: RawConfig): Promise<RawConfig> => resolvePosted(await resolverOf({ config, answering }), raw);
  const front: Front = {
    config,
    deps,
    answering,
    levels: new LogLevels(config.logLevel, clock, (name, level) => name === "root" && deps.setLogLevel(level.toLowerCase())),
    requestWorker: workerRequest(config.advertisedScheme === "https" ? tlsMaterial(config.raw, "listeners.https.") : null),
    secrets: openSecrets(config.raw["millrace.rest.secrets"] === "visible"),
    validation: { worker: config, resolve },
  };
  const audit = openAudit({ config: config.raw, clients: deps.clients, clock, log });
  const rest = await openRest({
    ...front,
    versions: { version: VERSION, commit: COMMIT },
    herder: () => answering.herder,
    operations: () => answering.operations,
    validate: (posted) => validateConnector(posted, front.validation),
    audit: audit.audit,
    ...(config.login ? { guard: (await import("./rest/access.ts")).openGuard(config.raw, process.env) } : {}),
    log,
  });
  try {
    const running = await startWorker(front, rest);
    return {
      url: `${rest.listener.scheme}://${local(rest.listener)}:${rest.port}`,
      herder: running.herder,
      worker: running.worker,
      async close() {
        await rest.close();
        await running.close();
        await audit.close();
      },
    };
  } catch (error) {
    await rest.close();
    throw error;
  }
}
async function startWorker(front: Front, rest: RestServer): Promise<Pick<RunningConnect, "herder" | "worker" | "close">> {
  const { config, deps, levels, requestWorker, secrets, answering, validation } = front;
  const { clock, log } = deps;
  const advertised = `${config.advertisedHost ?? hostOf(rest.listener)}:${config.advertisedPort ?? rest.port}`;
  const figures = new WorkerFigures(clock);
  const skipped = new SkippedRecords(log);
  const plugins = await thirdPartyPlugins(config, log);
  const worker = createWorker(config.raw, {
    clients: deps.clients,
    catalog,
    threadModules: { catalog: new URL("./catalog/catalog.ts", import.meta.url).href, plugins },
    offsets: offsetStore(config, deps, skipped),
    clock,
    log,
  });
  figures.observe(worker);
  const progress = new ProgressWatch(() => worker.snapshot(), clock);
  const [clusterId, loop, { openOperations }, { positionOf }] = await Promise.all([
    clusterIdOf(config, deps),
    openLoop({ config, deps, worker, advertised, levels, requestWorker, figures, skipped }),
    import("./operate/operations.ts"),
    import("./operate/connector-health.ts"),
  ]);
  const herder = new HerderCommands({
    loop,
    clusterId,
    validate: async (posted: PostedConfig) => {
      const refused = refusal(await validateConnector(posted, validation));
      if (refused !== null) throw badRequest(refused);
    },
    fencing: config.exactlyOnceSource === "enabled" ? new ZombieFencing(loop, config.groupId, () => admin(config, deps)) : null,
  });
  answering.herder = herder;
  progress.start();
  const resolve = async (raw: ConfigMap): Promise<ConfigMap> => (await resolverOf(front)).resolve(raw);
  const stalls = stallWatch(worker, progress, deps, config, (name) =>
    positionOf({ herder, clients: deps.clients, workerConfig: config.raw, resolve }, name),
  );
  stalls.start();
  const { membership } = loop;
  answering.operations = openOperations({
    herder,
    worker,
    workerConfig: config.raw,
    clients: deps.clients,
    classes: connectorClasses,
    secrets,
    resolve,
    requestWorker,
    workerId: advertised,
    scheme: config.advertisedScheme,
    progress,
    skipped,
    starts: () => figures.starts(),
    rebalance: () => figures.rebalance(config.distributed?.protocol ?? "standalone", membership.leaderUrl, membership.generation),
    stalls,
    clock,
    log,
  });
  return {
    herder,
    worker,
    close() {
      progress.close();
      stalls.close();
      return loop.close();
    },
  };
}

const stallWatch = (
  worker: Worker,
  progress: ProgressWatch,
  { clock, log }: ConnectDeps,
  config: WorkerConfig,
  position: StallWatchOptions["position"],
): StallWatch =>
  new StallWatch({
    snapshot: () => worker.snapshot(),
    progress: (task) => progress.of(task),
    position,
    tell: (id, reason) => worker.tellStalled(id, reason),
    stalledMs: stalledMsOf(config.raw),
    clock,
    log,
  });
/** What lies on `plugin.path`, made known to this thread. */
async function thirdPartyPlugins(config: WorkerConfig, log: Logger): Promise<readonly ThirdPartyPlugin[]> {
  const path = listOf(config.raw, "plugin.path");
  if (path.length === 0) return [];
  const { plugins, problems } = await (await import("./catalog/third-party.ts")).findThirdParty(path);
  for (const problem of problems) log.warn(problem);
  for (const { kind, classes, version, module } of plugins) log.info(`plugin ${classes.join(", ")} (${kind} ${version}) from ${module}`);
  addThirdParty(plugins);
  return plugins;
}
/** References are resolved for validation; null values stay what they are. */
async function resolvePosted(resolver: ConfigResolver, raw: RawConfig): Promise<RawConfig> {
  const strings: Record<string, string> = {};
  for (const [key, value] of Object.entries(raw)) if (value !== null) strings[key] = value;
  try {
    return { ...raw, ...(await resolver.resolve(strings)) };
  } catch (error) {
    throw new RestError(500, error instanceof Error ? error.message : String(error), error);
  }
}
function hostOf(listener: Listener): string {
  return listener.host === "" || listener.host === "0.0.0.0" || listener.host === "::" ? hostname() : listener.host;
}
function local(listener: Listener): string {
  const host = listener.host === "" || listener.host === "0.0.0.0" || listener.host === "::" ? "127.0.0.1" : listener.host;
  return host.includes(":") ? `[${host}]` : host;
}
function clientId(config: WorkerConfig, purpose: string): string {
  return config.raw["client.id"] ?? `${config.groupId}-${purpose}`;
}
const admin = (config: WorkerConfig, deps: ConnectDeps): Promise<Admin> =>
  deps.clients.admin(clientConfig(config.raw, "admin.", clientId(config, "shared-admin")));

async function clusterIdOf(config: WorkerConfig, deps: ConnectDeps): Promise<string | null> {
  const client = await admin(config, deps);
  try {
    return await client.clusterId();
  } finally {
    await client.close();
  }
}

/** Clients of the worker's own topics. */
function storeClients(
  config: WorkerConfig,
  purpose: string,
): { adminConfig: ClientConfig; producerConfig: ClientConfig; consumerConfig: ClientConfig } {
  const id = clientId(config, purpose);
  return {
    adminConfig: clientConfig(config.raw, "admin.", id),
    producerConfig: {
      ...clientConfig(config.raw, "producer.", id),
      acks: "all",
      "delivery.timeout.ms": "2147483647",
      "linger.ms": "0",
    },
    consumerConfig: { ...clientConfig(config.raw, "consumer.", id), "auto.offset.reset": "earliest" },
  };
}
const newTopic = (
  topic: StorageTopic,
): { name: string; partitions: number; replicationFactor: number; configs: Readonly<Record<string, string>> } => ({
  ...topic,
});
function offsetStore(config: WorkerConfig, deps: ConnectDeps, skipped: SkippedRecords): OffsetStore {
  const { distributed } = config;
  if (distributed === null) return fileOffsetStore(config.offsetFile ?? "connect.offsets");
  const topic = distributed.offsetTopic;
  const clients = storeClients(config, "offsets");
  // An offset of an aborted transaction must not be read: the records before it were aborted with it.
  const isolation = config.exactlyOnceSource === "enabled" ? { "isolation.level": "read_committed" } : {};
  return topicOffsetStore({
    ...clients,
    consumerConfig: { ...clients.consumerConfig, ...isolation },
    clients: deps.clients,
    topic: topic.name,
    partitions: topic.partitions,
    replicationFactor: topic.replicationFactor,
    topicConfigs: topic.configs,
    setting: "offset.storage.topic",
    skipped,
    clock: deps.clock,
    log: deps.log,
  });
}
async function openStores(
  config: WorkerConfig,
  settings: DistributedSettings | null,
  deps: ConnectDeps & { readonly skipped: SkippedRecords },
  changed: (change: ConfigChange) => void,
): Promise<HerderStores> {
  if (settings === null) return { config: memoryConfigStore(changed), statuses: memoryStatusStore() };
  const [configs, statuses] = await Promise.all([
    openConfigStore({
      ...deps,
      ...storeClients(config, "configs"),
      topic: newTopic(settings.configTopic),
      transactionalId: config.exactlyOnceSource === "disabled" ? null : `connect-cluster-${config.groupId}`,
      changed,
    }),
    openStatusStore({ ...deps, ...storeClients(config, "statuses"), topic: newTopic(settings.statusTopic) }),
  ]);
  return { config: configs, statuses };
}
interface LoopParts {
  readonly config: WorkerConfig;
  readonly deps: ConnectDeps;
  readonly worker: Worker;
  readonly advertised: string;
  readonly levels: LogLevels;
  readonly requestWorker: WorkerRequest;
  readonly figures: WorkerFigures;
  readonly skipped: SkippedRecords;
}
function openLoop({ config, deps, worker, advertised, levels, requestWorker, figures, skipped }: LoopParts): Promise<HerderLoop> {
  const settings = config.distributed;
  const url = `${config.advertisedScheme}://${advertised}/`;
  return openHerderLoop({
    worker,
    openStores: (changed) => openStores(config, settings, { ...deps, skipped }, changed),
    membership: (configState, refreshConfig, events) =>
      settings === null
        ? new LoneMembership(url, configState, figures.observed(events))
        : new WorkerMembership({
            ...deps,
            groupId: config.groupId,
            clientConfig: {
              ...clientConfig(config.raw, "admin.", clientId(config, "worker")),
              "session.timeout.ms": String(settings.sessionTimeoutMs),
              "rebalance.timeout.ms": String(settings.rebalanceTimeoutMs),
              "heartbeat.interval.ms": String(settings.heartbeatIntervalMs),
            },
            settings,
            url,
            configState,
            refreshConfig,
            events: figures.observed(events),
          }),
    classes: connectorClasses,
    workerId: advertised,
    settings,
    trackTopics: config.topicTracking,
    requestWorker,
    loggerLevel: (namespace, level) => void levels.set(namespace, level),
    clock: deps.clock,
    random: deps.random,
    log: deps.log,
  });
}
