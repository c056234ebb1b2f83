/** What REST asks for, checked and carried out; in the loop wherever a decision depends on the group. */
import { ConnectError } from "../api/errors.ts";
import { taskConfigOf, targetOf } from "../store/config-state.ts";
import type { RestartRequest } from "../store/config-records.ts";
import type { ConfigMap, RequestedOffset, OffsetEntry, TargetState, TaskId } from "../worker/types.ts";
import type { HerderLoop } from "./distributed.ts";
import { badRequest, conflict, ElsewhereError, notFound, RestError } from "./errors.ts";
import type { ZombieFencing } from "./fencing.ts";
import { planRestart, stateInfo, taskStateInfo } from "./plan.ts";
import { verifySignature } from "./session.ts";
import type {
  ConnectorInfo,
  ConnectorStateInfo,
  Created,
  Herder,
  PostedConfig,
  RequestSignature,
  TaskInfo,
  TaskStateInfo,
} from "./types.ts";
import { taskKey } from "./work-set.ts";

export interface CommandOptions {
  readonly loop: HerderLoop;
  readonly clusterId: string | null;
  /** Throws RestError(400) with Kafka's list of errors. */
  readonly validate: (config: PostedConfig) => Promise<void>;
  /** Null: exactly-once for sources is off. */
  readonly fencing: ZombieFencing | null;
}
const DEFAULT_ALGORITHMS: readonly string[] = ["HmacSHA256"];

export class HerderCommands implements Herder {
  readonly #loop: HerderLoop;
  readonly #options: CommandOptions;

  constructor(options: CommandOptions) {
    this.#options = options;
    this.#loop = options.loop;
    const { fencing } = options;
    if (fencing === null) return;
    options.loop.beforeTask = async (id, config, unwanted) => {
      if (options.loop.reads.type(config) === "source") await fencing.fence(id.connector, unwanted);
    };
  }
  ready(): boolean {
    return this.#loop.membership.assignment !== null;
  }
  clusterId(): string | null {
    return this.#options.clusterId;
  }
  connectors(): readonly string[] {
    return this.#loop.reads.connectors();
  }
  info(name: string): ConnectorInfo {
    return this.#loop.reads.info(name);
  }
  config(name: string): ConfigMap {
    return this.#loop.reads.config(name);
  }
  status(name: string): ConnectorStateInfo {
    return this.#loop.reads.status(name);
  }
  taskStatus(id: TaskId): TaskStateInfo {
    return this.#loop.reads.taskStatus(id);
  }
  tasks(name: string): readonly TaskInfo[] {
    return this.#loop.reads.tasks(name);
  }
  topics(name: string): readonly string[] {
    return this.#loop.reads.topics(name);
  }
  resetTopics(name: string): void {
    this.#loop.resetTopics(name);
  }

