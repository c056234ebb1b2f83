/** Session keys and signed requests between workers (KIP-507). */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "#broker/base/clock";
import type { Random } from "#broker/base/random";
import type { DistributedSettings } from "../config.ts";
import type { SessionKey } from "../store/config-records.ts";
import { badRequest, RestError } from "./errors.ts";
import type { RequestSignature } from "./types.ts";

export const SIGNATURE_HEADER = "X-Connect-Authorization";
export const ALGORITHM_HEADER = "X-Connect-Request-Signature-Algorithm";

const DIGESTS: Readonly<Record<string, string>> = {
  HmacSHA1: "sha1",
  HmacSHA224: "sha224",
  HmacSHA256: "sha256",
  HmacSHA384: "sha384",
  HmacSHA512: "sha512",
};
const DEFAULT_KEY_BYTES: Readonly<Record<string, number>> = {
  HmacSHA1: 64,
  HmacSHA224: 28,
  HmacSHA256: 32,
  HmacSHA384: 48,
  HmacSHA512: 64,
};

export function newSessionKey(settings: DistributedSettings, clock: Clock, random: Random): SessionKey {
  const size = settings.keySizeBits === null ? (DEFAULT_KEY_BYTES[settings.keyAlgorithm] ?? 32) : settings.keySizeBits / 8;
  return { key: Buffer.from(random.bytes(size)).toString("base64"), algorithm: settings.keyAlgorithm, creationMs: clock.now() };
}
function mac(key: SessionKey, algorithm: string, body: Uint8Array): Buffer {
  const digest = DIGESTS[algorithm];
  if (digest === undefined) throw new RestError(500, `Unknown signature algorithm ${algorithm}`);
  return createHmac(digest, Buffer.from(key.key, "base64")).update(body).digest();
}
/** Headers that sign this body. */
export function signedHeaders(key: SessionKey, algorithm: string, body: Uint8Array): Record<string, string> {
  return { [SIGNATURE_HEADER]: mac(key, algorithm, body).toString("base64"), [ALGORITHM_HEADER]: algorithm };
}
/** Throws RestError as Kafka Connect words it. */
export function verifySignature(signature: RequestSignature | null, key: SessionKey | null, algorithms: readonly string[]): void {
  if (signature === null) throw badRequest("Internal request missing required signature");
  if (!algorithms.includes(signature.algorithm)) {
    throw badRequest(
      `This worker does not support the '${signature.algorithm}' key signing algorithm used by other workers. This worker is currently ` +
        `configured to use: [${algorithms.join(", ")}]. Check that all workers' configuration files permit the same set of signature ` +
        `algorithms, and correct any misconfigured worker and restart it.`,
    );
  }
  if (key === null) {
    throw new RestError(503, "This worker is still starting up and has not been able to read a session key from the config topic yet");
  }
  const given = Buffer.from(signature.signature, "base64");
  const wanted = mac(key, signature.algorithm, signature.body);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new RestError(403, "Internal request contained invalid signature.");
  }
}
