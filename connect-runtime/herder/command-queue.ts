/** Commands that the herder's one loop runs in order of their time. */
import type { Clock } from "#broker/base/clock";
import { RestError } from "./errors.ts";

interface Command {
  readonly at: number;
  readonly run: () => Promise<void>;
  readonly refuse: (error: Error) => void;
}
/** More than this many waiting commands mean that something is stuck; newcomers are refused. */
const WAITING_MAX = 10_000;

export class CommandQueue {
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #waiting: Command[] = [];
  #closed = false;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }
  /** Resolves with the command's result once the loop has run it. */
  submit<T>(run: () => Promise<T> | T, delayMs = 0): Promise<T> {
    if (this.#closed) return Promise.reject(new RestError(503, "The worker is shutting down"));
    if (this.#waiting.length >= WAITING_MAX) return Promise.reject(new RestError(503, "Too many requests are waiting"));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const at = this.#clock.monotonic() + delayMs;
    const command: Command = {
      at,
      run: async () => {
        try {
          resolve(await run());
        } catch (error) {
          reject(error);
        }
      },
      refuse: reject,
    };
    const place = this.#waiting.findIndex((c) => c.at > at);
    if (place < 0) this.#waiting.push(command);
    else this.#waiting.splice(place, 0, command);
    this.#wake();
    return promise;
  }
  /** The next command that is due. */
  take(): (() => Promise<void>) | null {
    const first = this.#waiting[0];
    if (first === undefined || first.at > this.#clock.monotonic()) return null;
    this.#waiting.shift();
    return first.run;
  }
  /** Refuses commands that have been due for longer than that. */
  refuseAfter(waitedMs: number, error: Error): void {
    const now = this.#clock.monotonic();
    while (this.#waiting[0] !== undefined && this.#waiting[0].at + waitedMs <= now) this.#waiting.shift()?.refuse(error);
  }
  /** Milliseconds until a command is due; null: none waits. */
  nextInMs(): number | null {
    const first = this.#waiting[0];
    return first === undefined ? null : Math.max(0, first.at - this.#clock.monotonic());
  }
  close(): void {
    this.#closed = true;
    for (const command of this.#waiting.splice(0)) command.refuse(new RestError(503, "The worker is shutting down"));
  }
}
