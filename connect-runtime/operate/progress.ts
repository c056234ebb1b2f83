/** Watches counters of tasks: when each moved last. RUNNING says that a thread is alive, not that anything happens. */
import type { Clock } from "#broker/base/clock";
import type { TaskSnapshot } from "../worker/types.ts";

const LOOK_MS = 2_000;
const MOVING = ["source-record-poll-total", "source-record-write-total", "sink-record-read-total", "sink-record-send-total"] as const;

export interface Progress {
  /** Records that went through the task since it started. */
  readonly records: number;
  /** Milliseconds since the counters moved last, or since the task was first seen; at most 2 s off. */
  readonly ageMs: number;
  /** Nothing has gone through yet. */
  readonly never: boolean;
}
interface Seen {
  sum: number;
  atMs: number;
  never: boolean;
}
export class ProgressWatch {
  readonly #snapshot: () => readonly TaskSnapshot[];
  readonly #clock: Clock;
  readonly #seen = new Map<string, Seen>();
  #timer: { cancel(): void } | null = null;

  constructor(snapshot: () => readonly TaskSnapshot[], clock: Clock) {
    this.#snapshot = snapshot;
    this.#clock = clock;
  }
  start(): void {
    this.#look();
    this.#timer = this.#clock.after(LOOK_MS, () => this.start());
  }
  close(): void {
    this.#timer?.cancel();
  }
  of(task: TaskSnapshot): Progress {
    const seen = this.#note(task);
    const records = (task.counters["source-record-write-total"] ?? 0) + (task.counters["sink-record-send-total"] ?? 0);
    return { records, ageMs: this.#clock.monotonic() - seen.atMs, never: seen.never };
  }
  #look(): void {
    const tasks = this.#snapshot();
    const there = new Set(tasks.map(keyOf));
    for (const key of this.#seen.keys()) if (!there.has(key)) this.#seen.delete(key);
    for (const task of tasks) this.#note(task);
  }
  #note(task: TaskSnapshot): Seen {
    const sum = MOVING.reduce((total, name) => total + (task.counters[name] ?? 0), 0);
    const key = keyOf(task);
    let seen = this.#seen.get(key);
    if (seen === undefined) {
      seen = { sum, atMs: this.#clock.monotonic(), never: sum === 0 };
      this.#seen.set(key, seen);
    } else if (seen.sum !== sum) {
      seen.never = false;
      seen.sum = sum;
      seen.atMs = this.#clock.monotonic();
    }
    return seen;
  }
}
const keyOf = (task: TaskSnapshot): string => `${task.id.connector}-${task.id.task}`;
