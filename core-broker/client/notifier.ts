/** Lets one side sleep until the other has news. A notification while nobody waits is kept for the next wait. */
import type { Clock } from "../base/clock.ts";

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
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#resolve = null;
        this.#pending = false;
        resolve();
      };
      // Not `clock.after`: a consumer that waits for records keeps its process alive through its sockets.
      const timer = this.#clock.after(timeoutMs, done);
      this.#resolve = done;
    });
  }
}
