/** SCRAM on the server's side (RFC 5802, KIP-84), without channel binding. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Random } from "../../base/random.ts";
import { SaslFailure, type SaslServer, type ScramCredential } from "./mechanism.ts";

export interface ScramOptions {
  /** 1: SHA-256, 2: SHA-512. */
  readonly mechanism: number;
  readonly credential: (user: string) => ScramCredential | undefined;
  readonly random: Random;
}
const CLIENT_FIRST = /^([ny],(?:a=[^,]*)?,)(n=([^,]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/;
const CLIENT_FINAL = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/;

export function scramServer({ mechanism, credential, random }: ScramOptions): SaslServer {
  const hash = mechanism === 1 ? "sha256" : "sha512";
  const failed = (): SaslFailure =>
    new SaslFailure(
      `Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-${mechanism === 1 ? 256 : 512}`,
    );
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest();
  let offered: { user: string; header: string; nonce: string; text: string; secret: ScramCredential } | null = null;
  let proved: string | null = null;

  const first = (text: string): Buffer => {
    const match = CLIENT_FIRST.exec(text);
    if (match === null) throw failed();
    const [, header = "", bare = "", name = "", clientNonce = ""] = match;
    const user = name.replaceAll("=2C", ",").replaceAll("=3D", "=");
    const secret = credential(user);
    if (secret === undefined) throw failed();
    const nonce = clientNonce + Buffer.from(random.bytes(24)).toString("base64url");
    const reply = `r=${nonce},s=${Buffer.from(secret.salt).toString("base64")},i=${secret.iterations}`;
    offered = { user, header, nonce, text: `${bare},${reply}`, secret };
    return Buffer.from(reply);
  };
  const final = (text: string, offer: NonNullable<typeof offered>): Buffer => {
    const match = CLIENT_FINAL.exec(text);
    if (match === null) throw failed();
    const [, withoutProof = "", binding = "", nonce = "", proofText = ""] = match;
    if (nonce !== offer.nonce || Buffer.from(binding, "base64").toString() !== offer.header) throw failed();
    const message = `${offer.text},${withoutProof}`;
    const signature = hmac(offer.secret.storedKey, message);
    const proof = Buffer.from(proofText, "base64");
    if (proof.length !== signature.length) throw failed();
    const clientKey = proof.map((byte, index) => byte ^ (signature[index] ?? 0));
    if (!timingSafeEqual(createHash(hash).update(clientKey).digest(), offer.secret.storedKey)) throw failed();
    proved = offer.user;
    return Buffer.from(`v=${hmac(offer.secret.serverKey, message).toString("base64")}`);
  };
  return {
    expiresMs: null,
    get user() {
      return proved;
    },
    next(message) {
      const offer = offered;
      if (proved !== null) throw failed();
      return offer === null ? first(message.toString("utf8")) : final(message.toString("utf8"), offer);
    },
  };
}
