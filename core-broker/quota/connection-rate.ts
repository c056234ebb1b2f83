/** Rates at which connections may come (KIP-612): of all, of a listener, of an address. */
import type { Clock } from "../base/clock.ts";
import type { QuotaImage } from "../controller/image.ts";
import { connectionRateOf } from "./quota-limits.ts";
import { type RateWindows, SampledRate } from "./sampled-rate.ts";

export interface ConnectionRateOptions {
  readonly clock: Clock;
  readonly windows: RateWindows;
  readonly quotas: () => ReadonlyMap<string, QuotaImage>;
  /** max.connection.creation.rate of all (null) or of a listener; a very large number: none. */
  readonly rateMax: (listener: string | null) => number;
}
const ADDRESSES_MAX = 10_000;
const NO_BOUND = 2_147_483_647;

export class ConnectionRate {
  readonly #options: ConnectionRateOptions;
  readonly #rates = new Map<string, SampledRate>();
  constructor(options: ConnectionRateOptions) {
    this.#options = options;
  }
  /** Milliseconds until the next connection of this listener may be taken in; at most one window. The connection counts. */
  arrive(listener: string): number {
    let waitMs = 0;
    for (const name of [null, listener]) {
      const bound = this.#options.rateMax(name);
      if (bound < NO_BOUND) waitMs = Math.max(waitMs, this.#record(name === null ? "all" : `listener ${name}`, bound));
    }
    return Math.min(waitMs, this.#options.windows.sizeMs);
  }
  /** Milliseconds after which a connection of this address has to be closed; 0: it is welcome. A refused one does not count. */
  arriveFrom(address: string): number {
    const quotas = this.#options.quotas();
    const bound = quotas.size === 0 ? null : connectionRateOf(quotas, address);
    if (bound === null) return 0;
    const waitMs = this.#record(`address ${address}`, bound);
    if (waitMs > 0) this.#rates.get(`address ${address}`)?.record(-1, this.#options.clock.now());
    return Math.min(waitMs, this.#options.windows.sizeMs);
  }
  #record(key: string, bound: number): number {
    const nowMs = this.#options.clock.now();
    let rate = this.#rates.get(key);
    if (rate === undefined) {
      const [oldest] = this.#rates.keys();
      if (this.#rates.size >= ADDRESSES_MAX && oldest !== undefined) this.#rates.delete(oldest);
      this.#rates.set(key, (rate = new SampledRate(this.#options.windows)));
    }
    rate.record(1, nowMs);
    return rate.throttleMs(bound, nowMs);
  }
}
