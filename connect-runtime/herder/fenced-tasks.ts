/**
 * Source tasks that were fenced although they are this worker's. A worker that does not get to its heartbeats is taken for dead: another
 * one starts its tasks, which fences the ones that still run here, and when it comes back the group may give them to it again. Whose a
 * task is, is for the group to say: fenced tasks that it leaves here are started again, after a session time-out, in which a worker
 * that is wrong about its membership learns of that.
 */
import type { TaskId, WorkerListener } from "../worker/types.ts";
import type { HerderLoop } from "./distributed.ts";
import { RestError } from "./errors.ts";
import { taskKey } from "./work-set.ts";

const FENCED = /\b(?:ProducerFencedException|InvalidProducerEpochException|PRODUCER_FENCED|INVALID_PRODUCER_EPOCH)\b/;
/** In a row, for the same configuration: more would be a quarrel that time does not settle. */
const STARTS_MAX = 5;
const CONFLICT = 409;

export class FencedTasks {
  readonly #loop: HerderLoop;
  readonly #delayMs: number;
  /** How often each task was started again, and for which generation of its configuration. */
  readonly #starts = new Map<string, { readonly generation: number; readonly count: number }>();

  constructor(loop: HerderLoop, delayMs: number) {
    this.#loop = loop;
    this.#delayMs = delayMs;
  }
  watching(listener: WorkerListener): WorkerListener {
    return {
      ...listener,
      taskState: (id, state, trace) => {
        listener.taskState(id, state, trace);
        if (state === "FAILED" && trace !== null && FENCED.test(trace)) this.#fenced(id);
      },
    };
  }
  #fenced(id: TaskId): void {
    const { clock } = this.#loop.options;
    const key = taskKey(id);
    const started = this.#loop.runner.tasks.get(key);
    if (started === undefined) return;
    clock.after(this.#delayMs, () => {
      // Not while the group rebalances: the queue waits for that, and refuses when it has taken too long to know anything.
      this.#loop.queue
        .submit(() => this.#startAgain(id, started))
        .catch((error: unknown) => {
          if (error instanceof RestError && error.status === CONFLICT) this.#fenced(id);
        });
    });
  }
  async #startAgain(id: TaskId, fenced: object): Promise<void> {
    const { runner, assigned, options } = this.#loop;
    const key = taskKey(id);
    const started = runner.tasks.get(key);
    // Stopped or started by something else since.
    if (started === undefined || started !== fenced || !assigned.tasks.some((t) => taskKey(t) === key)) return;
    const { generation } = started;
    const before = this.#starts.get(key);
    const count = before?.generation === generation ? before.count + 1 : 1;
    if (count > STARTS_MAX) return;
    this.#starts.set(key, { generation, count });
    options.log.warn(`task ${key} was fenced, but the group says that it is this worker's: starting it again`);
    await this.#loop.bounceTask(id);
  }
}
