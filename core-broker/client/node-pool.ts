/**
 * Connections by address and purpose, opened on demand. Purposes have connections of their own because a broker answers one
 * connection's requests in order: a long poll must not hold up a heartbeat. After a failure the next attempt waits
 * (`reconnect.backoff.ms`, doubled up to `reconnect.backoff.max.ms`, with jitter).
 */
import { backoffMs } from "./backoff.ts";
import type { CommonConfig, Endpoint } from "./config.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { ClientDeps } from "./deps.ts";
import type { SecurityConfig } from "./security.ts";
import { networkError } from "./socket.ts";

export type Purpose = "control" | "coordinator" | "fetch" | "produce";
interface Slot {
  open: Connection | null;
  opening: Promise<Connection> | null;
  failures: number;
  /** Monotonic; no attempt before. */
  notBefore: number;
}

export class NodePool {
  readonly #slots = new Map<string, Slot>();
  readonly #config: CommonConfig;
  readonly #security: SecurityConfig;
  readonly #deps: ClientDeps;
  readonly #stopped: AbortSignal;
  /** The most recent answer to "which features has the cluster finalized". */
  features: ReadonlyMap<string, number> = new Map();
  constructor(config: CommonConfig, security: SecurityConfig, deps: ClientDeps, stopped: AbortSignal) {
    this.#config = config;
    this.#security = security;
    this.#deps = deps;
    this.#stopped = stopped;
  }
  /** Null when a request would have to wait for a connection first. */
  ready(endpoint: Endpoint, purpose: Purpose): Connection | null {
    const slot = this.#slots.get(key(endpoint, purpose));
    return slot?.open ?? null;
  }
  /** Waits out the backoff, then connects. Rejects with the connection's error. */
  connection(endpoint: Endpoint, purpose: Purpose): Promise<Connection> {
    const slot = this.#slot(key(endpoint, purpose));
    if (slot.open !== null) return Promise.resolve(slot.open);
    slot.opening ??= this.#connect(endpoint, slot).finally(() => {
      slot.opening = null;
    });
    return slot.opening;
  }
  /** Milliseconds until the address may be tried again; 0: now. */
  waitMs(endpoint: Endpoint, purpose: Purpose): number {
    return Math.max(0, this.#slot(key(endpoint, purpose)).notBefore - this.#deps.clock.monotonic());
  }
  async #connect(endpoint: Endpoint, slot: Slot): Promise<Connection> {
    const wait = slot.notBefore - this.#deps.clock.monotonic();
    if (wait > 0) await this.#deps.clock.sleep(wait, this.#stopped);
    if (this.#stopped.aborted) throw networkError(endpoint, "the client is closed");
    try {
      const connection = await openConnection(endpoint, this.#config, this.#security, this.#deps);
      slot.failures = 0;
      if (this.#stopped.aborted) {
        connection.close();
        throw networkError(endpoint, "the client is closed");
      }
      if (!connection.closed) slot.open = connection;
      if (connection.features.size > 0) this.features = connection.features;
      connection.onClose = (error) => {
        if (slot.open === connection) slot.open = null;
        this.#deps.logger.debug("connection ended", { host: endpoint.host, port: endpoint.port, reason: error.message });
      };
      return connection;
    } catch (error) {
      const wait = backoffMs(this.#deps.random, this.#config.reconnectBackoffMs, this.#config.reconnectBackoffMaxMs, slot.failures++);
      slot.notBefore = this.#deps.clock.monotonic() + wait;
      throw error;
    }
  }
  #slot(name: string): Slot {
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      slot = { open: null, opening: null, failures: 0, notBefore: 0 };
      this.#slots.set(name, slot);
    }
    return slot;
  }
  close(): void {
    for (const slot of this.#slots.values()) slot.open?.close();
    this.#slots.clear();
  }
}
const key = (endpoint: Endpoint, purpose: Purpose): string => `${endpoint.host}:${endpoint.port}/${purpose}`;
