/**
 * Client quotas (KIP-13, KIP-124, KIP-546, KIP-599): what clients use is counted, and who is above its quota is told to wait
 * and not read from meanwhile. Nothing is counted while the cluster has no quota.
 */
import type { Clock } from "../base/clock.ts";
import type { QuotaImage } from "../controller/image.ts";
import { limitOf, type QuotaKind, type QuotaLimit } from "./quota-limits.ts";
import { type RateWindows, SampledRate, TokenBucket } from "./sampled-rate.ts";

/** Whose use is counted. */
export interface QuotaClient {
  readonly principal: { readonly name: string };
  readonly clientId: string | null;
}
export interface ClientQuotasOptions {
  readonly clock: Clock;
  /** The metadata, of the moment. */
  readonly image: () => { readonly offset: number; readonly quotas: ReadonlyMap<string, QuotaImage> };
  readonly windows: RateWindows;
  readonly mutationWindows: RateWindows;
}
/** As Kafka forgets sensors that nobody used for an hour. */
const IDLE_MS = 3_600_000;
const KEPT_MAX = 10_000;

export class ClientQuotas {
  readonly #options: ClientQuotasOptions;
  readonly #rates = new Map<string, SampledRate>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #limits = new Map<string, QuotaLimit | null>();
  #limitsOffset = -1;
  constructor(options: ClientQuotasOptions) {
    this.#options = options;
  }
  /** false: there is no quota at all. */
  get active(): boolean {
    return this.#options.image().quotas.size > 0;
  }
  /** Bytes of a produce request; milliseconds to wait. */
  produce(client: QuotaClient, bytes: number): number {
    return this.#recordRate("produce", client, bytes);
  }
  /** Bytes of a fetch answer; when it has to wait, it is sent without records and its bytes do not count. */
  fetch(client: QuotaClient, bytes: number): number {
    const throttleMs = this.#recordRate("fetch", client, bytes);
    if (throttleMs > 0) this.#recordRate("fetch", client, -bytes);
    return throttleMs;
  }
  /** No answer may be larger than what the quota allows in all windows. */
  fetchBytesMax(client: QuotaClient): number {
    const limit = this.active ? this.#limit("fetch", client) : null;
    const { count, sizeMs } = this.#options.windows;
    return limit === null ? Number.MAX_SAFE_INTEGER : Math.max(1, limit.bound * (count - 1) * (sizeMs / 1000));
  }
  /** `busyMs` of the one thread that answers requests, as per cent of a second; waits are bounded by one window. */
  request(client: QuotaClient, busyMs: number): number {
    return Math.min(this.#recordRate("request", client, busyMs / 10), this.#options.windows.sizeMs);
  }
  /**
   * Partitions that a client wants to create or delete. Strict: what does not fit is refused (`throttleMs` above 0 and nothing
   * counted); else everything is done and the client waits afterwards.
   */
  mutate(client: QuotaClient, partitions: number, strict: boolean): number {
    const limit = this.active ? this.#limit("mutation", client) : null;
    if (limit === null) return 0;
    const nowMs = this.#options.clock.now();
    let bucket = this.#buckets.get(limit.sharedBy);
    if (bucket === undefined) {
      forgetIdle(this.#buckets, nowMs);
      this.#buckets.set(limit.sharedBy, (bucket = new TokenBucket(this.#options.mutationWindows, limit.bound, nowMs)));
    }
    const throttleMs = bucket.throttleMs(limit.bound, nowMs);
    if (strict && throttleMs > 0) return throttleMs;
    bucket.take(partitions, limit.bound, nowMs);
    return strict ? 0 : bucket.throttleMs(limit.bound, nowMs);
  }

  #recordRate(kind: QuotaKind, client: QuotaClient, value: number): number {
    const limit = this.active ? this.#limit(kind, client) : null;
    if (limit === null) return 0;
    const nowMs = this.#options.clock.now();
    let rate = this.#rates.get(limit.sharedBy);
    if (rate === undefined) {
      forgetIdle(this.#rates, nowMs);
      this.#rates.set(limit.sharedBy, (rate = new SampledRate(this.#options.windows)));
    }
    rate.record(value, nowMs);
    return rate.throttleMs(limit.bound, nowMs);
  }
  #limit(kind: QuotaKind, client: QuotaClient): QuotaLimit | null {
    const image = this.#options.image();
    if (image.offset !== this.#limitsOffset || this.#limits.size > KEPT_MAX) {
      this.#limits.clear();
      this.#limitsOffset = image.offset;
    }
    const user = client.principal.name;
    const clientId = client.clientId ?? "";
    const key = `${kind}\n${user}\n${clientId}`;
    let limit = this.#limits.get(key);
    if (limit === undefined) this.#limits.set(key, (limit = limitOf(image.quotas, kind, user, clientId)));
    return limit;
  }
}
function forgetIdle(kept: Map<string, { readonly lastMs: number }>, nowMs: number): void {
  if (kept.size < KEPT_MAX) {
    for (const [key, { lastMs }] of kept) {
      if (nowMs - lastMs < IDLE_MS) break;
      kept.delete(key);
    }
    return;
  }
  // A flood of client ids: the oldest one starts afresh.
  const [oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
}
