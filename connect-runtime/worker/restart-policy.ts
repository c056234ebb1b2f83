/**
 * When a failed task is started again by itself. What passes (a database that is away) is tried with growing pauses; a bug a few
 * times, because it may need a rare moment; a wrong setting never, and data never: the same record would come again, and what is to
 * be done with it is for `errors.*` to say. A connector's own `task.restart.*` settings go before the worker's.
 */
import type { CauseClass } from "../api/errors.ts";
import { listOf, numberOf } from "./settings.ts";
import type { ConfigMap } from "./types.ts";

const BUGS_MAX = 3;
const DEFAULT_CAUSES = "transient,bug";
const GROWTH = 2;
const JITTER = 0.2;

/** A share from 0 to 1 that is a task's own, and another one for each start. */
export function shareOf(task: string, attempt: number): number {
  let h = attempt;
  for (const c of task) h = (Math.imul(31, h) + (c.codePointAt(0) ?? 0)) | 0;
  return (Math.imul(h, 0x9e3779b1) >>> 0) / 2 ** 32;
}

export class RestartPolicy {
  readonly #causes: ReadonlySet<string>;
  readonly #attemptsMax: number;
  readonly #backoffMs: number;
  readonly #backoffMaxMs: number;
  readonly #resetMs: number;
  /** Restarts in a row. */
  attempts = 0;

  /** Throws ConfigError for values that are no numbers. */
  constructor(workerConfig: ConfigMap, connectorConfig: ConfigMap) {
    const config: ConfigMap = { "task.restart.causes": DEFAULT_CAUSES, ...workerConfig, ...connectorConfig };
    // Never by setting either: with the same configuration the same error comes again.
    this.#causes = new Set(listOf(config, "task.restart.causes").filter((c) => c !== "config"));
    this.#attemptsMax = numberOf(config, "task.restart.attempts.max", 20);
    this.#backoffMs = numberOf(config, "task.restart.backoff.ms", 2_000);
    this.#backoffMaxMs = numberOf(config, "task.restart.backoff.max.ms", 300_000);
    this.#resetMs = numberOf(config, "task.restart.reset.ms", 600_000);
  }
  /**
   * The pause before the next start in ms, up to a fifth longer by `share` (0 to 1), so that tasks which fail together do not all come
   * back at once; null: the task stays FAILED. `ranMs`: how long it had been running.
   */
  next(cause: CauseClass, ranMs: number, share = 0): number | null {
    if (ranMs >= this.#resetMs) this.attempts = 0;
    const max = cause === "bug" ? Math.min(BUGS_MAX, this.#attemptsMax) : this.#attemptsMax;
    if (!this.#causes.has(cause) || this.attempts >= max) return null;
    const pauseMs = Math.min(this.#backoffMaxMs, this.#backoffMs * GROWTH ** this.attempts++);
    return Math.round(pauseMs * (1 + JITTER * share));
  }
}
