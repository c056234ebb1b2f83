/** JSON web tokens (RFC 7519, RFC 7515) as far as brokers look at them. */
import { constants, type KeyObject, verify } from "node:crypto";
import { SaslFailure, type VerifiedToken } from "./mechanism.ts";

export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What is signed: header and claims as they came. */
  readonly signed: string;
  readonly signature: Buffer;
}
export interface ClaimRules {
  /** The claim with the principal's name. */
  readonly principalClaim: string;
  readonly scopeClaim: string;
  readonly requiredScope: readonly string[];
  readonly clockSkewMs: number;
  /** iat must be there. */
  readonly needsIssuedAt: boolean;
  /** Null: not looked at. */
  readonly audiences: readonly string[] | null;
  readonly issuer: string | null;
}
export const refused = (why: string): SaslFailure => new SaslFailure(`Authentication failed: the token is refused: ${why}`);

export function parseJwt(token: string): Jwt {
  const parts = token.split(".");
  const [header = "", claims = "", signature = ""] = parts;
  if (parts.length !== 3 || header === "" || claims === "") throw refused("it is no compact JWS");
  return {
    header: jsonObject(header),
    claims: jsonObject(claims),
    signed: `${header}.${claims}`,
    signature: Buffer.from(signature, "base64url"),
  };
}
function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    throw refused("a part of it is no JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw refused("a part of it is no JSON object");
  return { ...parsed };
}

/** Throws SaslFailure. Times in claims are seconds since 1970, possibly with fractions. */
export function checkClaims({ claims }: Jwt, rules: ClaimRules, nowMs: number): VerifiedToken {
  const time = (name: string): number | null => {
    const value = claims[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== "number" || !Number.isFinite(value)) throw refused(`claim ${name} is no number`);
    return value * 1000;
  };
  const principal = claims[rules.principalClaim];
  if (typeof principal !== "string" || principal.trim() === "") throw refused(`claim ${rules.principalClaim} is missing or empty`);
  const expiresMs = time("exp");
  const issuedMs = time("iat");
  const fromMs = time("nbf");
  if (expiresMs === null) throw refused("claim exp is missing");
  if (issuedMs === null && rules.needsIssuedAt) throw refused("claim iat is missing");
  if (issuedMs !== null && issuedMs > nowMs + rules.clockSkewMs) throw refused("it was issued in the future");
  if (fromMs !== null && fromMs > nowMs + rules.clockSkewMs) throw refused("it is not valid yet");
  if (expiresMs <= nowMs - rules.clockSkewMs) throw refused("it has expired");
  if (issuedMs !== null && expiresMs <= issuedMs) throw refused("it expires before it was issued");
  if (rules.issuer !== null && claims["iss"] !== rules.issuer) throw refused("the issuer is another one");
  const audiences = words(claims["aud"]);
  if (rules.audiences !== null && !rules.audiences.some((each) => audiences.includes(each))) throw refused("the audience is another one");
  const raw = claims[rules.scopeClaim];
  const scope = typeof raw === "string" ? raw.split(/\s+/) : words(raw);
  if (!rules.requiredScope.every((each) => scope.includes(each))) throw refused("a required scope is missing");
  return { principal: principal.trim(), expiresMs };
}
function words(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((each) => typeof each === "string");
}

interface Algorithm {
  readonly hash: string | null;
  readonly keyType: string;
  readonly curve?: string;
  readonly pss?: boolean;
}
/** RFC 7518 and RFC 8037, signatures with public keys only: a shared secret has no place in a key set. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RS256: { hash: "sha256", keyType: "rsa" },
  RS384: { hash: "sha384", keyType: "rsa" },
  RS512: { hash: "sha512", keyType: "rsa" },
  PS256: { hash: "sha256", keyType: "rsa", pss: true },
  PS384: { hash: "sha384", keyType: "rsa", pss: true },
  PS512: { hash: "sha512", keyType: "rsa", pss: true },
  ES256: { hash: "sha256", keyType: "ec", curve: "prime256v1" },
  ES384: { hash: "sha384", keyType: "ec", curve: "secp384r1" },
  ES512: { hash: "sha512", keyType: "ec", curve: "secp521r1" },
  EdDSA: { hash: null, keyType: "ed25519" },
};
const algorithmOf = ({ header }: Jwt): Algorithm | undefined =>
  typeof header["alg"] === "string" && Object.hasOwn(ALGORITHMS, header["alg"]) ? ALGORITHMS[header["alg"]] : undefined;

/** The token names an algorithm, and the key must be of its kind. */
export function isSignedBy(jwt: Jwt, key: KeyObject): boolean {
  const algorithm = algorithmOf(jwt);
  if (algorithm === undefined || key.asymmetricKeyType !== algorithm.keyType) return false;
  if (algorithm.curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== algorithm.curve) return false;
  const pss = algorithm.pss === true ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
  return verify(algorithm.hash, Buffer.from(jwt.signed), { key, dsaEncoding: "ieee-p1363", ...pss }, jwt.signature);
}
/** Kafka's default (KIP-255), for tests: an unsigned token is believed. */
export const unsecuredValidator =
  (rules: ClaimRules, nowMs: () => number) =>
  (token: string): VerifiedToken => {
    const jwt = parseJwt(token);
    if (jwt.header["alg"] !== "none" || jwt.signature.length > 0)
      throw refused("only unsecured tokens are accepted (alg none, no signature)");
    return checkClaims(jwt, rules, nowMs());
  };
