/** `GET /connectors/NAME/health`: what this worker, the others, the source and the queue say, put together. */
import { isBackfillPartition } from "../api/backfill.ts";
import type { Clock } from "#broker/base/clock";
import type { KafkaClients } from "#broker/client/types";
import { notFound, RestError } from "../herder/errors.ts";
import type { ConnectorStateInfo, Herder } from "../herder/types.ts";
import type { WorkerRequest } from "../herder/worker-client.ts";
import type { RestRequest } from "../rest/route.ts";
import type { SkippedRecords } from "../store/skipped-records.ts";
import { adminConfig } from "../worker/client-config.ts";
import { stalledMsOf } from "../worker/settings.ts";
import type { ConfigMap, Worker } from "../worker/types.ts";
import { type DeadLetterFigures, deadLetterFigures, queueOf } from "./dead-letter-figures.ts";
import { type ConnectorHealth, judged, type TaskHealth, taskHealth } from "./health.ts";
import { hidingOf } from "./plugin-answers.ts";
import { inThread } from "./preview.ts";
import type { ProgressWatch } from "./progress.ts";
import { sinkLag } from "./sink-lag.ts";

export interface HealthOptions {
  readonly herder: Herder;
  readonly worker: Worker;
  readonly workerConfig: ConfigMap;
  readonly clients: KafkaClients;
  readonly resolve: (config: ConfigMap) => Promise<ConfigMap>;
  readonly requestWorker: WorkerRequest;
  readonly workerId: string;
  readonly scheme: "http" | "https";
  readonly progress: ProgressWatch;
  readonly skipped: SkippedRecords;
  readonly clock: Clock;
}
const ASK_TIMEOUT_MS = 10_000;

export async function connectorHealth(
  options: HealthOptions,
  name: string,
  local: boolean,
  request: RestRequest,
): Promise<ConnectorHealth> {
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
  const reasons: string[] = [];
  const asked = async <T>(what: string, ask: () => Promise<T | null>): Promise<T | null> => {
    if (local || type === "unknown") return null;
    try {
      return await ask();
    } catch (error) {
      const hide = await hidingOf(herder.config(name), options.resolve);
      reasons.push(`${what} cannot be told: ${hide(error instanceof Error ? error.message : String(error))}`);
      return null;
    }
  };
  const [position, deadLetters] = await Promise.all([
    asked("its position", () => positionOf(options, name)),
    asked("the depth of its dead-letter queue", () => queueFigures(options, name, type)),
  ]);
  for (const { topic, partition, offset, why } of options.skipped.of(name))
    reasons.push(`a record that is meant for it was skipped: topic ${topic}, partition ${partition}, offset ${offset} ${why}`);
  const judgement = judged(status, tasks, position, stalledMsOf(options.workerConfig));
  return {
    name,
    type,
    verdict: judgement.verdict,
    reasons: [...judgement.reasons, ...reasons],
    position,
    dead_letters: deadLetters,
    tasks,
  };
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
  options: HealthOptions,
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
async function queueFigures(
  { herder, clients, workerConfig, resolve }: HealthOptions,
  name: string,
  type: string,
): Promise<DeadLetterFigures | null> {
  const config = await resolve(herder.config(name));
  const topic = queueOf(type, config);
  if (topic === null) return null;
  const admin = await clients.admin(adminConfig(workerConfig, config, `${name}-health`));
  try {
    return (await deadLetterFigures(admin, [topic])).get(topic) ?? null;
  } finally {
    await admin.close();
  }
}
/** Throws where the source or the brokers do not answer. */
export async function positionOf(
  options: Pick<HealthOptions, "herder" | "clients" | "workerConfig" | "resolve">,
  name: string,
): Promise<ConnectorHealth["position"]> {
  const { herder, clients, workerConfig } = options;
  const { type } = herder.info(name);
  const config = await options.resolve(herder.config(name));
  if (type === "unknown") return null;
  if (type === "sink") {
    const admin = await clients.admin(adminConfig(workerConfig, config, `${name}-health`));
    try {
      return await sinkLag(name, config, admin);
    } finally {
      await admin.close();
    }
  }
  const first = (await herder.offsets(name)).find(({ partition }) => !isBackfillPartition(partition));
  return inThread({ kind: "diagnosis", config, ask: { method: "position", offset: first?.offset ?? null } }, workerConfig);
}
