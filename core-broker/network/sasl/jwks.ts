/**
 * Tokens signed by a key of a JSON web key set (RFC 7517, KIP-768). The set is read when it is first needed and again after
 * `refreshMs`; a key id that it does not have makes it be read at once, but not more often than every ten seconds, so that
 * made-up ids cost nothing. While the set cannot be had, the last one counts.
 */
import { createPublicKey, type KeyObject, type webcrypto } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { checkClaims, type ClaimRules, isSignedBy, parseJwt, refused } from "./jwt.ts";
import type { TokenValidator } from "./mechanism.ts";

const EARLY_REFRESH_MS = 10_000;
const KEYS_MAX = 1000;

export interface JwksOptions {
  readonly url: string;
  readonly refreshMs: number;
  /** sasl.oauthbearer.jwks.endpoint.retry.backoff.ms: the pause after a failure. */
  readonly retryMs: number;
  readonly rules: ClaimRules;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The document at the address; rejects when it cannot be had. */
  readonly read: (url: string) => Promise<string>;
}
interface Key {
  readonly id: string | null;
  readonly key: KeyObject;
}

export function jwksValidator(options: JwksOptions): TokenValidator {
  const set = new KeySet(options);
  return async (token) => {
    const jwt = parseJwt(token);
    const id = typeof jwt.header["kid"] === "string" ? jwt.header["kid"] : null;
    const keys = await set.keys(id);
    if (keys.length === 0) throw refused("its key is not in the key set");
    if (!keys.some(({ key }) => isSignedBy(jwt, key))) throw refused("its signature is wrong");
    return checkClaims(jwt, options.rules, options.clock.now());
  };
}

class KeySet {
  readonly #options: JwksOptions;
  #keys: readonly Key[] = [];
  /** Of the last try, by the monotonic clock. */
  #triedMs = Number.NEGATIVE_INFINITY;
  #failed = false;
  #reading: Promise<void> | null = null;
  constructor(options: JwksOptions) {
    this.#options = options;
  }
  /** Those with the id, or all for a token without. */
  async keys(id: string | null): Promise<readonly Key[]> {
    const { clock, refreshMs, retryMs } = this.#options;
    const age = (): number => clock.monotonic() - this.#triedMs;
    const find = (): readonly Key[] => (id === null ? this.#keys : this.#keys.filter((each) => each.id === id));
    if (age() >= (this.#failed ? retryMs : refreshMs)) await this.#refresh();
    if (find().length === 0 && age() >= EARLY_REFRESH_MS) await this.#refresh();
    return find();
  }
  /** Calls at the same time share one reading. */
  #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }
  async #read(): Promise<void> {
    const { clock, logger, read, url } = this.#options;
    try {
      this.#keys = parseKeys(await read(url));
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      logger.warn("the key set of OAUTHBEARER could not be read; the one before still counts", {
        url,
        keys: this.#keys.length,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
    this.#triedMs = clock.monotonic();
  }
}
/** Keys of other uses or of kinds that we do not know are left out. Throws for what is no key set. */
export function parseKeys(text: string): readonly Key[] {
  const parsed: unknown = JSON.parse(text);
  const list: unknown = typeof parsed === "object" && parsed !== null && "keys" in parsed ? parsed.keys : undefined;
  if (!Array.isArray(list)) throw new Error('not a JSON web key set: there is no array "keys"');
  const keys: Key[] = [];
  for (const jwk of (list satisfies readonly unknown[]).slice(0, KEYS_MAX)) {
    if (!isSigningKey(jwk)) continue;
    try {
      keys.push({ id: "kid" in jwk && typeof jwk.kid === "string" ? jwk.kid : null, key: createPublicKey({ key: jwk, format: "jwk" }) });
    } catch {
      continue; // a kind of key that we cannot verify with
    }
  }
  return keys;
}
const isSigningKey = (jwk: unknown): jwk is webcrypto.JsonWebKey =>
  typeof jwk === "object" && jwk !== null && (!("use" in jwk) || jwk.use === "sig") && "kty" in jwk && jwk.kty !== "oct";
