/** One run of a SASL mechanism on the server's side: messages in, messages out. */
export interface SaslServer {
  /** The answer to the client's next message. Throws or rejects with SaslFailure. */
  next(message: Buffer): Buffer | Promise<Buffer>;
  /** Set when the client has proved who it is. */
  readonly user: string | null;
  /** When what it proved itself with ends to be valid, ms since 1970; null: never. */
  readonly expiresMs: number | null;
}
/** Told to the client as it is: it must not say whether the user exists. */
export class SaslFailure extends Error {
  override readonly name = "SaslFailure";
}
export interface ScramCredential {
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly iterations: number;
}
export interface VerifiedToken {
  readonly principal: string;
  /** ms since 1970. */
  readonly expiresMs: number;
}
/** Of OAUTHBEARER. Throws or rejects with SaslFailure. */
export type TokenValidator = (token: string) => VerifiedToken | Promise<VerifiedToken>;

export const SASL_MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** How one listener lets clients in. */
export interface SaslListener {
  readonly mechanisms: readonly SaslMechanism[];
  /** PLAIN: user names and passwords. */
  readonly plain: ReadonlyMap<string, string>;
  /** Mechanism 1: SHA-256, 2: SHA-512. */
  scram(user: string, mechanism: number): ScramCredential | undefined;
  readonly validateToken: TokenValidator;
  /** connections.max.reauth.ms; 0: a session has no end of its own. */
  reauthMsMax(mechanism: SaslMechanism): number;
  /** connection.failed.authentication.delay.ms */
  readonly failureDelayMs: number;
  /** sasl.server.max.receive.size: nobody unknown makes us hold more than this. */
  readonly receiveBytesMax: number;
}
