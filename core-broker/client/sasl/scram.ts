/** SCRAM client side, RFC 5802 without channel binding, as Kafka uses it (KIP-84). Pure: bytes in, bytes out. */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { ErrorCode, KafkaError } from "../../protocol/errors.ts";

const ITERATIONS_MIN = 4096;
const ITERATIONS_MAX = 10_000_000;

export interface ScramConversation {
  first(): Buffer;
  /** Answers the server's first message. Throws SASL_AUTHENTICATION_FAILED when it does not fit ours. */
  final(serverFirst: string): Buffer;
  /** Checks the server's proof. */
  verify(serverFinal: string): void;
}
export function scram(hash: "sha256" | "sha512", username: string, password: string, nonce: string): ScramConversation {
  const bare = `n=${username.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  let expectedServerSignature: Buffer | null = null;
  return {
    first: () => Buffer.from(`n,,${bare}`),
    final(serverFirst) {
      const parts = attributes(serverFirst);
      const iterations = Number(parts.get("i"));
      const salt = Buffer.from(parts.get("s") ?? "", "base64");
      const combined = parts.get("r") ?? "";
      if (!combined.startsWith(nonce) || combined.length === nonce.length) throw failed("the server's nonce does not extend ours");
      if (!(iterations >= ITERATIONS_MIN && iterations <= ITERATIONS_MAX) || salt.length === 0) {
        throw failed(`unusable salt or iteration count (${parts.get("i") ?? "none"})`);
      }
      const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, hash === "sha256" ? 32 : 64, hash);
      const clientKey = hmac(salted, "Client Key");
      const storedKey = createHash(hash).update(clientKey).digest();
      const withoutProof = `c=biws,r=${combined}`;
      const authMessage = `${bare},${serverFirst},${withoutProof}`;
      const signature = hmac(storedKey, authMessage);
      const proof = clientKey.map((byte, i) => byte ^ (signature[i] ?? 0));
      expectedServerSignature = hmac(hmac(salted, "Server Key"), authMessage);
      return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString("base64")}`);
    },
    verify(serverFinal) {
      const parts = attributes(serverFinal);
      const error = parts.get("e");
      if (error !== undefined) throw failed(error);
      const proof = Buffer.from(parts.get("v") ?? "", "base64");
      const expected = expectedServerSignature;
      if (expected === null || proof.length !== expected.length || !timingSafeEqual(proof, expected)) {
        throw failed("the server's proof is wrong");
      }
    },
  };
}
function attributes(message: string): Map<string, string> {
  return new Map(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}
const failed = (why: string): KafkaError => new KafkaError(ErrorCode.SASL_AUTHENTICATION_FAILED, `SCRAM authentication failed: ${why}`);
