/** What the config topic says, as a fold over its records (KafkaConfigBackingStore's rules, KIP-507/618/745/875). */
import type { ConfigMap, TargetState, TaskId } from "../worker/types.ts";
import type { ConfigRecord, RestartRequest, SessionKey } from "./config-records.ts";

/** An immutable view of the whole. */
export interface ConfigState {
  /** Offset of the next record; workers compare it before they take an assignment. -1: no record yet, as the JVM's workers say it. */
  readonly offset: number;
  readonly sessionKey: SessionKey | null;
  readonly connectors: ReadonlyMap<string, ConfigMap>;
  readonly targets: ReadonlyMap<string, TargetState>;
  readonly taskCounts: ReadonlyMap<string, number>;
  readonly taskConfigs: ReadonlyMap<string, ReadonlyMap<number, ConfigMap>>;
  /** The connector's configuration when its tasks were last committed. */
  readonly applied: ReadonlyMap<string, ConfigMap>;
  /** Connectors whose set of task configs is incomplete (compaction caught a half-written one). */
  readonly inconsistent: ReadonlySet<string>;
  /** How many transactional producers there may be (KIP-618). */
  readonly taskCountRecords: ReadonlyMap<string, number>;
  readonly taskGenerations: ReadonlyMap<string, number>;
  readonly pendingFencing: ReadonlySet<string>;
}
export const EMPTY_CONFIG_STATE: ConfigState = {
  offset: -1,
  sessionKey: null,
  connectors: new Map(),
  targets: new Map(),
  taskCounts: new Map(),
  taskConfigs: new Map(),
  applied: new Map(),
  inconsistent: new Set(),
  taskCountRecords: new Map(),
  taskGenerations: new Map(),
  pendingFencing: new Set(),
};

/** What a record changed, for the herder. */
export type ConfigChange =
  | { readonly kind: "connector-updated" | "connector-removed" | "target-changed"; readonly connector: string }
  | { readonly kind: "tasks-updated"; readonly connector: string; readonly tasks: readonly number[] }
  | { readonly kind: "session-key"; readonly key: SessionKey }
  | { readonly kind: "restart"; readonly request: RestartRequest }
  | { readonly kind: "logger"; readonly namespace: string; readonly level: string };

export function tasksOf(state: ConfigState, connector: string): TaskId[] {
  if (state.inconsistent.has(connector)) return [];
  return Array.from({ length: state.taskCounts.get(connector) ?? 0 }, (_, task) => ({ connector, task }));
}
export const taskConfigOf = (state: ConfigState, id: TaskId): ConfigMap | null => state.taskConfigs.get(id.connector)?.get(id.task) ?? null;
/** A connector without a target state runs. */
export const targetOf = (state: ConfigState, connector: string): TargetState => state.targets.get(connector) ?? "STARTED";

export class ConfigFold {
  #offset = -1;
  #sessionKey: SessionKey | null = null;
  readonly #connectors = new Map<string, ConfigMap>();
  readonly #targets = new Map<string, TargetState>();
  readonly #taskCounts = new Map<string, number>();
  readonly #taskConfigs = new Map<string, Map<number, ConfigMap>>();
  readonly #applied = new Map<string, ConfigMap>();
  readonly #inconsistent = new Set<string>();
  readonly #taskCountRecords = new Map<string, number>();
  readonly #taskGenerations = new Map<string, number>();
  readonly #pendingFencing = new Set<string>();
  /** Task configs that wait for their commit record. */
  readonly #deferred = new Map<string, Map<number, ConfigMap>>();
  #snapshot: ConfigState | null = null;

  snapshot(): ConfigState {
    this.#snapshot ??= {
      offset: this.#offset,
      sessionKey: this.#sessionKey,
      connectors: new Map(this.#connectors),
      targets: new Map(this.#targets),
      taskCounts: new Map(this.#taskCounts),
      taskConfigs: new Map([...this.#taskConfigs].map(([name, tasks]) => [name, new Map(tasks)])),
      applied: new Map(this.#applied),
      inconsistent: new Set(this.#inconsistent),
      taskCountRecords: new Map(this.#taskCountRecords),
      taskGenerations: new Map(this.#taskGenerations),
      pendingFencing: new Set(this.#pendingFencing),
    };
    return this.#snapshot;
  }
  /** `record` null: a record that means nothing, but its offset counts. */
  apply(record: ConfigRecord | null, offset: number): ConfigChange | null {
    this.#snapshot = null;
    this.#offset = offset + 1;
    if (record === null) return null;
    switch (record.kind) {
      case "connector":
        return this.#connector(record.connector, record.properties);
      case "task":
        return this.#task(record.connector, record.task, record.properties);
      case "commit":
        return this.#commit(record.connector, record.tasks);
      case "target":
        return this.#target(record.connector, record.state);
      case "fencing":
        this.#taskCountRecords.set(record.connector, record.taskCount);
        this.#pendingFencing.delete(record.connector);
        return null;
      case "session-key":
        this.#sessionKey = record.key;
        return { kind: "session-key", key: record.key };
      case "restart":
        return { kind: "restart", request: record.request };
      case "logger":
        return { kind: "logger", namespace: record.namespace, level: record.level };
    }
  }
  #connector(connector: string, properties: ConfigMap | null): ConfigChange {
    if (properties !== null) {
      this.#connectors.set(connector, properties);
      if (!this.#targets.has(connector)) this.#targets.set(connector, "STARTED");
      return { kind: "connector-updated", connector };
    }
    this.#connectors.delete(connector);
    this.#taskCounts.delete(connector);
    this.#taskConfigs.delete(connector);
    this.#deferred.delete(connector);
    this.#applied.delete(connector);
    this.#inconsistent.delete(connector);
    return { kind: "connector-removed", connector };
  }
  #target(connector: string, state: TargetState | null): ConfigChange | null {
    if (state === null) {
      this.#targets.delete(connector);
      return null;
    }
    const changed = this.#targets.get(connector) !== state;
    this.#targets.set(connector, state);
    // An initial state comes before its connector: nothing is there to be told.
    return changed && this.#connectors.has(connector) ? { kind: "target-changed", connector } : null;
  }
  #task(connector: string, task: number, properties: ConfigMap | null): null {
    if (properties === null) return null;
    const deferred = this.#deferred.get(connector) ?? new Map<number, ConfigMap>();
    deferred.set(task, properties);
    this.#deferred.set(connector, deferred);
    return null;
  }
  #commit(connector: string, count: number): ConfigChange | null {
    const deferred = this.#deferred.get(connector) ?? new Map<number, ConfigMap>();
    this.#deferred.delete(connector);
    const config = this.#connectors.get(connector);
    // Leftovers of a deleted connector whose tombstone has been compacted away (KAFKA-16838).
    if (config === undefined) return null;
    const complete = Array.from({ length: count }, (_, task) => deferred.has(task)).every(Boolean);
    if (complete) {
      const tasks = this.#taskConfigs.get(connector) ?? new Map<number, ConfigMap>();
      for (const [task, properties] of deferred) tasks.set(task, properties);
      this.#taskConfigs.set(connector, tasks);
      this.#applied.set(connector, config);
      this.#inconsistent.delete(connector);
    } else {
      this.#inconsistent.add(connector);
    }
    this.#taskCounts.set(connector, count);
    this.#taskGenerations.set(connector, (this.#taskGenerations.get(connector) ?? -1) + 1);
    this.#pendingFencing.add(connector);
    return { kind: "tasks-updated", connector, tasks: complete ? [...deferred.keys()] : [] };
  }
}
