/** Decisions without effects: what to start, stop and restart, given what is known. */
import type { RestartRequest } from "../store/config-records.ts";
import { type ConfigChange, type ConfigState, taskConfigOf, tasksOf } from "../store/config-state.ts";
import type { Status } from "../store/status-records.ts";
import type { ConfigMap, TaskId } from "../worker/types.ts";
import type { Work } from "./connect-protocol.ts";
import type { StateInfo, TaskStateInfo } from "./types.ts";
import { taskKey, WorkSet } from "./work-set.ts";

/** What this worker has started: connectors with the config they got, tasks with the generation of their task configs. */
export interface Running {
  readonly connectors: ReadonlyMap<string, ConfigMap>;
  readonly tasks: ReadonlyMap<string, { readonly id: TaskId; readonly generation: number }>;
}
export interface ConfigChanges {
  /** Offset after the newest change: an assignment made with this offset or a later one knows all of them. */
  readonly offset: number;
  readonly changes: readonly ConfigChange[];
}
export interface ChangePlan {
  /** Connectors or tasks came, went or changed their number, and no assignment has taken that into account. */
  readonly rejoin: boolean;
  readonly stopConnectors: readonly string[];
  readonly startConnectors: readonly string[];
  readonly stopTasks: readonly TaskId[];
  readonly targetsChanged: readonly string[];
}

/** A connector's new config only bounces it where it runs; anything else that changes the set of work needs the group. */
export function planChanges(
  pending: ConfigChanges,
  state: ConfigState,
  known: ConfigState,
  assignedOffset: number,
  assigned: Work,
  running: Running,
): ChangePlan {
  const stopConnectors = new Set<string>();
  const startConnectors = new Set<string>();
  const reconfigured = new Set<string>();
  const targets = new Set<string>();
  let structural = false;
  for (const change of pending.changes) {
    switch (change.kind) {
      case "connector-removed":
        structural ||= known.connectors.has(change.connector);
        if (running.connectors.has(change.connector)) stopConnectors.add(change.connector);
        break;
      case "connector-updated": {
        structural ||= !known.connectors.has(change.connector);
        const mine = assigned.connectors.includes(change.connector) && running.connectors.has(change.connector);
        if (mine && running.connectors.get(change.connector) !== state.connectors.get(change.connector)) {
          stopConnectors.add(change.connector);
          if (state.connectors.has(change.connector)) startConnectors.add(change.connector);
        }
        break;
      }
      case "tasks-updated":
        structural = true;
        reconfigured.add(change.connector);
        break;
      case "target-changed":
        if (state.connectors.has(change.connector)) targets.add(change.connector);
        break;
      default:
    }
  }
  const stopTasks = [...running.tasks.values()]
    .filter(({ id, generation }) => reconfigured.has(id.connector) && generation !== state.taskGenerations.get(id.connector))
    .map(({ id }) => id);
  return {
    rejoin: structural && (assignedOffset < pending.offset || stopTasks.length > 0),
    stopConnectors: [...stopConnectors],
    startConnectors: [...startConnectors],
    stopTasks,
    targetsChanged: [...targets],
  };
}

/** Assigned, but not running yet. */
export function planStart(assigned: Work, running: Running): Work {
  return {
    connectors: assigned.connectors.filter((name) => !running.connectors.has(name)),
    tasks: assigned.tasks.filter((id) => !running.tasks.has(taskKey(id))),
  };
}

/** Running, but by another configuration than the state's. */
export function planOutdated(state: ConfigState, running: Running): Work {
  const connectors = [...running.connectors].filter(
    ([name, config]) => state.connectors.has(name) && state.connectors.get(name) !== config,
  );
  const tasks = [...running.tasks.values()].filter(({ id, generation }) => generation !== (state.taskGenerations.get(id.connector) ?? 0));
  return { connectors: connectors.map(([name]) => name), tasks: tasks.map(({ id }) => id) };
}
export const sameWork = (a: Work, b: Work): boolean => {
  const one = WorkSet.of(a);
  const other = WorkSet.of(b);
  return one.minus(other).size + other.minus(one).size === 0;
};

/** Whether the leader has to write task configs: other configs, another number, or settings outside them that tasks see. */
export function taskConfigsChanged(state: ConfigState, connector: string, configs: readonly ConfigMap[]): boolean {
  if ((state.taskCounts.get(connector) ?? 0) !== configs.length || state.inconsistent.has(connector)) return true;
  if (configs.some((config, task) => !sameConfig(config, taskConfigOf(state, { connector, task })))) return true;
  return !sameConfig(state.connectors.get(connector) ?? {}, state.applied.get(connector) ?? null);
}
export function sameConfig(a: ConfigMap, b: ConfigMap | null): boolean {
  if (b === null) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

export interface RestartPlan {
  readonly connector: boolean;
  readonly tasks: readonly TaskId[];
}
const wanted = (request: RestartRequest, status: Status): boolean => !request.onlyFailed || status.state === "FAILED";

export function planRestart(
  request: RestartRequest,
  connector: Status,
  tasks: readonly { readonly id: TaskId; readonly status: Status }[],
): RestartPlan {
  return {
    connector: wanted(request, connector),
    tasks: request.includeTasks ? tasks.filter((t) => wanted(request, t.status)).map((t) => t.id) : [],
  };
}

export const stateInfo = (status: Status, state: Status["state"] = status.state): StateInfo => ({
  state,
  worker_id: status.workerId,
  ...(status.trace === null ? {} : { trace: status.trace }),
  ...(status.version === null ? {} : { version: status.version }),
});
export const taskStateInfo = (id: TaskId, status: Status, state: Status["state"] = status.state): TaskStateInfo => ({
  id: id.task,
  ...stateInfo(status, state),
});

/** All connectors and tasks that should run somewhere. */
export function configuredWork(state: ConfigState): Work {
  const connectors = [...state.connectors.keys()];
  return { connectors, tasks: connectors.flatMap((name) => tasksOf(state, name)) };
}
