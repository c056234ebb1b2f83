/** The operations of REST that go beyond Kafka Connect, put together. */
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Admin, KafkaClients } from "#broker/client/types";
import { type ConnectorClasses } from "../herder/reads.ts";
import { RestError } from "../herder/errors.ts";
import type { Herder } from "../herder/types.ts";
import type { WorkerRequest } from "../herder/worker-client.ts";
import type { Operations } from "../rest/operations.ts";
import type { Secrets } from "../rest/secrets.ts";
import { adminConfig } from "../worker/client-config.ts";
import type { SkippedRecords } from "../store/skipped-records.ts";
import type { ConfigMap, Worker } from "../worker/types.ts";
import { cleanedUp, cleanupAdminConfig } from "./cleanup.ts";
import { connectorHealth } from "./connector-health.ts";
import { DeadLetterWatch, type Queue, queueOf } from "./dead-letter-figures.ts";
import { browseDeadLetters, type DeadLetterContext, replayDeadLetters } from "./dead-letters.ts";
import { metricsText, type RebalanceFigures, type StartCounts } from "./metrics.ts";
import { askedOf } from "./backfills.ts";
import { consumerConfig, pluginAnswers, told } from "./plugin-answers.ts";
import { stalledMsOf } from "../worker/settings.ts";
import type { ProgressWatch } from "./progress.ts";
import { imported, rewound } from "./rewind.ts";
import type { StallWatch } from "./stall-watch.ts";

export interface OperationsOptions {
  readonly herder: Herder;
  readonly worker: Worker;
  readonly workerConfig: ConfigMap;
  readonly clients: KafkaClients;
  readonly classes: ConnectorClasses;
  readonly secrets: Secrets;
  /** `${provider:…}` references resolved. */
  readonly resolve: (config: ConfigMap) => Promise<ConfigMap>;
  readonly requestWorker: WorkerRequest;
  /** `host:port`, as in statuses, and the scheme of the cluster. */
  readonly workerId: string;
  readonly scheme: "http" | "https";
  readonly progress: ProgressWatch;
  /** Of the worker's own topics. */
  readonly skipped: SkippedRecords;
  readonly starts: () => StartCounts;
  readonly rebalance: () => RebalanceFigures;
  readonly stalls: StallWatch;
  readonly clock: Clock;
  readonly log: Logger;
}

export function openOperations(options: OperationsOptions): Operations {
  const { herder, clients, workerConfig, clock } = options;
  const sleep = (ms: number): Promise<void> => clock.sleep(ms);
  const startedMs = clock.monotonic();
  const resolved = async (name: string): Promise<ConfigMap> => options.resolve(herder.config(name));
  const cleanup = {
    herder,
    worker: workerConfig,
    resolve: options.resolve,
    sleep,
    admin: (config: ConfigMap): Promise<Admin> => clients.admin(cleanupAdminConfig(workerConfig, config, config["name"] ?? "")),
  };
  const answers = pluginAnswers(options);
  const queues = new DeadLetterWatch({ admin: (config) => clients.admin(config), clock, log: options.log });
  const deadLetters = async (name: string): Promise<DeadLetterContext> => {
    const config = await resolved(name);
    return { clients, worker: workerConfig, name, config, consumer: consumerConfig(workerConfig, config, name) };
  };
  return {
    health: (name, local, request) => told(() => connectorHealth(options, name, local, request)),
    ...answers.operations,
    deadLetters: (name, request) => told(async () => browseDeadLetters(await deadLetters(name), request)),
    replay: (name, request) => told(async () => replayDeadLetters(await deadLetters(name), request)),
    cleanup: (name, wanted) => answers.of(name, () => cleanedUp(cleanup, name, wanted)),
    exportState: async (name) => {
      const { type, config } = herder.info(name);
      const offsets = await herder.offsets(name);
      return { name, type, config: await options.secrets.config(config), state: herder.status(name).connector.state, offsets };
    },
    importState: (name, offsets) => imported(herder, name, offsets),
    backfills: (name, command) => told(() => askedOf(options, name, command)),
    rewind: (name, offsets) => rewound(herder, name, offsets, sleep),
    async metrics(texts) {
      const { register, collectDefaultMetrics } = await import("prom-client");
      if (register.getSingleMetric("process_cpu_user_seconds_total") === undefined) collectDefaultMetrics();
      const text = metricsText({
        tasks: options.worker.snapshot(),
        progress: (task) => options.progress.of(task),
        stalled: (task) => options.stalls.stalled(task.id.connector) !== null,
        deadLetters: await queues.figures(() => queuesOf(options)),
        connectors: options.worker.connectors().flatMap((name) => connectorFigures(options, name)),
        starts: options.starts(),
        rebalance: options.rebalance(),
        skipped: options.skipped.counts(),
        uptimeMs: clock.monotonic() - startedMs,
        nowMs: clock.now(),
        stalledMs: stalledMsOf(workerConfig),
        texts,
      });
      return { type: register.contentType, text: `${text}${await register.metrics()}` };
    },
  };
}
function connectorFigures(
  { herder, classes }: OperationsOptions,
  name: string,
): { name: string; type: string; className: string; version: string; state: string }[] {
  if (!herder.connectors().includes(name)) return [];
  const { config, type } = herder.info(name);
  const className = config["connector.class"] ?? "";
  return [{ name, type, className, version: classes.versionOf(className) ?? "unknown", state: stateOf(herder, name) }];
}
function stateOf(herder: Herder, name: string): string {
  try {
    return herder.status(name).connector.state;
  } catch (error) {
    if (error instanceof RestError && error.status === 404) return "unassigned";
    throw error;
  }
}
/** Of the connectors that run on this worker, so that a queue is told once in the cluster. */
async function queuesOf({ herder, worker, workerConfig, resolve }: OperationsOptions): Promise<readonly Queue[]> {
  const queues: Queue[] = [];
  for (const connector of worker.connectors()) {
    if (!herder.connectors().includes(connector)) continue;
    const { config: raw, type } = herder.info(connector);
    if (queueOf(type, raw) === null) continue;
    const config = await resolve(raw);
    const topic = queueOf(type, config);
    if (topic !== null) queues.push({ connector, topic, admin: adminConfig(workerConfig, config, connector) });
  }
  return queues;
}
