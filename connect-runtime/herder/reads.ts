/** Answers that need no decision: what the stores say, in the shapes of Kafka Connect's REST API. */
import { type ConfigState, taskConfigOf, tasksOf } from "../store/config-state.ts";
import type { StatusStore } from "../store/status.ts";
import type { ConfigMap, TaskId } from "../worker/types.ts";
import { notFound } from "./errors.ts";
import { stateInfo, taskStateInfo } from "./plan.ts";
import type { ConnectorInfo, ConnectorStateInfo, ConnectorType, TaskInfo, TaskStateInfo } from "./types.ts";
import { taskKey } from "./work-set.ts";

/** What the catalogue knows of a class without loading it. */
export interface ConnectorClasses {
  typeOf(className: string): ConnectorType;
  /** Null: unknown class. */
  versionOf(className: string): string | null;
}
export class HerderReads {
  readonly #state: () => ConfigState;
  readonly #statuses: StatusStore;
  readonly #classes: ConnectorClasses;
  constructor(state: () => ConfigState, statuses: StatusStore, classes: ConnectorClasses) {
    this.#state = state;
    this.#statuses = statuses;
    this.#classes = classes;
  }
  type(config: ConfigMap | undefined): ConnectorType {
    const className = config?.["connector.class"];
    return className === undefined ? "unknown" : this.#classes.typeOf(className);
  }
  version(connector: string): string | null {
    const className = this.#state().connectors.get(connector)?.["connector.class"];
    return className === undefined ? null : this.#classes.versionOf(className);
  }
  connectors(): string[] {
    return [...this.#state().connectors.keys()];
  }
  config(name: string): ConfigMap {
    const config = this.#state().connectors.get(name);
    if (config === undefined) throw notFound(`Connector ${name} not found`);
    return config;
  }
  info(name: string, config: ConfigMap = this.config(name)): ConnectorInfo {
    return { name, config, tasks: tasksOf(this.#state(), name), type: this.type(config) };
  }
  tasks(name: string): TaskInfo[] {
    this.config(name);
    const state = this.#state();
    return tasksOf(state, name).map((id) => ({ id, config: taskConfigOf(state, id) ?? {} }));
  }
  status(name: string): ConnectorStateInfo {
    const connector = this.#statuses.connector(name);
    if (connector === null) throw notFound(`No status found for connector ${name}`);
    return {
      name,
      connector: stateInfo(connector),
      tasks: this.#statuses.tasks(name).map(({ id, status }) => taskStateInfo(id, status)),
      type: this.type(this.#state().connectors.get(name)),
    };
  }
  taskStatus(id: TaskId): TaskStateInfo {
    const status = this.#statuses.task(id);
    if (status === null) throw notFound(`No status found for task ${taskKey(id)}`);
    return taskStateInfo(id, status);
  }
  topics(name: string): string[] {
    return this.#statuses.topics(name).map((t) => t.topic);
  }
}
