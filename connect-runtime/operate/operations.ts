/** The operations of REST that go beyond Kafka Connect, put together. */
import type { Clock } from "#broker/base/clock";
import type { Admin, KafkaClients } from "#broker/client/types";
import { type ConnectorClasses } from "../herder/reads.ts";
import { notFound, RestError } from "../herder/errors.ts";
import type { ConnectorStateInfo, Herder } from "../herder/types.ts";
import type { WorkerRequest } from "../herder/worker-client.ts";
import type { Operations } from "../rest/operations.ts";
import type { RestRequest } from "../rest/route.ts";
import type { Secrets } from "../rest/secrets.ts";
import { adminConfig } from "../worker/client-config.ts";
import type { SkippedRecords } from "../store/skipped-records.ts";
import type { ConfigMap, Worker } from "../worker/types.ts";
import { cleanedUp, cleanupAdminConfig } from "./cleanup.ts";
import { browseDeadLetters, type DeadLetterContext, replayDeadLetters } from "./dead-letters.ts";
import { type ConnectorHealth, judged, type TaskHealth, taskHealth } from "./health.ts";
import { metricsText, type RebalanceFigures, type StartCounts } from "./metrics.ts";
import { inThread } from "./preview.ts";
import { consumerConfig, hidingOf, pluginAnswers, told } from "./plugin-answers.ts";
import { stalledMsOf } from "../worker/settings.ts";
import type { ProgressWatch } from "./progress.ts";
import { imported, rewound } from "./rewind.ts";
import { sinkLag } from "./sink-lag.ts";

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
  readonly clock: Clock;
}
const ASK_TIMEOUT_MS = 10_000;

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
    rewind: (name, offsets) => rewound(herder, name, offsets, sleep),
    async metrics() {
      const { register, collectDefaultMetrics } = await import("prom-client");
      if (register.getSingleMetric("process_cpu_user_seconds_total") === undefined) collectDefaultMetrics();
      const text = metricsText({
        tasks: options.worker.snapshot(),
        progress: (task) => options.progress.of(task),
        connectors: options.worker.connectors().flatMap((name) => connectorFigures(options, name)),
        starts: options.starts(),
        rebalance: options.rebalance(),
        skipped: options.skipped.counts(),
        uptimeMs: clock.monotonic() - startedMs,
        nowMs: clock.now(),
        stalledMs: stalledMsOf(workerConfig),
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
async function connectorHealth(options: OperationsOptions, name: string, local: boolean, request: RestRequest): Promise<ConnectorHealth> {
  const { herder, worker, progress, workerId } = options;
  const { type } = herder.info(name);
  const status = await statusOf(herder, name);
  const snapshots = new Map(worker.snapshot().flatMap((s) => (s.id.connector === name ? [[s.id.task, s]] : [])));
  const own = status.tasks
    .filter((t) => !local || t.worker_id === workerId)
    .map((t) => {
      const snapshot = t.worker_id === workerId ? snapshots.get(t.id) : undefined;
      return taskHealth(t, snapshot, snapshot === undefined ? null : progress.of(snapshot), options.clock.now());
    });
  const tasks = local ? own : await withOthers(options, name, own, request);
  let position: ConnectorHealth["position"] = null;
  const reasons: string[] = [];
  if (!local && type !== "unknown") {
    try {
      position = await positionOf(options, name, type);
    } catch (error) {
      const hide = await hidingOf(herder.config(name), options.resolve);
      reasons.push(`its position cannot be told: ${hide(error instanceof Error ? error.message : String(error))}`);
    }
  }
  for (const { topic, partition, offset, why } of options.skipped.of(name))
    reasons.push(`a record that is meant for it was skipped: topic ${topic}, partition ${partition}, offset ${offset} ${why}`);
  const judgement = judged(status, tasks, position, stalledMsOf(options.workerConfig));
  return { name, type, verdict: judgement.verdict, reasons: [...judgement.reasons, ...reasons], position, tasks };
}
/** A connector that was just created has none yet. */
async function statusOf(herder: Herder, name: string): Promise<ConnectorStateInfo> {
  try {
    return herder.status(name);
  } catch (error) {
    if (!(error instanceof RestError) || error.status !== 404 || !herder.connectors().includes(name)) throw notFoundIf(error, name);
    const { type } = herder.info(name);
    return { name, connector: { state: "UNASSIGNED", worker_id: "" }, tasks: [], type };
  }
}
const notFoundIf = (error: unknown, name: string): unknown =>
  error instanceof RestError ? error : notFound(`Connector ${name} not found ${String(error)}`);

/** Figures of tasks that other workers have, asked there; without them where a worker does not answer. */
async function withOthers(
  options: OperationsOptions,
  name: string,
  tasks: readonly TaskHealth[],
  request: RestRequest,
): Promise<readonly TaskHealth[]> {
  const others = [...new Set(tasks.filter((t) => t.worker_id !== options.workerId && t.worker_id !== "").map((t) => t.worker_id))];
  const authorization = request.headers["authorization"];
  const answers = await Promise.allSettled(
    others.map(async (id) => {
      const url = `${options.scheme}://${id}/connectors/${encodeURIComponent(name)}/health?local=true`;
      const answer = await options.requestWorker("GET", url, authorization === undefined ? {} : { authorization }, null, ASK_TIMEOUT_MS);
      const body: { readonly tasks?: readonly TaskHealth[] } = answer.status === 200 ? JSON.parse(answer.body) : {};
      return body.tasks ?? [];
    }),
  );
  const known = new Map(answers.flatMap((a) => (a.status === "fulfilled" ? a.value.map((t) => [t.id, t] as const) : [])));
  return tasks.map((t) => known.get(t.id) ?? t);
}
async function positionOf(options: OperationsOptions, name: string, type: "source" | "sink"): Promise<ConnectorHealth["position"]> {
  const config = await options.resolve(options.herder.config(name));
  if (type === "sink") {
    const admin = await options.clients.admin(adminConfig(options.workerConfig, config, `${name}-health`));
    try {
      return await sinkLag(name, config, admin);
    } finally {
      await admin.close();
    }
  }
  const [first] = await options.herder.offsets(name);
  return inThread({ kind: "diagnosis", config, ask: { method: "position", offset: first?.offset ?? null } }, options.workerConfig);
}
