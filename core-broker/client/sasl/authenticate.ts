/** The SASL exchange over Kafka frames: SaslHandshake v1, then SaslAuthenticate (KIP-43, KIP-152). */
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";
import { saslAuthenticate, saslHandshake } from "../../protocol/messages/index.ts";
import type { ClientDeps } from "../deps.ts";
import type { SaslConfig } from "../security.ts";
import type { RequestSender } from "../connection.ts";
import { scram } from "./scram.ts";

const UNSECURED_LIFETIME_S = 3600;

/** Throws SASL_AUTHENTICATION_FAILED or UNSUPPORTED_SASL_MECHANISM. Resolves with the session's lifetime in ms, 0: no limit. */
export async function authenticate(connection: RequestSender, sasl: SaslConfig, deps: ClientDeps): Promise<number> {
  const handshake = await connection.request(saslHandshake, { mechanism: sasl.mechanism });
  if (handshake.body.errorCode !== ErrorCode.NONE) {
    throw new KafkaError(
      handshake.body.errorCode,
      `the broker does not offer SASL mechanism ${sasl.mechanism}; it offers ${handshake.body.mechanisms.join(", ") || "none"}`,
    );
  }
  let lifetimeMs = 0;
  const exchange = async (bytes: Buffer): Promise<string> => {
    const { body } = await connection.request(saslAuthenticate, { authBytes: bytes });
    if (body.errorCode !== ErrorCode.NONE) throw new KafkaError(body.errorCode, body.errorMessage ?? "SASL authentication failed");
    lifetimeMs = body.sessionLifetimeMs;
    return Buffer.from(body.authBytes).toString();
  };
  if (sasl.mechanism === "PLAIN") {
    await exchange(Buffer.from(`\0${sasl.username}\0${sasl.password}`));
  } else if (sasl.mechanism === "OAUTHBEARER") {
    const answer = await exchange(Buffer.from(`n,,\x01auth=Bearer ${sasl.token ?? unsecuredToken(sasl, deps)}\x01\x01`));
    if (answer !== "") throw new KafkaError(ErrorCode.SASL_AUTHENTICATION_FAILED, `OAUTHBEARER authentication failed: ${answer}`);
  } else {
    const nonce = Buffer.from(deps.random.bytes(24)).toString("base64url");
    const talk = scram(sasl.mechanism === "SCRAM-SHA-256" ? "sha256" : "sha512", sasl.username, sasl.password, nonce);
    const serverFirst = await exchange(talk.first());
    talk.verify(await exchange(talk.final(serverFirst)));
  }
  return lifetimeMs;
}
/** An unsigned JWT (alg none), for brokers in development only (KIP-255). */
function unsecuredToken(sasl: SaslConfig, deps: ClientDeps): string {
  const issued = Math.floor(deps.clock.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: sasl.username, ...sasl.claims, iat: issued, exp: issued + UNSECURED_LIFETIME_S };
  return `${part({ alg: "none" })}.${part(claims)}.`;
}
