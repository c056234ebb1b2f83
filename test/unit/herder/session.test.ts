import { expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { systemRandom } from "#broker/base/random";
import { workerConfig } from "#connect/config";
import { ALGORITHM_HEADER, newSessionKey, SIGNATURE_HEADER, signedHeaders, verifySignature } from "#connect/herder/session";

const settings = workerConfig(
  {
    "group.id": "g",
    "config.storage.topic": "c",
    "offset.storage.topic": "o",
    "status.storage.topic": "s",
    "key.converter": "k",
    "value.converter": "v",
  },
  "distributed",
).distributed;

test("a signature fits its body and key only", () => {
  if (settings === null) throw new Error("not distributed");
  const key = newSessionKey(settings, systemClock, systemRandom);
  expect(Buffer.from(key.key, "base64")).toHaveLength(32);
  const body = Buffer.from("[1]");
  const headers = signedHeaders(key, "HmacSHA256", body);
  const signature = { algorithm: headers[ALGORITHM_HEADER] ?? "", signature: headers[SIGNATURE_HEADER] ?? "", body };
  const check = (s: typeof signature | null, k: typeof key | null = key): string => {
    try {
      verifySignature(s, k, ["HmacSHA256"]);
      return "fine";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  expect(check(signature)).toBe("fine");
  expect(check(null)).toBe("Internal request missing required signature");
  expect(check({ ...signature, body: Buffer.from("[2]") })).toBe("Internal request contained invalid signature.");
  expect(check({ ...signature, signature: "" })).toBe("Internal request contained invalid signature.");
  expect(check(signature, newSessionKey(settings, systemClock, systemRandom))).toBe("Internal request contained invalid signature.");
  expect(check({ ...signature, algorithm: "HmacMD5" })).toContain("does not support the 'HmacMD5' key signing algorithm");
  expect(check(signature, null)).toContain("still starting up");
});
