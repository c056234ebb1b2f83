/** One run of a SASL mechanism on the server's side: messages in, messages out. */
export interface SaslServer {
  /** The answer to the client's next message. Throws SaslFailure. */
  next(message: Buffer): Buffer;
  /** Set when the client has proved who it is. */
  readonly user: string | null;
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
export interface SaslUsers {
  /** PLAIN: user names and passwords. */
  readonly plain: ReadonlyMap<string, string>;
  /** Mechanism 1: SHA-256, 2: SHA-512. */
  scram(user: string, mechanism: number): ScramCredential | undefined;
}
