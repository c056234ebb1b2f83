/** What the network asks of the rest: who answers a request, and who the peer is. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Handler, Principal, RequestContext } from "../handlers/handler.ts";

export type SecurityProtocol = "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";

export interface ListenerAddress {
  /** The listener's name, upper case: PLAINTEXT, INTERNAL … */
  readonly name: string;
  /** Empty: all interfaces. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly protocol: SecurityProtocol;
}
export interface NetworkLimits {
  /** socket.request.max.bytes */
  readonly requestBytesMax: number;
  /** queued.max.request.bytes; -1 in Kafka means no bound, here a bound of our own. */
  readonly queuedBytesMax: number;
  /** queued.max.requests: of all connections. */
  readonly queuedRequestsOfAllMax: number;
  /** Requests of one connection that may wait behind the one being answered. */
  readonly queuedRequestsMax: number;
  /** connections.max.idle.ms */
  readonly idleMsMax: number;
  /** max.connections */
  readonly connectionsMax: number;
  /** listener.name.X.max.connections, by listener. */
  readonly connectionsOfListenerMax: (listener: string) => number;
  /** max.connections.per.ip */
  readonly connectionsPerIpMax: number;
  /** max.connections.per.ip.overrides, by address. */
  readonly connectionsPerIpOverrides: ReadonlyMap<string, number>;
}
/** One connection's authentication: null once it is done. Everything but its own APIs is refused before. */
export interface Authenticator {
  /** The APIs that may be called before authentication is complete, as handlers of this connection. */
  handler(apiKey: number): Handler | undefined;
  readonly complete: boolean;
  /** The last answer told a failure: nothing more is read. */
  readonly failed: boolean;
  readonly principal: Principal;
  /** The session has ended (KIP-368): only SaslHandshake is heard. */
  readonly expired: boolean;
  /** The longest frame before authentication is complete. */
  readonly receiveBytesMax: number;
  /** Set after a handshake of version 0: frames are bare SASL messages. Answers the bare reply; null: the connection ends without one. */
  readonly bareMessage: ((message: Buffer) => Promise<Buffer | null>) | null;
}
/** What clients may use; milliseconds to wait, 0 for none. */
export interface NetworkQuotas {
  /** false: there are none, nothing needs to be asked. */
  readonly active: boolean;
  produce(client: RequestContext, bytes: number): number;
  request(client: RequestContext, busyMs: number): number;
}
/** How fast connections may come. */
export interface ConnectionAdmission {
  /** Until the next connection of the listener may be taken in. */
  arrive(listener: string): number;
  /** After which a connection from there is closed; 0: it may stay. */
  arriveFrom(address: string): number;
}
/** One request, answered. */
export interface AnsweredRequest {
  readonly api: string;
  readonly version: number;
  /** Of the answer as a whole. */
  readonly errorCode: number;
  readonly tookMs: number;
  /** The part in which the thread worked on it. */
  readonly localMs: number;
  readonly throttleMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}
export interface NetworkObserver {
  answered(request: AnsweredRequest): void;
}
export interface NetworkDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: NetworkLimits;
  readonly quotas?: NetworkQuotas;
  readonly admission?: ConnectionAdmission;
  readonly observer?: NetworkObserver;
  /** By API key. What is missing here is an API that the broker does not serve. */
  readonly handlers: ReadonlyMap<number, Handler>;
  /** Made per connection, once it is known whose it is. */
  readonly rights: (principal: Principal, host: string) => RequestContext["rights"];
  /** The name of who shows a certificate with this subject; throws when there is none. */
  readonly nameOfCertificate?: (listener: ListenerAddress) => (distinguishedName: string) => string;
  /** Made per connection of a SASL listener. */
  readonly authenticator?: (listener: ListenerAddress) => Authenticator | null;
  /** Parts of an answer that have left this process: their buffers may be used again. */
  readonly onSent?: (parts: readonly Buffer[]) => void;
  /** Called when a handler throws what is no protocol answer: a bug; the connection is closed. */
  onHandlerFailure(apiName: string, cause: unknown): void;
}
