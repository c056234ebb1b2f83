/**
 * A connection's authentication (KIP-43, KIP-152): SaslHandshake names the mechanism, SaslAuthenticate carries its messages.
 * A failure is told once and ends the connection. Handshake version 0, after which bare SASL bytes would follow, is refused.
 */
import type { Random } from "../../base/random.ts";
import { type Handler, handler, type Principal } from "../../handlers/handler.ts";
import { ErrorCode } from "../../protocol/errors.ts";
import { saslAuthenticate } from "../../protocol/messages/sasl-authenticate.ts";
import { saslHandshake } from "../../protocol/messages/sasl-handshake.ts";
import type { Authenticator } from "../types.ts";
import { SaslFailure, type SaslServer, type SaslUsers } from "./mechanism.ts";
import { plainServer } from "./plain.ts";
import { scramServer } from "./scram.ts";

export const SASL_MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];
const ANONYMOUS = { type: "User", name: "ANONYMOUS" } as const;

export function saslAuthenticator(enabled: readonly SaslMechanism[], users: SaslUsers, random: Random): Authenticator {
  let server: SaslServer | null = null;
  let principal: Principal | null = null;
  let failed = false;
  const begin = (mechanism: SaslMechanism): SaslServer => {
    if (mechanism === "PLAIN") return plainServer(users.plain);
    const code = mechanism === "SCRAM-SHA-256" ? 1 : 2;
    return scramServer({ mechanism: code, credential: (user) => users.scram(user, code), random });
  };
  const handshake = handler(saslHandshake, ({ version }, request) => {
    const mechanism = enabled.find((candidate) => candidate === request.mechanism);
    if (version < 1 || mechanism === undefined) {
      failed = true;
      return { errorCode: version < 1 ? ErrorCode.UNSUPPORTED_VERSION : ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: [...enabled] };
    }
    server = begin(mechanism);
    return { errorCode: ErrorCode.NONE, mechanisms: [...enabled] };
  });
  const authenticate = handler(saslAuthenticate, (_context, request) => {
    const refuse = (errorCode: number, errorMessage: string): { errorCode: number; errorMessage: string } => {
      failed = true;
      return { errorCode, errorMessage };
    };
    if (server === null) return refuse(ErrorCode.ILLEGAL_SASL_STATE, "SaslAuthenticate request received before a handshake");
    try {
      const authBytes = server.next(Buffer.from(request.authBytes));
      if (server.user !== null) {
        // Authenticating again (KIP-368) must not change who it is.
        if (principal !== null && principal.name !== server.user) {
          return refuse(ErrorCode.SASL_AUTHENTICATION_FAILED, "Cannot change principals during re-authentication");
        }
        principal = { type: "User", name: server.user };
        server = null;
      }
      return { errorCode: ErrorCode.NONE, errorMessage: null, authBytes };
    } catch (error) {
      if (!(error instanceof SaslFailure)) throw error;
      return refuse(ErrorCode.SASL_AUTHENTICATION_FAILED, error.message);
    }
  });
  const own = new Map<number, Handler>([handshake, authenticate].map((each) => [each.api.key, each]));
  return {
    handler: (apiKey) => own.get(apiKey),
    get complete() {
      return principal !== null;
    },
    get failed() {
      return failed;
    },
    get principal() {
      return principal ?? ANONYMOUS;
    },
  };
}
