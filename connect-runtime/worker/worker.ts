/** The worker: runs the connectors and tasks that the herder gives it, and tells the herder how they fare. */
import { creationGroups } from "./topic-creation.ts";
import type { BackfillCommand } from "../api/backfill.ts";
import type { ConnectorPlugin } from "../api/connector.ts";
import { ConfigError, ConnectError } from "../api/errors.ts";
import { layeredOffsetStore } from "../store/offset-layered.ts";
import { topicOffsetStore } from "../store/offset-topic.ts";
import { adminConfig, offsetClientConfigs } from "./client-config.ts";
import { type ConfigResolver, createConfigResolver } from "./config-resolver.ts";
import { alterSinkOffsets, alterSourceOffsets, resetSinkOffsets, sinkOffsets } from "./connector-offsets.ts";
import { ConnectorRunner } from "./connector-runner.ts";
import { missingClass } from "./converters.ts";
import { RestartPolicy } from "./restart-policy.ts";
import { declaredSecrets } from "./declared-secrets.ts";
import { hidingLogger } from "./hiding-logger.ts";
import { hiding, scrubber, secretValues } from "./secrets.ts";
import { numberOf, withPrefix } from "./settings.ts";
import { TaskRunner } from "./task-runner.ts";
import { type Placement, TaskThreads } from "./task-threads.ts";
import { traceOf } from "./trace.ts";
import { isExactlyOnce } from "./transactional-commits.ts";
import type {
  ConfigMap,
  OffsetEntry,
  OffsetStore,
  RequestedOffset,
  TargetState,
  TaskId,
  TaskSnapshot,
  Worker,
  WorkerDeps,
  WorkerListener,
} from "./types.ts";

const taskKey = (id: TaskId): string => `${id.connector}-${id.task}`;
const deaf: WorkerListener = { connectorState: () => {}, taskState: () => {}, reconfigurationRequested: () => {}, topicUsed: () => {} };

class TaskWorker implements Worker {
  readonly #config: ConfigMap;
  readonly #deps: WorkerDeps;
  readonly #threads: TaskThreads;
  readonly #connectors = new Map<string, ConnectorRunner>();
  readonly #tasks = new Map<string, TaskRunner>();
  readonly #ownStores = new Map<string, Promise<OffsetStore>>();
  #resolver: ConfigResolver | null = null;
  #listener: WorkerListener = deaf;

