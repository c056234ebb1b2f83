/**
 * One connection to one broker: pipelined requests matched by correlation id, versions negotiated by ApiVersions (KIP-35,
 * KIP-511), SASL before anything else is sent. A request that times out closes the connection, as brokers answer in order.
 */
import type { Socket } from "node:net";
import type { Timer } from "../base/clock.ts";
import { ErrorCode, KafkaError, ProtocolError } from "../protocol/errors.ts";
import { decodeResponse, encodeRequestParts } from "../protocol/frame.ts";
import { apiVersions, saslAuthenticate, saslHandshake, type ApiVersionsResponse } from "../protocol/messages/index.ts";
import type { Api, Encodable, RequestOf, ResponseOf } from "../protocol/schema.ts";
import type { CommonConfig, Endpoint } from "./config.ts";
import type { ClientDeps } from "./deps.ts";
import { FrameReader } from "./frame-reader.ts";
import { authenticate } from "./sasl/authenticate.ts";
import type { SecurityConfig } from "./security.ts";
import { networkError, openSocket } from "./socket.ts";

export interface RequestOptions {
  /** Absent: the highest that both sides know. */
  readonly version?: number;
  readonly timeoutMs?: number;
}
export interface Answer<A> {
  readonly version: number;
  readonly body: ResponseOf<A>;
}
export interface RequestSender {
  request<A extends Api>(api: A, body: Encodable<RequestOf<A>>, options?: RequestOptions): Promise<Answer<A>>;
}
interface Pending {
  readonly correlationId: number;
  readonly receive: (frame: Buffer) => void;
  readonly fail: (error: Error) => void;
  readonly timer: Timer;
}
/** More requests than this waiting on one connection is a fault of the caller: everything above bounds itself. */
const IN_FLIGHT_MAX = 10_000;
const CLIENT_SOFTWARE = { clientSoftwareName: "millrace", clientSoftwareVersion: "0.1.0" };

export class Connection implements RequestSender {
  readonly endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #config: CommonConfig;
  readonly #deps: ClientDeps;
  readonly #frames: FrameReader;
  readonly #pending: Pending[] = [];
  #versions: ReadonlyMap<number, readonly [number, number]> = new Map();
  #nextCorrelationId = 1;
  #closedBy: Error | null = null;
  /** Finalized cluster features (KIP-584), e.g. transaction.version → 2. */
  features: ReadonlyMap<string, number> = new Map();
  /** Once, when the connection has ended for whatever reason. */
  onClose: ((error: Error) => void) | null = null;

