/** Lets one side sleep until the other has news. A notification while nobody waits is kept for the next wait. */
import type { Clock } from "../base/clock.ts";

/** A reason of its own: without one each abort makes a DOMException with a stack trace. */
const OVER = "over";

export class Notifier {
  readonly #clock: Clock;
  #resolve: (() => void) | null = null;
  #pending = false;
  constructor(clock: Clock) {
    this.#clock = clock;
  }
  notify = (): void => {
    if (this.#resolve === null) this.#pending = true;
    else this.#resolve();
  };
  /** Resolves at the next notification, or after `timeoutMs`. One waiter at a time. */
  wait(timeoutMs: number): Promise<void> {
    if (this.#pending || timeoutMs <= 0) {
      this.#pending = false;
      return Promise.resolve();
    }
    // A sleep, not a timer: who waits for records keeps the process alive, also while no broker can be reached.
    const over = new AbortController();
    this.#resolve = () => over.abort(OVER);
    return this.#clock.sleep(timeoutMs, over.signal).then(() => {
      this.#resolve = null;
      this.#pending = false;
    });
  }
}
