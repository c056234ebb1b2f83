/** Durations in buckets that grow by a fifth: quantiles to within 10 %, a fixed size, one increment per value. */
const GROWTH = 1.2;
const SMALLEST_MS = 0.01;
const BUCKETS = 110; // up to some 4 million milliseconds
const LOG_GROWTH = Math.log(GROWTH);
const QUANTILES: readonly number[] = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999];

export class TimeHistogram {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;
  record(ms: number): void {
    const at = ms <= SMALLEST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / SMALLEST_MS) / LOG_GROWTH));
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
    this.#count++;
  }
  get count(): number {
    return this.#count;
  }
  /** Of everything recorded; 0 where there is nothing. */
  quantiles(): Map<number, number> {
    const found = new Map<number, number>();
    for (const quantile of QUANTILES) found.set(quantile, this.#quantile(quantile));
    return found;
  }
  #quantile(quantile: number): number {
    if (this.#count === 0) return 0;
    let left = quantile * this.#count;
    for (const [at, count] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0) return Number((SMALLEST_MS * GROWTH ** (at - 0.5)).toPrecision(3));
    }
    return SMALLEST_MS * GROWTH ** BUCKETS;
  }
}
