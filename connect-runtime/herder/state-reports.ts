/** The worker's reports become records of the status store. */
import type { Clock } from "#broker/base/clock";
import type { Status } from "../store/status-records.ts";
import type { StatusStore } from "../store/status.ts";
import type { ExecutionState, TaskId, WorkerListener } from "../worker/types.ts";

export interface ReportOptions {
  readonly statuses: StatusStore;
  /** `host:port` of this worker. */
  readonly workerId: string;
  readonly generation: () => number;
  readonly version: (connector: string) => string | null;
  /** False once a connector's config is gone: its topics are no longer noted. */
  readonly exists: (connector: string) => boolean;
  readonly trackTopics: boolean;
  readonly reconfigurationRequested: (connector: string) => void;
  readonly clock: Clock;
}
/** Final states give way to a newer owner's; a state that only the owner can reach is written as it is. */
const CAUTIOUS: ReadonlySet<ExecutionState> = new Set(["UNASSIGNED", "FAILED"]);
const VERSIONLESS: ReadonlySet<ExecutionState> = new Set(["UNASSIGNED", "RESTARTING", "DESTROYED"]);

export function stateReports(options: ReportOptions): WorkerListener {
  const { statuses } = options;
  const status = (connector: string, state: ExecutionState, trace: string | null): Status => ({
    state,
    trace,
    workerId: options.workerId,
    generation: options.generation(),
    version: VERSIONLESS.has(state) ? null : options.version(connector),
  });
  return {
    connectorState(connector: string, state: ExecutionState, trace: string | null): void {
      const next = status(connector, state, trace);
      if (CAUTIOUS.has(state)) statuses.putConnectorSafe(connector, next);
      else statuses.putConnector(connector, next);
    },
    taskState(id: TaskId, state: ExecutionState, trace: string | null): void {
      const next = status(id.connector, state, trace);
      if (CAUTIOUS.has(state)) statuses.putTaskSafe(id, next);
      else statuses.putTask(id, next);
    },
    reconfigurationRequested: options.reconfigurationRequested,
    topicUsed(connector: string, topic: string, taskId: number): void {
      if (!options.trackTopics || !options.exists(connector) || statuses.topic(connector, topic) !== null) return;
      statuses.putTopic({ topic, connector, task: taskId, discoveredMs: options.clock.now() });
    },
  };
}
