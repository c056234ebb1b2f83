/**
 * A rate over the last windows, counted as Kafka counts its quotas: windows begin with an event, a rate is never taken over
 * less than all but one of them, so that the first burst is spread and does not count as a rate of its own.
 */
export interface RateWindows {
  /** quota.window.num */
  readonly count: number;
  /** quota.window.size.seconds × 1000 */
  readonly sizeMs: number;
}
interface Sample {
  readonly startMs: number;
  lastMs: number;
  value: number;
}

export class SampledRate {
  readonly #windows: RateWindows;
  #samples: Sample[] = [];
  constructor(windows: RateWindows) {
    this.#windows = windows;
  }
  /** A negative value takes back what was recorded. */
  record(value: number, nowMs: number): void {
    this.#purge(nowMs);
    let current = this.#samples.at(-1);
    if (current === undefined || nowMs - current.startMs >= this.#windows.sizeMs) {
      current = { startMs: nowMs, lastMs: nowMs, value: 0 };
      this.#samples.push(current);
    }
    current.value += value;
    current.lastMs = nowMs;
  }
  /** Per second. */
  measure(nowMs: number): number {
    this.#purge(nowMs);
    let total = 0;
    for (const { value } of this.#samples) total += value;
    return total / (this.spanMs(nowMs) / 1000);
  }
  /** The time over which the rate is taken. */
  spanMs(nowMs: number): number {
    const { count, sizeMs } = this.#windows;
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs);
    const missing = Math.max(0, count - 1 - Math.floor(elapsedMs / sizeMs));
    return Math.max(sizeMs, elapsedMs + missing * sizeMs);
  }
  /** How long nothing more may come until the rate is at `bound` again; 0: it is not above it. */
  throttleMs(bound: number, nowMs: number): number {
    const rate = this.measure(nowMs);
    return rate > bound ? Math.round(((rate - bound) / bound) * this.spanMs(nowMs)) : 0;
  }
  get lastMs(): number {
    return this.#samples.at(-1)?.lastMs ?? Number.NEGATIVE_INFINITY;
  }
  #purge(nowMs: number): void {
    const beforeMs = nowMs - this.#windows.count * this.#windows.sizeMs;
    while ((this.#samples[0]?.lastMs ?? nowMs) <= beforeMs) this.#samples.shift();
  }
}

/** Controller mutations (KIP-599): bursts up to what all windows allow, then the quota's pace. Below zero: throttled. */
export class TokenBucket {
  readonly #burstSeconds: number;
  #tokens: number;
  #lastMs: number;
  constructor(windows: RateWindows, quota: number, nowMs: number) {
    this.#burstSeconds = (windows.count * windows.sizeMs) / 1000;
    this.#tokens = this.#burstSeconds * quota;
    this.#lastMs = nowMs;
  }
  take(tokens: number, quota: number, nowMs: number): void {
    this.#refill(quota, nowMs);
    this.#tokens = Math.min(this.#burstSeconds * quota, this.#tokens - tokens);
  }
  throttleMs(quota: number, nowMs: number): number {
    this.#refill(quota, nowMs);
    return this.#tokens < 0 ? Math.round((-this.#tokens / quota) * 1000) : 0;
  }
  get lastMs(): number {
    return this.#lastMs;
  }
  #refill(quota: number, nowMs: number): void {
    this.#tokens = Math.min(this.#burstSeconds * quota, this.#tokens + (quota * (nowMs - this.#lastMs)) / 1000);
    this.#lastMs = nowMs;
  }
}