  async put(name: string, config: PostedConfig, target: TargetState | null, allowReplace: boolean): Promise<Created> {
    await this.#options.validate(config);
    return this.#loop.queue.submit(async () => {
      this.#requireLeader("Only the leader can set connector configs.");
      const store = this.#loop.stores.config;
      const exists = store.snapshot().connectors.has(name);
      if (!allowReplace && exists) throw conflict(`Connector ${name} already exists`);
      const strings = withoutNulls(config);
      await store.putConnector(name, strings, target);
      return { created: !exists, info: this.#loop.reads.info(name, strings) };
    });
  }
  async patch(name: string, patch: PostedConfig): Promise<Created> {
    const patched = await this.#loop.queue.submit(() => {
      this.#requireLeader("Only the leader can patch connector configs.");
      const merged: Record<string, string> = { ...this.#loop.reads.config(name) };
      for (const [key, value] of Object.entries(patch)) {
        if (value === null) delete merged[key];
        else merged[key] = value;
      }
      return merged;
    });
    return this.put(name, patched, null, true);
  }
  remove(name: string): Promise<void> {
    return this.#loop.queue.submit(async () => {
      this.#requireLeader("Only the leader can delete connector configs.");
      this.#loop.reads.config(name);
      await this.#loop.stores.config.removeConnector(name);
    });
  }
  async pause(name: string): Promise<void> {
    this.#requireKnown(name, `Unknown connector ${name}`);
    await this.#loop.stores.config.putTarget(name, "PAUSED");
  }
  async resume(name: string): Promise<void> {
    this.#requireKnown(name, `Unknown connector ${name}`);
    await this.#loop.stores.config.putTarget(name, "STARTED");
  }
  stop(name: string): Promise<void> {
    return this.#loop.queue.submit(async () => {
      this.#requireKnown(name, `Unknown connector ${name}`);
      this.#requireLeader("Only the leader can transition connectors to the STOPPED state.");
      // Tasks first: a running connector without tasks is harmless, a stopped one with tasks is not.
      await this.#loop.stores.config.putTaskConfigs(name, []);
      await this.#loop.stores.config.putTarget(name, "STOPPED");
    });
  }
  restart(name: string): Promise<void> {
    return this.#loop.queue.submit(async () => {
      this.#requireKnown(name, `Unknown connector: ${name}`);
      if (!this.#loop.assigned.connectors.includes(name)) throw this.#notMine("connector", name);
      await this.#loop.bounceConnector(name);
    });
  }
  restartWithTasks(request: RestartRequest): Promise<ConnectorStateInfo> {
    const { connector: name } = request;
    return this.#loop.queue.submit(async () => {
      this.#requireKnown(name, `Unknown connector: ${name}`);
      this.#requireLeader("Only the leader can process restart requests.");
      const { statuses, config } = this.#loop.stores;
      const status = statuses.connector(name);
      const tasks = statuses.tasks(name);
      await config.putRestart(request);
      if (status === null) throw notFound(`Status for connector ${name} not found`);
      const plan = planRestart(request, status, tasks);
      const restarted = new Set(plan.tasks.map(taskKey));
      const answer: ConnectorStateInfo = {
        name,
        connector: stateInfo(status, plan.connector ? "RESTARTING" : status.state),
        tasks: tasks.map(({ id, status: s }) => taskStateInfo(id, s, restarted.has(taskKey(id)) ? "RESTARTING" : s.state)),
        type: this.#loop.reads.type(config.snapshot().connectors.get(name)),
      };
      // Carried out before the answer as far as it is this worker's, so that nobody takes the old state for the new one.
      await this.#loop.handleChanges();
      return answer;
    });
  }
  restartTask(id: TaskId): Promise<void> {
    return this.#loop.queue.submit(async () => {
      this.#requireKnown(id.connector, `Unknown connector: ${id.connector}`);
      const state = this.#loop.stores.config.snapshot();
      if (taskConfigOf(state, id) === null) throw notFound(`Unknown task: ${taskKey(id)}`);
      const mine = this.#loop.assigned.tasks.some((t) => taskKey(t) === taskKey(id));
      if (!mine) throw this.#notMine("task", id);
      await this.#loop.bounceTask(id);
    });
  }

  async offsets(name: string): Promise<readonly OffsetEntry[]> {
    const config = this.#loop.reads.config(name);
    return answered(() => this.#loop.options.worker.offsets(name, config));
  }
  async alterOffsets(name: string, offsets: readonly RequestedOffset[] | null): Promise<string> {
    const config = await this.#loop.queue.submit(async () => {
      this.#requireLeader("Only the leader can process alter or reset offsets requests.");
      await this.#loop.stores.config.refresh();
      const found = this.#loop.reads.config(name);
      const state = this.#loop.stores.config.snapshot();
      if (targetOf(state, name) !== "STOPPED" || (state.taskCounts.get(name) ?? 0) !== 0) throw notStopped(name);
      const { fencing } = this.#options;
      if (fencing !== null && this.#loop.reads.type(found) === "source") await fencing.fenceHere(name);
      return found;
    });
    return answered(() => this.#loop.options.worker.alterOffsets(name, config, offsets));
  }

  async putTaskConfigs(name: string, configs: readonly ConfigMap[], signature: RequestSignature | null): Promise<void> {
    this.#verify(signature);
    await this.#loop.queue.submit(async () => {
      this.#requireLeader("Only the leader may write task configurations.");
      this.#loop.reads.config(name);
      // The owner may not have read yet that the connector was stopped.
      if (targetOf(this.#loop.stores.config.snapshot(), name) === "STOPPED") return;
      await this.#loop.stores.config.putTaskConfigs(name, configs);
    });
  }
  async fence(name: string, signature: RequestSignature | null): Promise<void> {
    this.#verify(signature);
    const { fencing } = this.#options;
    if (fencing === null) throw new RestError(500, "This worker does not have exactly-once source support enabled.");
    await this.#loop.queue.submit(() => fencing.fenceHere(name));
  }
  async setClusterLogLevel(namespace: string, level: string): Promise<void> {
    await this.#loop.stores.config.putLoggerLevel(namespace, level);
  }

  #verify(signature: RequestSignature | null): void {
    if (!this.#loop.sessioned) return;
    verifySignature(signature, this.#loop.sessionKey, this.#loop.options.settings?.verificationAlgorithms ?? DEFAULT_ALGORITHMS);
  }
  #requireLeader(message: string): void {
    if (!this.#loop.isLeader) throw new ElsewhereError(message, this.#loop.membership.leaderUrl);
  }
  #requireKnown(name: string, message: string): void {
    if (!this.#loop.stores.config.snapshot().connectors.has(name)) throw notFound(message);
  }
  /** The leader knows whose it is; others ask the leader. */
  #notMine(what: "connector" | "task", work: string | TaskId): ElsewhereError {
    const message = `Cannot restart ${what} since it is not assigned to this member`;
    return new ElsewhereError(message, this.#loop.isLeader ? this.#loop.membership.ownerUrl(work) : this.#loop.membership.leaderUrl);
  }
}

const notStopped = (name: string): RestError =>
  badRequest(
    "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing " +
      `a 'PUT' request to the '/connectors/${name}/stop' endpoint`,
  );
function withoutNulls(config: PostedConfig): ConfigMap {
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) if (value !== null) out[key] = value;
  return out;
}
const BAD_REQUEST = "org.apache.kafka.connect.runtime.rest.errors.BadRequestException";

/** Errors of plugins and clients become answers: what the caller can mend is 400, the rest 500. */
async function answered<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ConnectError) throw new RestError(error.javaClass === BAD_REQUEST ? 400 : 500, error.message, error);
    throw error;
  }
}
