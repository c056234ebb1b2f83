/** Starts and stops connectors and tasks on this worker, and remembers what it has started. */
import type { Logger } from "#broker/base/logger";
import { type ConfigState, taskConfigOf, targetOf } from "../store/config-state.ts";
import type { ConfigMap, TargetState, TaskId, Worker } from "../worker/types.ts";
import type { Work } from "./connect-protocol.ts";
import type { Running } from "./plan.ts";
import { taskKey } from "./work-set.ts";

export interface RunnerOptions {
  readonly worker: Worker;
  readonly log: Logger;
  /** A connector has reached its target state. */
  readonly connectorStarted: (name: string, target: TargetState) => void;
  /** Before a task starts, e.g. fencing of its predecessors; ends early when `unwanted` is aborted. Throws: the task fails. */
  readonly beforeTask: (id: TaskId, connectorConfig: ConfigMap, unwanted: AbortSignal) => Promise<void>;
  readonly taskFailed: (id: TaskId, error: unknown) => void;
  readonly connectorFailed: (name: string, error: unknown) => void;
}

export class WorkRunner implements Running {
  readonly connectors = new Map<string, ConfigMap>();
  readonly tasks = new Map<string, { id: TaskId; generation: number; unwanted: AbortController }>();
  readonly #options: RunnerOptions;
  /** Starts under way; a stop waits for them. */
  readonly #starting = new Map<string, Promise<void>>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }
  /** Does not wait for plugins: a slow start must not hold up the others. */
  start(work: Work, state: ConfigState): void {
    for (const name of work.connectors) this.startConnector(name, state);
    for (const id of work.tasks) this.startTask(id, state);
  }
  startConnector(name: string, state: ConfigState): void {
    const config = state.connectors.get(name);
    if (config === undefined) return;
    const target = targetOf(state, name);
    this.connectors.set(name, config);
    this.#begin(
      name,
      async () => {
        await this.#options.worker.startConnector(name, config, target);
        if (this.connectors.get(name) === config) this.#options.connectorStarted(name, target);
      },
      (error) => this.#options.connectorFailed(name, error),
    );
  }
  startTask(id: TaskId, state: ConfigState): void {
    const connectorConfig = state.connectors.get(id.connector);
    const config = taskConfigOf(state, id);
    if (connectorConfig === undefined || config === null) return;
    const key = taskKey(id);
    const started = { id, generation: state.taskGenerations.get(id.connector) ?? 0, unwanted: new AbortController() };
    this.tasks.set(key, started);
    this.#begin(
      `task ${key}`,
      async () => {
        await this.#options.beforeTask(id, connectorConfig, started.unwanted.signal);
        if (this.tasks.get(key) !== started) return;
        const count = state.taskCounts.get(id.connector) ?? 1;
        await this.#options.worker.startTask(id, connectorConfig, config, count, targetOf(state, id.connector));
      },
      (error) => {
        if (this.tasks.get(key) === started) this.#options.taskFailed(id, error);
      },
    );
  }
  #begin(key: string, start: () => Promise<void>, failed: (error: unknown) => void): void {
    const before = this.#starting.get(key) ?? Promise.resolve();
    const begun = before
      .then(start)
      .catch((error: unknown) => failed(error))
      .finally(() => {
        if (this.#starting.get(key) === begun) this.#starting.delete(key);
      });
    this.#starting.set(key, begun);
  }
  /** Resolves when all of it has stopped. What does not run here is ignored. */
  async stop(work: Work): Promise<void> {
    await Promise.all([...work.connectors.map((name) => this.stopConnector(name)), this.stopTasks(work.tasks)]);
  }
  async stopConnector(name: string): Promise<void> {
    if (!this.connectors.delete(name)) return;
    try {
      await this.#options.worker.stopConnector(name);
      // A start that was under way when the stop came has ended by now, or ends at once: the connector is told to stop again.
      if (this.#starting.has(name)) {
        await this.#starting.get(name);
        if (this.#options.worker.connectors().includes(name)) await this.#options.worker.stopConnector(name);
      }
    } catch (error) {
      this.#options.log.error(`connector ${name} did not stop: ${String(error)}`);
    }
  }
  async stopTasks(ids: readonly TaskId[]): Promise<void> {
    for (const id of ids) this.tasks.get(taskKey(id))?.unwanted.abort();
    const mine = ids.filter((id) => this.tasks.delete(taskKey(id)));
    if (mine.length === 0) return;
    await Promise.all(mine.map((id) => this.#starting.get(`task ${taskKey(id)}`) ?? Promise.resolve()));
    try {
      await this.#options.worker.stopTasks(mine);
    } catch (error) {
      this.#options.log.error(`tasks ${mine.map(taskKey).join(", ")} did not stop: ${String(error)}`);
    }
  }
  /** Tells a connector and its tasks here about a new target state; STOPPED ends tasks by taking them away instead. */
  async setTarget(name: string, target: TargetState): Promise<void> {
    const { worker } = this.#options;
    const tasks = target === "STOPPED" ? [] : [...this.tasks.values()].filter(({ id }) => id.connector === name);
    await Promise.all(tasks.map(({ id }) => worker.setTaskTarget(id, target)));
    if (this.connectors.has(name)) await worker.setConnectorTarget(name, target);
  }
}
