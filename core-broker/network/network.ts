/** All listeners of the broker and the connections they accepted: limits on their number, and the sweep of idle ones. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Server as TlsServer, TlsOptions } from "node:tls";
import type { Timer } from "../base/clock.ts";
import { Connection } from "./connection.ts";
import { ConnectionGate } from "./connection-gate.ts";
import { BufferPool } from "../base/buffer-pool.ts";
import { RequestMemory } from "./request-memory.ts";
import { isUntrusted } from "./tls-principal.ts";
import type { ListenerAddress, NetworkDeps } from "./types.ts";

const IDLE_SWEEP_MS = 10_000;
const BACKLOG = 511;
const FINISH_MS_MAX = 300;
const KEPT_BUFFERS_BYTES_MAX = 16 << 20;

export interface BoundListener extends ListenerAddress {
  /** The port that was really opened. */
  readonly port: number;
}

export class Network {
  readonly #deps: NetworkDeps;
  readonly #memory: RequestMemory;
  readonly #buffers = new BufferPool(KEPT_BUFFERS_BYTES_MAX);
  readonly #servers: Server[] = [];
  readonly #tlsServers = new Map<string, TlsServer>();
  readonly #connections = new Set<Connection>();
  readonly #perHost = new Map<string, number>();
  readonly #perListener = new Map<string, number>();
  readonly #gate: ConnectionGate;
  #nextId = 1;
  #sweep: Timer | null = null;
  #warnedFull = false;
  constructor(deps: NetworkDeps) {
    this.#deps = deps;
    this.#memory = new RequestMemory(deps.limits.queuedBytesMax, deps.limits.queuedRequestsOfAllMax);
    this.#gate = new ConnectionGate({
      clock: deps.clock,
      waitMs: (listener) => deps.admission?.arrive(listener) ?? 0,
      isFull: (listener) => this.#isFull(listener),
      admit: (socket, listener) => this.#admit(socket, listener),
    });
  }
  get connectionCount(): number {
    return this.#connections.size;
  }
  /** Of each listener that has some. */
  get connectionsPerListener(): ReadonlyMap<string, number> {
    return this.#perListener;
  }
  /** Since the start. */
  get connectionsSoFar(): number {
    return this.#nextId - 1;
  }
  get queuedRequests(): number {
    return this.#memory.requests;
  }
  /** Bytes of requests that wait or are being assembled. */
  get queuedBytes(): number {
    return this.#memory.bytes;
  }
  /** Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) of the first address that cannot be had. */
  async listen(address: ListenerAddress, tls?: TlsOptions): Promise<BoundListener> {
    const accept = (socket: Socket): void => this.#accept(socket, address);
    const options = { noDelay: true, keepAlive: true, highWaterMark: 1 << 18 };
    const server = tls === undefined ? createServer(options, accept) : this.#tlsServer(address.name, tls, accept);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const where = address.host === "" ? {} : { host: address.host };
      server.listen({ port: address.port, backlog: BACKLOG, ...where }, () => {
        server.off("error", reject);
        server.on("error", (error) => this.#deps.logger.error("listener failed", { listener: address.name, reason: error.message }));
        resolve();
      });
    });
    this.#servers.push(server);
    this.#sweep ??= this.#deps.clock.after(IDLE_SWEEP_MS, () => this.#closeIdle());
    // A TCP server that listens has an AddressInfo.
    return { ...address, port: (server.address() as AddressInfo).port };
  }
  #tlsServer(listener: string, tls: TlsOptions, accept: (socket: Socket) => void): Server {
    const server = process
      .getBuiltinModule("node:tls")
      .createServer(tls, (socket) => (isUntrusted(socket) ? socket.destroy() : accept(socket)));
    server.on("tlsClientError", () => {});
    this.#tlsServers.set(listener, server);
    return server;
  }
  /** For connections from now on; those that are there stay. Throws when there is no key or certificate in it that fits. */
  renewTls(listener: string, tls: TlsOptions): void {
    this.#tlsServers.get(listener)?.setSecureContext(tls);
  }
  async close(): Promise<void> {
    this.#sweep?.cancel();
    this.#gate.close();
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const connection of this.#connections) connection.finish();
    // Who waits for others (a join) or does not read its answer is not waited for.
    const bound = this.#deps.clock.after(FINISH_MS_MAX, () => {
      for (const connection of this.#connections) connection.close();
    });
    await Promise.all(closed);
    bound.cancel();
  }
  #accept(socket: Socket, listener: ListenerAddress): void {
    const { limits, admission } = this.#deps;
    const host = hostOf(socket);
    const perHostMax = limits.connectionsPerIpOverrides.get(host) ?? limits.connectionsPerIpMax;
    if ((this.#perHost.get(host) ?? 0) >= perHostMax) return this.#turnAway(socket, host, 0);
    const closeAfterMs = admission?.arriveFrom(host) ?? 0;
    if (closeAfterMs > 0) return this.#turnAway(socket, host, closeAfterMs);
    this.#gate.arrive(socket, listener);
  }
  /** A later end keeps a client from coming back at once. */
  #turnAway(socket: Socket, peer: string, afterMs: number): void {
    socket.on("error", () => {});
    if (afterMs === 0) socket.destroy();
    else this.#deps.clock.after(afterMs, () => socket.destroy());
    if (!this.#warnedFull)
      this.#deps.logger.warn("connection refused: limit of connections reached", { peer, connections: this.#connections.size });
    this.#warnedFull = true;
  }
  #isFull(listener: string): boolean {
    const { limits } = this.#deps;
    if (this.#connections.size >= limits.connectionsMax) return true;
    return (this.#perListener.get(listener) ?? 0) >= limits.connectionsOfListenerMax(listener);
  }
  #admit(socket: Socket, listener: ListenerAddress): void {
    const host = hostOf(socket);
    count(this.#perHost, host, 1);
    count(this.#perListener, listener.name, 1);
    const connection = new Connection({
      id: this.#nextId++,
      socket,
      listener,
      deps: this.#deps,
      memory: this.#memory,
      buffers: this.#buffers,
      onClose: (closed) => this.#forget(closed, host, listener.name),
    });
    this.#connections.add(connection);
  }
  #forget(connection: Connection, host: string, listener: string): void {
    this.#connections.delete(connection);
    this.#warnedFull = false;
    count(this.#perHost, host, -1);
    count(this.#perListener, listener, -1);
    this.#gate.placeFree();
  }
  #closeIdle(): void {
    const before = this.#deps.clock.monotonic() - this.#deps.limits.idleMsMax;
    for (const connection of this.#connections) {
      if (!connection.active && connection.lastActiveMs < before) connection.close();
    }
    this.#sweep = this.#deps.clock.after(IDLE_SWEEP_MS, () => this.#closeIdle());
  }
}
const hostOf = (socket: Socket): string => (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
function count(counts: Map<string, number>, key: string, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
}