  constructor(config: ConfigMap, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#threads = new TaskThreads(config, deps.clock);
  }
  async start(listener: WorkerListener): Promise<void> {
    this.#listener = listener;
    this.#resolver = await createConfigResolver(this.#deps.catalog, this.#config);
    await this.#deps.offsets.start();
  }
  async startConnector(name: string, raw: ConfigMap, target: TargetState): Promise<void> {
    if (this.#connectors.has(name)) throw new ConnectError(`Connector with name ${name} already exists`);
    let runner: ConnectorRunner;
    let hidden = scrubber(raw, raw);
    try {
      const config = await this.#resolve(raw);
      hidden = scrubber(raw, config, await declaredSecrets(this.#deps.catalog, config));
      const plugin = await this.#plugin(config);
      // Kafka Connect finds mistakes in them here, not when the first topic is needed.
      if (plugin.kind === "source") creationGroups(this.#config, config);
      if (this.#connectors.has(name)) throw new ConnectError(`Connector with name ${name} already exists`);
      runner = new ConnectorRunner({
        name,
        plugin,
        raw,
        config,
        clock: this.#deps.clock,
        log: hidingLogger(this.#log({ connector: name }), hidden),
        state: (state, trace) => this.#listener.connectorState(name, state, trace === null ? null : hidden(trace)),
        reconfigurationRequested: () => this.#listener.reconfigurationRequested(name),
      });
    } catch (error) {
      this.#listener.connectorState(name, "FAILED", hidden(traceOf(error)));
      return;
    }
    this.#connectors.set(name, runner);
    await runner.target(target);
  }
  async stopConnector(name: string): Promise<void> {
    const runner = this.#connectors.get(name);
    if (runner === undefined) return;
    await runner.stop();
    this.#connectors.delete(name);
  }
  async setConnectorTarget(name: string, target: TargetState): Promise<void> {
    await this.#connectors.get(name)?.target(target);
  }
  connectors(): readonly string[] {
    return [...this.#connectors.keys()];
  }
  async taskConfigs(name: string): Promise<readonly ConfigMap[]> {
    const runner = this.#connectors.get(name);
    if (runner === undefined) throw new ConnectError(`Connector ${name} not found in this worker.`);
    return runner.taskConfigs();
  }
  async startTask(id: TaskId, rawConnector: ConfigMap, rawTask: ConfigMap, taskCount: number, target: TargetState): Promise<void> {
    if (this.#tasks.has(taskKey(id))) throw new ConnectError(`Task already exists in this worker: ${taskKey(id)}`);
    const runner = new TaskRunner({
      id,
      graceMs: numberOf(this.#config, "task.shutdown.graceful.timeout.ms", 5_000),
      clock: this.#deps.clock,
      log: this.#log({ connector: id.connector, task: id.task }),
      listener: this.#listener,
    });
    this.#tasks.set(taskKey(id), runner);
    try {
      const connectorConfig = await this.#resolve(rawConnector);
      const taskConfig = await this.#resolve(rawTask);
      const plugin = await this.#plugin(connectorConfig);
      this.#refuseTooMany(id, connectorConfig, taskCount);
      const store = plugin.kind === "source" ? await this.#storeOf(id.connector, connectorConfig) : this.#deps.offsets;
      const { threadModules: modules } = this.#deps;
      const resolved = { ...connectorConfig, ...taskConfig };
      const secrets = secretValues({ ...rawConnector, ...rawTask }, resolved, await declaredSecrets(this.#deps.catalog, resolved));
      const data = { kind: plugin.kind, connectorConfig, taskConfig, workerConfig: this.#config, secrets, target };
      runner.launch({
        threads: this.#threads,
        modules,
        store,
        data,
        placement: placementOf(plugin, connectorConfig),
        restarts: new RestartPolicy(this.#config, connectorConfig),
        hidden: hiding(secrets),
      });
    } catch (error) {
      runner.failed(error);
    }
  }
  #refuseTooMany(id: TaskId, config: ConfigMap, taskCount: number): void {
    const max = numberOf(config, "tasks.max", 1);
    if (taskCount <= max || config["tasks.max.enforce"] === "false") return;
    throw new ConnectError(
      `The connector ${id.connector} has generated ${taskCount} tasks, which is greater than ${max}, the maximum number of tasks it is configured to create.`,
      { javaClass: "org.apache.kafka.connect.errors.TooManyTasksException", causeClass: "config" },
    );
  }
  async stopTasks(ids: readonly TaskId[]): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        const runner = this.#tasks.get(taskKey(id));
        if (runner === undefined) return;
        await runner.stop();
        if (this.#tasks.get(taskKey(id)) === runner) this.#tasks.delete(taskKey(id));
      }),
    );
  }
  async setTaskTarget(id: TaskId, target: TargetState): Promise<void> {
    this.#tasks.get(taskKey(id))?.target(target);
    await Promise.resolve();
  }
  async ask(id: TaskId, command: BackfillCommand): Promise<unknown> {
    const runner = this.#tasks.get(taskKey(id));
    if (runner === undefined) throw new ConnectError(`Task ${id.connector}-${id.task} is not running in this worker`);
    return runner.ask(command);
  }
  tasks(): readonly TaskId[] {
    return [...this.#tasks.values()].map((t) => t.id);
  }
  snapshot(): readonly TaskSnapshot[] {
    return [...this.#tasks.values()].map((t) => t.snapshot());
  }
  tellStalled(id: TaskId, reason: string | null): void {
    this.#tasks.get(taskKey(id))?.tellStalled(reason);
  }
  async offsets(name: string, raw: ConfigMap): Promise<readonly OffsetEntry[]> {
    const config = await this.#resolve(raw);
    const plugin = await this.#plugin(config);
    if (plugin.kind === "source") return (await this.#storeOf(name, config)).list(name);
    const admin = await this.#deps.clients.admin(adminConfig(this.#config, config, name));
    try {
      return await sinkOffsets(name, config, admin);
    } finally {
      await admin.close();
    }
  }
  async alterOffsets(name: string, raw: ConfigMap, offsets: readonly RequestedOffset[] | null): Promise<string> {
    const config = await this.#resolve(raw);
    const plugin = await this.#plugin(config);
    if (plugin.kind === "source") return alterSourceOffsets(name, config, plugin, await this.#storeOf(name, config), offsets);
    const admin = await this.#deps.clients.admin(adminConfig(this.#config, config, name));
    try {
      if (offsets === null) return await resetSinkOffsets(name, config, plugin, admin);
      return await alterSinkOffsets(name, config, plugin, admin, offsets);
    } finally {
      await admin.close();
    }
  }
  async close(): Promise<void> {
    await this.stopTasks(this.tasks());
    await Promise.all(this.connectors().map((name) => this.stopConnector(name)));
    await this.#threads.close();
    const own = await Promise.allSettled(this.#ownStores.values());
    for (const store of own) if (store.status === "fulfilled") await store.value.close();
    await this.#deps.offsets.close();
  }
  #log(fields: object): WorkerDeps["log"] {
    return (this.#deps.connectorLog ?? this.#deps.log).child(fields);
  }
  #resolve(config: ConfigMap): Promise<ConfigMap> {
    if (this.#resolver === null) throw new ConnectError("The worker has not been started");
    return this.#resolver.resolve(config);
  }
  async #plugin(config: ConfigMap): Promise<ConnectorPlugin> {
    const className = config["connector.class"] ?? "";
    const plugin = await this.#deps.catalog.connector(className);
    if (plugin === null) throw missingClass("Connector", className);
    return plugin;
  }
  /** The worker's offset store, or the connector's own topic (KIP-618, `offsets.storage.topic`). */
  #storeOf(name: string, config: ConfigMap): Promise<OffsetStore> {
    const topic = config["offsets.storage.topic"];
    if (topic === undefined || topic === "" || topic === this.#config["offset.storage.topic"]) return Promise.resolve(this.#deps.offsets);
    const { admin, producer, consumer } = offsetClientConfigs(this.#config, config, name);
    // Overrides may lead to another cluster, so the topic's name alone does not tell stores apart.
    const key = JSON.stringify([topic, admin, producer, consumer]);
    let store = this.#ownStores.get(key);
    if (store === undefined) {
      store = this.#openStore({ topic, admin, producer, consumer });
      this.#ownStores.set(key, store);
      store.catch(() => this.#ownStores.delete(key));
    }
    return store;
  }
  async #openStore(of: { topic: string; admin: ConfigMap; producer: ConfigMap; consumer: ConfigMap }): Promise<OffsetStore> {
    const store = topicOffsetStore({
      clients: this.#deps.clients,
      topic: of.topic,
      partitions: numberOf(this.#config, "offset.storage.partitions", 25),
      replicationFactor: numberOf(this.#config, "offset.storage.replication.factor", 3),
      topicConfigs: withoutStorage(withPrefix(this.#config, "offset.storage.")),
      setting: "offsets.storage.topic",
      adminConfig: of.admin,
      producerConfig: of.producer,
      consumerConfig: isExactlyOnce(this.#config) ? { ...of.consumer, "isolation.level": "read_committed" } : of.consumer,
      clock: this.#deps.clock,
      log: this.#deps.log,
    });
    await store.start();
    return layeredOffsetStore(store, this.#deps.offsets, this.#deps.log);
  }
}
/** `task.thread` of the connector's configuration, else what the connector says of itself. */
function placementOf(plugin: ConnectorPlugin, config: ConfigMap): Placement {
  // A script may take the heap that its thread has: nobody else is to be in there.
  const scripted = Object.entries(config).some(([key, value]) => /^transforms\..+\.type$/.test(key) && /^(?:.*\.)?script$/i.test(value));
  const asked = scripted ? "own" : (config["task.thread"] ?? plugin.threads ?? "shared");
  if (asked !== "own" && asked !== "shared") throw new ConfigError(`Invalid value ${asked} for configuration task.thread: own or shared`);
  return asked === "own" ? "alone" : "shared";
}
/** `offset.storage.*` holds topic settings beside the store's own. */
function withoutStorage(config: Record<string, string>): Record<string, string> {
  for (const own of ["topic", "partitions", "replication.factor", "file.filename"]) delete config[own];
  return config;
}

export const createWorker = (workerConfig: ConfigMap, deps: WorkerDeps): Worker => new TaskWorker(workerConfig, deps);
