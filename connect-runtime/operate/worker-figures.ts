/** Figures of the worker as such that no snapshot has: starts that went well or not, rebalances. */
import type { Clock } from "#broker/base/clock";
import type { MembershipEvents } from "../herder/membership.ts";
import type { ExecutionState, Worker, WorkerListener } from "../worker/types.ts";
import type { RebalanceFigures, StartCounts } from "./metrics.ts";

interface Tally {
  success: number;
  failure: number;
}
export class WorkerFigures {
  readonly #clock: Clock;
  readonly #connectors: Tally = { success: 0, failure: 0 };
  readonly #tasks: Tally = { success: 0, failure: 0 };
  /** What has reported a state since its start: only the first one tells how the start went. */
  readonly #started = new Set<string>();
  #rebalancingSinceMs: number | null = null;
  #completed = 0;
  #lastMs: number | null = null;
  #timeMsMax = 0;
  #timeMsTotal = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }
  starts(): StartCounts {
    return { connectors: { ...this.#connectors }, tasks: { ...this.#tasks } };
  }
  rebalance(protocol: string, leader: string | null, epoch: number): RebalanceFigures {
    return {
      protocol,
      leader: leader ?? "",
      epoch,
      rebalancing: this.#rebalancingSinceMs !== null,
      completed: this.#completed,
      lastMsAgo: this.#lastMs === null ? null : this.#clock.monotonic() - this.#lastMs,
      timeMsMax: this.#timeMsMax,
      timeMsTotal: this.#timeMsTotal,
    };
  }
  /** Listens in on what the worker reports to its herder. */
  observe(worker: Worker): void {
    const start = worker.start.bind(worker);
    worker.start = (listener) => start(this.#counting(listener));
  }
  #counting(listener: WorkerListener): WorkerListener {
    return {
      connectorState: (name, state, trace) => {
        this.#count(this.#connectors, `connector ${name}`, state);
        listener.connectorState(name, state, trace);
      },
      taskState: (id, state, trace) => {
        this.#count(this.#tasks, `task ${id.connector}-${id.task}`, state);
        listener.taskState(id, state, trace);
      },
      reconfigurationRequested: (name) => listener.reconfigurationRequested(name),
      topicUsed: (name, topic, task) => listener.topicUsed(name, topic, task),
    };
  }
  #count(tally: Tally, key: string, state: ExecutionState): void {
    if (state === "UNASSIGNED" || state === "DESTROYED" || state === "RESTARTING") {
      this.#started.delete(key);
      return;
    }
    if (this.#started.has(key)) return;
    this.#started.add(key);
    if (state === "FAILED") tally.failure++;
    else tally.success++;
  }
  observed(events: MembershipEvents): MembershipEvents {
    return {
      ...events,
      rebalancing: () => {
        this.#rebalancingSinceMs ??= this.#clock.monotonic();
        events.rebalancing();
      },
      assigned: async (assignment, generation, memberId) => {
        const now = this.#clock.monotonic();
        const tookMs = this.#rebalancingSinceMs === null ? 0 : now - this.#rebalancingSinceMs;
        this.#rebalancingSinceMs = null;
        this.#completed++;
        this.#lastMs = now;
        this.#timeMsMax = Math.max(this.#timeMsMax, tookMs);
        this.#timeMsTotal += tookMs;
        await events.assigned(assignment, generation, memberId);
      },
    };
  }
}