  constructor(endpoint: Endpoint, socket: Socket, config: CommonConfig, deps: ClientDeps) {
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#config = config;
    this.#deps = deps;
    this.#frames = new FrameReader(config.responseBytesMax, (frame) => this.#receive(frame));
    socket.on("data", (chunk: Buffer) => {
      try {
        this.#frames.push(chunk);
      } catch (error) {
        this.close(networkError(endpoint, "malformed response", error));
      }
    });
    socket.on("error", (error) => this.close(networkError(endpoint, `connection lost: ${error.message}`, error)));
    socket.on("close", () => this.close(networkError(endpoint, "connection closed by the broker")));
  }
  get closed(): boolean {
    return this.#closedBy !== null;
  }
  get inFlight(): number {
    return this.#pending.length;
  }
  /** Highest version that both sides know, at most `versionMax`. Throws UNSUPPORTED_VERSION. */
  versionFor(api: Api, versionMax: number = api.versions[1]): number {
    const range = this.#versions.get(api.key);
    const version = Math.min(api.versions[1], versionMax, range?.[1] ?? -1);
    if (range === undefined || version < Math.max(api.versions[0], range[0])) {
      const theirs = range === undefined ? "does not offer it" : `offers ${range[0]} to ${range[1]}`;
      throw new KafkaError(
        ErrorCode.UNSUPPORTED_VERSION,
        `${this.endpoint.host}:${this.endpoint.port}: ${api.name} ${api.versions[0]} to ${Math.min(api.versions[1], versionMax)} needed, the broker ${theirs}`,
      );
    }
    return version;
  }
  supports(api: Api, version: number): boolean {
    const range = this.#versions.get(api.key);
    return range !== undefined && version >= range[0] && version <= range[1];
  }
  request<A extends Api>(api: A, body: Encodable<RequestOf<A>>, options: RequestOptions = {}): Promise<Answer<A>> {
    return new Promise((resolve, reject) => {
      const version = options.version ?? this.versionFor(api);
      const correlationId = this.#write(api, version, body);
      const timeoutMs = options.timeoutMs ?? this.#config.requestTimeoutMs;
      const timer = this.#deps.clock.after(timeoutMs, () => {
        this.close(networkError(this.endpoint, `no answer to ${api.name} within ${timeoutMs} ms`));
      });
      const receive = (frame: Buffer): void => resolve({ version, body: decodeResponse(api, version, frame).body });
      this.#pending.push({ correlationId, receive, fail: reject, timer });
    });
  }
  /** For requests that are never answered (Produce with acks=0). Throws when the connection is closed. */
  sendOneWay<A extends Api>(api: A, body: Encodable<RequestOf<A>>, version: number): void {
    this.#write(api, version, body);
  }
  #write<A extends Api>(api: A, version: number, body: Encodable<RequestOf<A>>): number {
    if (this.#closedBy !== null) throw this.#closedBy;
    if (this.#pending.length >= IN_FLIGHT_MAX) throw networkError(this.endpoint, `${IN_FLIGHT_MAX} requests wait for an answer`);
    const correlationId = this.#nextCorrelationId;
    const parts = encodeRequestParts(api, version, correlationId, this.#config.clientId, body);
    this.#nextCorrelationId = correlationId === 0x7fffffff ? 1 : correlationId + 1;
    const socket = this.#socket;
    if (parts.length === 1 && parts[0] !== undefined) socket.write(parts[0]);
    else {
      socket.cork();
      for (const part of parts) socket.write(part);
      socket.uncork();
    }
    return correlationId;
  }
  #receive(frame: Buffer): void {
    const pending = this.#pending.shift();
    if (pending === undefined || frame.readInt32BE(0) !== pending.correlationId) {
      if (pending !== undefined) this.#pending.unshift(pending);
      throw new ProtocolError(`answer ${frame.readInt32BE(0)} where ${pending?.correlationId ?? "none"} was due`);
    }
    pending.timer.cancel();
    try {
      pending.receive(frame);
    } catch (error) {
      pending.fail(networkError(this.endpoint, "response cannot be read", error));
      throw error;
    }
  }
  /** Ends the connection; what waits fails with `error`. */
  close(error: Error = networkError(this.endpoint, "connection closed")): void {
    if (this.#closedBy !== null) return;
    this.#closedBy = error;
    this.#socket.on("error", () => {});
    this.#socket.destroy();
    for (const pending of this.#pending.splice(0)) {
      pending.timer.cancel();
      pending.fail(error);
    }
    this.onClose?.(error);
  }
  /** Asks for the broker's versions; a broker that does not know our newest ApiVersions answers in v0 (KIP-511). */
  async negotiate(): Promise<void> {
    let answer = await this.#askVersions(apiVersions.versions[1]);
    if (answer.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      const theirs = answer.apiKeys.find((entry) => entry.apiKey === apiVersions.key);
      answer = await this.#askVersions(Math.min(apiVersions.versions[1], theirs?.maxVersion ?? 0));
    }
    if (answer.errorCode !== ErrorCode.NONE) throw new KafkaError(answer.errorCode, "ApiVersions was refused");
    this.#versions = new Map(answer.apiKeys.map((entry) => [entry.apiKey, [entry.minVersion, entry.maxVersion] as const]));
    this.features = new Map(answer.finalizedFeatures.map((feature) => [feature.name, feature.maxVersionLevel]));
  }
  #askVersions(version: number): Promise<ApiVersionsResponse> {
    return new Promise((resolve, reject) => {
      const correlationId = this.#write(apiVersions, version, version >= 3 ? CLIENT_SOFTWARE : {});
      const timer = this.#deps.clock.after(this.#config.requestTimeoutMs, () => {
        this.close(networkError(this.endpoint, "no answer to ApiVersions: is this a Kafka listener with this security.protocol?"));
      });
      const receive = (frame: Buffer): void => {
        const refused = frame.length >= 6 && frame.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION;
        resolve(decodeResponse(apiVersions, refused ? 0 : version, frame).body);
      };
      this.#pending.push({ correlationId, receive, fail: reject, timer });
    });
  }
  /** SASL's requests are sent in the versions of the mechanism, before the broker accepts anything else. */
  async login(security: SecurityConfig): Promise<void> {
    if (security.sasl === null) return;
    for (const needed of [saslHandshake, saslAuthenticate]) this.versionFor(needed);
    const lifetimeMs = await authenticate(this, security.sasl, this.#deps);
    // KIP-368: instead of authenticating again on a busy connection, it is replaced in time.
    if (lifetimeMs > 0) this.#deps.clock.after(lifetimeMs * 0.85, () => this.close(networkError(this.endpoint, "SASL session ends")));
  }
}

/** A connection that is ready for requests. Rejects with NETWORK_EXCEPTION, UNSUPPORTED_VERSION or a SASL error. */
export async function openConnection(
  endpoint: Endpoint,
  config: CommonConfig,
  security: SecurityConfig,
  deps: ClientDeps,
): Promise<Connection> {
  const socket = await openSocket(endpoint, security.tls, config.connectionSetupTimeoutMs, deps);
  const connection = new Connection(endpoint, socket, config, deps);
  try {
    await connection.negotiate();
    await connection.login(security);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
