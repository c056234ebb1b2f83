/** Time, injected everywhere so that tests and the simulation own it. */
export interface Timer {
  cancel(): void;
}
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, with fractions. */
  monotonic(): number;
  /** One-shot. The timer never keeps the process alive by itself. */
  after(delayMs: number, run: () => void): Timer;
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(handle);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const handle = setTimeout(done, delayMs);
      signal?.addEventListener("abort", done);
    }),
};
