/**
 * A connection's authentication (KIP-43, KIP-152): SaslHandshake names the mechanism, SaslAuthenticate carries its messages.
 * A failure is told once, after a pause, and ends the connection. Sessions may end before their connection (KIP-368): from
 * then on only a new handshake is heard. After a handshake of version 0 (clients from before Kafka 1.0, kafka-python 2) frames are bare
 * SASL messages until the login is complete, and a failure only ends the connection.
 */
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { type Handler, handler, type Principal } from "../../handlers/handler.ts";
import { ErrorCode } from "../../protocol/errors.ts";
import { saslAuthenticate } from "../../protocol/messages/sasl-authenticate.ts";
import { saslHandshake } from "../../protocol/messages/sasl-handshake.ts";
import type { Authenticator } from "../types.ts";
import { SaslFailure, type SaslListener, type SaslMechanism, type SaslServer } from "./mechanism.ts";
import { oauthBearerServer } from "./oauthbearer.ts";
import { plainServer } from "./plain.ts";
import { scramServer } from "./scram.ts";

const ANONYMOUS = { type: "User", name: "ANONYMOUS" } as const;
/** Authenticating again sooner than this is refused: it costs us more than the client. */
const REAUTH_MS_MIN = 1000;

export interface SaslDeps {
  readonly clock: Clock;
  readonly random: Random;
}
const NOTHING = Buffer.alloc(0);
interface Answer {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly authBytes?: Buffer;
  readonly sessionLifetimeMs?: number;
}

export function saslAuthenticator(listener: SaslListener, deps: SaslDeps): Authenticator {
  return new SaslSession(listener, deps);
}

class SaslSession implements Authenticator {
  readonly receiveBytesMax: number;
  failed = false;
  readonly #listener: SaslListener;
  readonly #deps: SaslDeps;
  readonly #own: ReadonlyMap<number, Handler>;
  #server: SaslServer | null = null;
  #bare = false;
  #mechanism: SaslMechanism | null = null;
  #principal: Principal | null = null;
  /** By the monotonic clock. */
  #endsMs = Number.POSITIVE_INFINITY;
  #beganMs = Number.NEGATIVE_INFINITY;

  constructor(listener: SaslListener, deps: SaslDeps) {
    this.#listener = listener;
    this.#deps = deps;
    this.receiveBytesMax = listener.receiveBytesMax;
    const handlers = [
      handler(saslHandshake, ({ version }, request) => this.#handshake(version, request.mechanism)),
      handler(saslAuthenticate, (_context, request) => this.#authenticate(Buffer.from(request.authBytes))),
    ];
    this.#own = new Map(handlers.map((each) => [each.api.key, each]));
  }
  get complete(): boolean {
    return this.#principal !== null;
  }
  get principal(): Principal {
    return this.#principal ?? ANONYMOUS;
  }
  get expired(): boolean {
    return this.#endsMs < Number.POSITIVE_INFINITY && this.#deps.clock.monotonic() > this.#endsMs;
  }
  handler(apiKey: number): Handler | undefined {
    return this.#own.get(apiKey);
  }

  #handshake(version: number, wanted: string) {
    const { mechanisms } = this.#listener;
    const now = this.#deps.clock.monotonic();
    if (this.#principal !== null && now - this.#beganMs < REAUTH_MS_MIN) {
      return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] };
    }
    const mechanism = mechanisms.find((candidate) => candidate === wanted);
    const changed = this.#mechanism !== null && this.#mechanism !== mechanism;
    if (mechanism === undefined || changed) {
      this.failed = true;
      return { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: [...mechanisms] };
    }
    this.#mechanism = mechanism;
    this.#bare = version < 1;
    this.#beganMs = now;
    this.#server = this.#begin(mechanism);
    return { errorCode: ErrorCode.NONE, mechanisms: [...mechanisms] };
  }
  #begin(mechanism: SaslMechanism): SaslServer {
    const listener = this.#listener;
    if (mechanism === "PLAIN") return plainServer(listener.plain);
    if (mechanism === "OAUTHBEARER") return oauthBearerServer(listener.validateToken);
    const code = mechanism === "SCRAM-SHA-256" ? 1 : 2;
    return scramServer({ mechanism: code, credential: (user) => listener.scram(user, code), random: this.#deps.random });
  }

  get bareMessage(): ((message: Buffer) => Promise<Buffer | null>) | null {
    return this.#bare && this.#server !== null ? (message) => this.#authenticateBare(message) : null;
  }
  async #authenticateBare(message: Buffer): Promise<Buffer | null> {
    const { errorCode, authBytes } = await this.#authenticate(message);
    return errorCode === ErrorCode.NONE ? (authBytes ?? NOTHING) : null;
  }
  async #authenticate(message: Buffer): Promise<Answer> {
    const server = this.#server;
    if (server === null || this.#mechanism === null) {
      const errorMessage = `SaslAuthenticate request received ${this.complete ? "after successful authentication" : "before a handshake"}`;
      if (!this.complete) this.failed = true;
      return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, errorMessage };
    }
    try {
      const authBytes = await server.next(message);
      if (server.user === null) return { errorCode: ErrorCode.NONE, errorMessage: null, authBytes };
      // Authenticating again must not change who it is.
      if (this.#principal !== null && this.#principal.name !== server.user) {
        return await this.#refuse("Cannot change principals during re-authentication");
      }
      const sessionLifetimeMs = this.#open(server, server.user, this.#mechanism);
      return { errorCode: ErrorCode.NONE, errorMessage: null, authBytes, sessionLifetimeMs };
    } catch (error) {
      if (!(error instanceof SaslFailure)) throw error;
      return await this.#refuse(error.message);
    }
  }
  /** How long the session lasts, ms; 0: as long as the connection. What ends first counts, the credential or the limit. */
  #open(server: SaslServer, user: string, mechanism: SaslMechanism): number {
    const { clock } = this.#deps;
    const limitMs = this.#listener.reauthMsMax(mechanism);
    const credentialMs = server.expiresMs === null ? Number.POSITIVE_INFINITY : server.expiresMs - clock.now();
    const lifetimeMs = Math.min(limitMs > 0 ? limitMs : Number.POSITIVE_INFINITY, credentialMs);
    this.#server = null;
    this.#principal ??= { type: "User", name: user };
    if (lifetimeMs === Number.POSITIVE_INFINITY) return 0;
    const leftMs = Math.max(0, Math.floor(lifetimeMs));
    this.#endsMs = clock.monotonic() + leftMs;
    return leftMs;
  }
  /** The pause makes guessing slow. */
  async #refuse(errorMessage: string): Promise<Answer> {
    const { failureDelayMs } = this.#listener;
    if (failureDelayMs > 0) await this.#deps.clock.sleep(failureDelayMs);
    this.failed = true;
    return { errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED, errorMessage };
  }
}
