/**
 * RUNNING, but nothing arrives: for tasks whose counters stand still it is asked where the source (or the topics) are, and when data
 * has been waiting for `millrace.stalled.ms` meanwhile, they are called stalled in their status and in `/metrics`. One connector at
 * a time is asked, the one that was asked the longest ago; one with nothing to do is asked less and less often.
 */
import type { Clock, Timer } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { TaskId, TaskSnapshot } from "../worker/types.ts";
import { type ConnectorHealth, waitingData } from "./health.ts";
import type { Progress } from "./progress.ts";

export interface StallWatchOptions {
  readonly snapshot: () => readonly TaskSnapshot[];
  readonly progress: (task: TaskSnapshot) => Progress;
  /** Throws where it cannot be told. */
  readonly position: (connector: string) => Promise<ConnectorHealth["position"]>;
  /** Null: the task gets on again. */
  readonly tell: (task: TaskId, stalled: string | null) => void;
  readonly stalledMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}
interface Suspect {
  /** Records that had gone through its tasks, and how far it was when this began. */
  readonly records: number;
  nextLookMs: number;
  pauseMs: number;
  /** What it stood at when data was first seen waiting, and when that was; null: none waits. */
  waiting: { readonly reached: string; readonly sinceMs: number } | null;
  stalled: string | null;
}
const LOOK_MS = 5_000;
const PAUSE_MAX_MS = 600_000;

export class StallWatch {
  readonly #o: StallWatchOptions;
  readonly #suspects = new Map<string, Suspect>();
  #timer: Timer | null = null;
  #closed = false;

  constructor(options: StallWatchOptions) {
    this.#o = options;
  }
  start(): void {
    if (this.#closed) return;
    this.#timer = this.#o.clock.after(Math.min(LOOK_MS, this.#o.stalledMs / 4), () => void this.look().finally(() => this.start()));
  }
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }
  /** What is wrong with the tasks of this connector here; null: nothing that is known. */
  stalled(connector: string): string | null {
    return this.#suspects.get(connector)?.stalled ?? null;
  }
  /** One round: forgets what moves, asks for one of those that stand still. */
  async look(): Promise<void> {
    const { clock, log } = this.#o;
    const tasks = Map.groupBy(this.#o.snapshot(), (t) => t.id.connector);
    for (const name of this.#suspects.keys()) if (!tasks.has(name)) this.#suspects.delete(name);
    for (const [name, own] of tasks) this.#follow(name, own);
    const now = clock.monotonic();
    const [due] = [...this.#suspects].filter(([, s]) => s.nextLookMs <= now).toSorted(([, a], [, b]) => a.nextLookMs - b.nextLookMs);
    if (due === undefined) return;
    const [name, suspect] = due;
    const own = tasks.get(name) ?? [];
    const before = suspect.stalled;
    try {
      this.#judge(suspect, withoutDelivered(await this.#o.position(name), own), this.#quietMs(own));
    } catch (error) {
      suspect.pauseMs = Math.min(PAUSE_MAX_MS, suspect.pauseMs * 2);
      log.debug(`the position of connector ${name} cannot be told: ${String(error)}`);
    }
    suspect.nextLookMs = clock.monotonic() + suspect.pauseMs;
    if (suspect.stalled !== before) for (const { id } of own) this.#o.tell(id, suspect.stalled);
  }
  #quietMs(tasks: readonly TaskSnapshot[]): number {
    return Math.min(...tasks.map((t) => this.#o.progress(t).ageMs));
  }
  /** A connector with tasks that are still is looked at; one that moves, or does not run, is not (any more). */
  #follow(name: string, tasks: readonly TaskSnapshot[]): void {
    const { stalledMs, clock } = this.#o;
    const records = tasks.reduce((sum, t) => sum + this.#o.progress(t).records, 0);
    const suspect = this.#suspects.get(name);
    const quiet = tasks.every((t) => t.state === "RUNNING") && this.#quietMs(tasks) >= stalledMs / 2;
    if (quiet && suspect?.records === records) return;
    if (suspect !== undefined) this.#forget(name, suspect, tasks);
    if (quiet) {
      const look = { nextLookMs: clock.monotonic(), pauseMs: stalledMs / 2 };
      this.#suspects.set(name, { records, ...look, waiting: null, stalled: null });
    }
  }
  #forget(name: string, suspect: Suspect, tasks: readonly TaskSnapshot[]): void {
    this.#suspects.delete(name);
    if (suspect.stalled !== null) for (const { id, state } of tasks) if (state === "RUNNING") this.#o.tell(id, null);
  }
  #judge(suspect: Suspect, position: ConnectorHealth["position"], quietMs: number): void {
    const { stalledMs, clock } = this.#o;
    const data = waitingData(position);
    const now = clock.monotonic();
    if (data === null || position === null) {
      suspect.waiting = null;
      suspect.stalled = null;
      suspect.pauseMs = Math.min(PAUSE_MAX_MS, suspect.pauseMs * 2);
      return;
    }
    suspect.pauseMs = stalledMs / 2;
    const reached = "partitions" in position ? JSON.stringify(position.partitions.map((p) => p.offset)) : reachedBy(position);
    if (suspect.waiting?.reached !== reached) {
      suspect.waiting = { reached, sinceMs: now };
      suspect.stalled = null;
    } else if (now - suspect.waiting.sinceMs >= stalledMs / 2 && quietMs >= stalledMs)
      suspect.stalled ??= `RUNNING, but nothing has moved for ${Math.round(quietMs / 1000)} s although ${data}`;
  }
}
/** What a sink has, but has not committed yet, waits for nothing but the next commit. */
function withoutDelivered(position: ConnectorHealth["position"], tasks: readonly TaskSnapshot[]): ConnectorHealth["position"] {
  if (position === null || !("lagRecords" in position)) return position;
  const delivered = tasks.reduce((sum, t) => sum + (t.counters["sink-record-active-count"] ?? 0), 0);
  return { ...position, lagRecords: Math.max(0, position.lagRecords - delivered) };
}
const reachedBy = ({ position, reached }: { readonly position: string | null; readonly reached?: string | null }): string =>
  JSON.stringify([position, reached ?? null]);
