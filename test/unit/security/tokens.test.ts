import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Clock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { jwksValidator } from "#broker/network/sasl/jwks";
import { type ClaimRules, unsecuredValidator } from "#broker/network/sasl/jwt";
import { SaslFailure } from "#broker/network/sasl/mechanism";
import { oauthBearerServer } from "#broker/network/sasl/oauthbearer";

const NOW_MS = 1_800_000_000_000;
const RULES: ClaimRules = {
  principalClaim: "sub",
  scopeClaim: "scope",
  requiredScope: [],
  clockSkewMs: 30_000,
  needsIssuedAt: true,
  audiences: ["kafka"],
  issuer: "https://issuer",
};
const CLAIMS = { sub: "alice", aud: ["web", "kafka"], iss: "https://issuer", iat: NOW_MS / 1000 - 10, exp: NOW_MS / 1000 + 60 };
const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
function token(claims: object, key: KeyObject | null, header: Record<string, unknown> = { alg: "RS256", kid: "k1" }): string {
  const signed = `${b64(header)}.${b64(claims)}`;
  if (key === null) return `${signed}.`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keySet = (...keys: readonly (readonly [string, KeyObject])[]): string =>
  JSON.stringify({ keys: keys.map(([kid, key]) => ({ ...key.export({ format: "jwk" }), kid, use: "sig" })) });

function validator(documents: (string | Error)[], rules: Partial<ClaimRules> = {}) {
  let monotonic = 0;
  let reads = 0;
  const clock: Clock = { now: () => NOW_MS, monotonic: () => monotonic, after: () => ({ cancel() {} }), sleep: async () => {} };
  const validate = jwksValidator({
    url: "https://issuer/keys",
    refreshMs: 3_600_000,
    retryMs: 100,
    rules: { ...RULES, ...rules },
    clock,
    logger: silentLogger,
    read: async () => {
      const document = documents[Math.min(reads++, documents.length - 1)];
      if (document instanceof Error || document === undefined) throw document ?? new Error("nothing");
      return document;
    },
  });
  return { validate: async (text: string) => validate(text), pass: (ms: number) => (monotonic += ms), reads: () => reads };
}

describe("signed tokens", () => {
  test("RS256 and ES256 by the key that is named; a token without a key id by any", async () => {
    const { validate } = validator([keySet(["k1", rsa.publicKey], ["k2", ec.publicKey])]);
    const expected = { principal: "alice", expiresMs: CLAIMS.exp * 1000 };
    expect(await validate(token(CLAIMS, rsa.privateKey))).toEqual(expected);
    expect(await validate(token(CLAIMS, ec.privateKey, { alg: "ES256", kid: "k2" }))).toEqual(expected);
    expect(await validate(token(CLAIMS, ec.privateKey, { alg: "ES256" }))).toEqual(expected);
  });
  test.each([
    ["unsigned", token(CLAIMS, null, { alg: "none" })],
    ["of another key", token(CLAIMS, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey)],
    ["an algorithm that is not the key's", token(CLAIMS, rsa.privateKey, { alg: "ES256", kid: "k1" })],
    ["a shared secret", token(CLAIMS, rsa.privateKey, { alg: "HS256", kid: "k1" })],
    ["expired", token({ ...CLAIMS, exp: NOW_MS / 1000 - 31 }, rsa.privateKey)],
    ["from the future", token({ ...CLAIMS, iat: NOW_MS / 1000 + 31 }, rsa.privateKey)],
    ["not valid yet", token({ ...CLAIMS, nbf: NOW_MS / 1000 + 31 }, rsa.privateKey)],
    ["without exp", token({ ...CLAIMS, exp: undefined }, rsa.privateKey)],
    ["for somebody else", token({ ...CLAIMS, aud: "web" }, rsa.privateKey)],
    ["from somebody else", token({ ...CLAIMS, iss: "https://other" }, rsa.privateKey)],
    ["about nobody", token({ ...CLAIMS, sub: " " }, rsa.privateKey)],
    ["no token at all", "a.b"],
    ["changed", token(CLAIMS, rsa.privateKey).replace(b64(CLAIMS), b64({ ...CLAIMS, sub: "root" }))],
  ])("refused: %s", async (_why, text) => {
    const { validate } = validator([keySet(["k1", rsa.publicKey])]);
    await expect(validate(text)).rejects.toBeInstanceOf(SaslFailure);
  });
  test("the clock's skew is allowed, other claim names are settings", async () => {
    const { validate } = validator([keySet(["k1", rsa.publicKey])], { principalClaim: "azp" });
    const claims = { ...CLAIMS, azp: "svc", iat: NOW_MS / 1000 - 100, exp: NOW_MS / 1000 - 29 };
    expect((await validate(token(claims, rsa.privateKey))).principal).toBe("svc");
  });
  test("a new key is fetched when a token names it, but made-up ids do not make us ask again and again", async () => {
    const { validate, pass, reads } = validator([keySet(["k1", rsa.publicKey]), keySet(["k1", rsa.publicKey], ["k2", ec.publicKey])]);
    await validate(token(CLAIMS, rsa.privateKey));
    const fresh = token(CLAIMS, ec.privateKey, { alg: "ES256", kid: "k2" });
    await expect(validate(fresh)).rejects.toThrow(/key set/);
    expect(reads()).toBe(1);
    pass(10_000);
    expect((await validate(fresh)).principal).toBe("alice");
    for (let i = 0; i < 5; i++) await expect(validate(token(CLAIMS, rsa.privateKey, { alg: "RS256", kid: `x${i}` }))).rejects.toThrow();
    expect(reads()).toBe(2);
  });
  test("while the keys cannot be read the ones before count", async () => {
    const { validate, pass, reads } = validator([keySet(["k1", rsa.publicKey]), new Error("away")]);
    await validate(token(CLAIMS, rsa.privateKey));
    pass(3_600_000);
    expect((await validate(token(CLAIMS, rsa.privateKey))).principal).toBe("alice");
    expect(reads()).toBe(2);
  });
});

describe("OAUTHBEARER", () => {
  const unsecured = unsecuredValidator({ ...RULES, audiences: null, issuer: null, requiredScope: ["produce"] }, () => NOW_MS);
  const claims = { ...CLAIMS, scope: "consume produce" };
  const first = (text: string, authorization = ""): Buffer => Buffer.from(`n,${authorization},\u0001auth=Bearer ${text}\u0001\u0001`);
  test("an unsecured token, with the scope that is asked for", async () => {
    const server = oauthBearerServer(unsecured);
    expect((await server.next(first(token(claims, null, { alg: "none" })))).length).toBe(0);
    expect([server.user, server.expiresMs]).toEqual(["alice", CLAIMS.exp * 1000]);
  });
  test("a refusal is told as JSON, and the login fails with the client's answer to it", async () => {
    const server = oauthBearerServer(unsecured);
    const told = await server.next(first(token({ ...claims, scope: "consume" }, null, { alg: "none" })));
    expect(JSON.parse(told.toString())).toEqual({ status: "invalid_token" });
    await expect(server.next(Buffer.from([1]))).rejects.toBeInstanceOf(SaslFailure);
    expect(server.user).toBeNull();
  });
  test("a signed token is not taken for an unsecured one; an authorization id must be the principal", async () => {
    for (const message of [first(token(claims, rsa.privateKey)), first(token(claims, null, { alg: "none" }), "a=root")]) {
      const server = oauthBearerServer(unsecured);
      await server.next(message);
      expect(server.user).toBeNull();
    }
    await expect(oauthBearerServer(unsecured).next(Buffer.from("n,,auth=Bearer x"))).rejects.toBeInstanceOf(SaslFailure);
  });
});
