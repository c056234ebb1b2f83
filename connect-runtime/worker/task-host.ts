/** What a running task has around it: in a task thread it stands on a MessagePort, in tests on plain functions. */
import type { Hiding } from "./secrets.ts";
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { Random } from "#broker/base/random";
import type { KafkaClients } from "#broker/client/types";
import type { MetricValue } from "../api/connector.ts";
import type { SourceOffset, SourcePartition } from "../api/record.ts";
import type { Counters } from "./counters.ts";
import type { QuestionDesk } from "./questions.ts";
import type { ConfigMap, ExecutionState, OffsetEntry, PluginCatalog, TargetState, TaskId } from "./types.ts";

export interface TaskHost {
  readonly id: TaskId;
  /** Config providers' references are resolved in all three. */
  readonly connectorConfig: ConfigMap;
  readonly taskConfig: ConfigMap;
  readonly workerConfig: ConfigMap;
  /** Takes the configuration's secrets out of a text that others may read. */
  readonly hidden: Hiding;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly clients: KafkaClients;
  readonly catalog: PluginCatalog;
  readonly counters: Counters;
  /** Aborted when the task has to end. */
  readonly stop: AbortSignal;
  readonly target: TargetSwitch;
  readonly questions: QuestionDesk;
  /** Said before each call into plugins: of a thread that dies, whoever said it last is suspected. */
  atWork(): void;
  /** RUNNING and PAUSED only; the end of the task is the outcome of its run function. */
  /** `waitingFor`: why the task is not getting on although it runs (a database that is away); shown as the status's trace. */
  state(state: ExecutionState, waitingFor?: Error): void;
  topicUsed(topic: string): void;
  gauge(name: string, value: MetricValue, labels: Readonly<Record<string, string>>): void;
  readonly offsets: {
    read(partitions: readonly SourcePartition[]): Promise<readonly (SourceOffset | null)[]>;
    write(entries: readonly OffsetEntry[]): Promise<void>;
  };
}

/** The state that the task should be in, and a way to wait for it to change. */
export class TargetSwitch {
  #target: TargetState;
  readonly #waiting = new Set<() => void>();
  /** Called at every change as well. */
  onChange: (() => void) | null = null;

  constructor(target: TargetState) {
    this.#target = target;
  }
  get paused(): boolean {
    return this.#target !== "STARTED";
  }
  set(target: TargetState): void {
    this.#target = target;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    this.onChange?.();
  }
  /** Resolves at the next change, when the signal is aborted, or after `timeoutMs`. */
  changed(clock: Clock, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = clock.after(timeoutMs, done);
      signal.addEventListener("abort", done);
      this.#waiting.add(done);
    });
  }
}
