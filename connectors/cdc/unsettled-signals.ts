/** Signals of channels that changed what offsets carry: they are dealt with when a restart would find the change. */
import type { SourceOffset } from "#connect/api/record";
import type { AtOrBefore } from "./schema-history/history.ts";
import type { SignalHandler } from "./signal-handler.ts";
import type { Signal } from "./signals.ts";

export interface SignalServing {
  readonly handler: Pick<SignalHandler, "served">;
  readonly incremental: { readonly active: boolean } | null;
  /** Asked when the signal has been served: which durable offsets have what it changed. */
  readonly settles: () => (durable: SourceOffset) => boolean;
}
/**
 * Offsets later than `current`, the one that records carry now: those of records that were on their way when the signal came are
 * durable afterwards, too, and do not have what it changed. Of the same position are those whose list of tables is another one.
 */
export function laterThan(current: SourceOffset, atOrBefore: AtOrBefore): (durable: SourceOffset) => boolean {
  const tables = current[TABLES];
  return (durable) => !atOrBefore(durable, current) || (atOrBefore(current, durable) && durable[TABLES] !== tables);
}
const TABLES = "incremental_snapshot_collections";
interface Waiting {
  readonly settles: (durable: SourceOffset) => boolean;
  readonly done: () => void;
  readonly stopped: (error: Error) => void;
}
/** Of the whole life of a task: a stream that is opened again still carries what was asked for before. */
export class UnsettledSignals {
  #waiting: readonly Waiting[] = [];
  #closed = false;

  /** Resolves when a durable offset has what the signal changed; at once for signals that change none. Rejects when the task stops. */
  async served(signal: Signal, { handler, incremental, settles }: SignalServing): Promise<void> {
    const active = (): boolean => incremental?.active === true;
    const wasActive = active();
    await handler.served(signal);
    if (!/^(execute|stop)-snapshot$/.test(signal.type) || !(wasActive || active())) return;
    if (this.#closed) throw stoppedBefore();
    const each = settles();
    await new Promise<void>((done, stopped) => {
      this.#waiting = [...this.#waiting, { settles: each, done, stopped }];
    });
  }
  durable(offset: SourceOffset): void {
    if (this.#waiting.length === 0) return;
    const left: Waiting[] = [];
    for (const each of this.#waiting) {
      if (each.settles(offset)) each.done();
      else left.push(each);
    }
    this.#waiting = left;
  }
  /** The task stops: nobody says any more what is durable. */
  close(): void {
    this.#closed = true;
    for (const each of this.#waiting) each.stopped(stoppedBefore());
    this.#waiting = [];
  }
}
const stoppedBefore = (): Error => new Error("the task was stopped before an offset with its change was stored");
