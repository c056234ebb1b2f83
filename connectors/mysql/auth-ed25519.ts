/**
 * MariaDB's `client_ed25519`: an Ed25519 signature (RFC 8032) of the server's 32 random bytes, where the hash of the password,
 * of any length, stands for the key's seed. Node signs only with seeds of 32 bytes, hence the curve's arithmetic here. Done once
 * per connection; times may depend on the password, as the answer is a signature made once on this machine.
 */
import { createHash } from "node:crypto";

const P = 2n ** 255n - 19n;
/** Order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a: bigint, m: bigint): bigint => ((a % m) + m) % m;
function power(base: bigint, exponent: bigint, m: bigint): bigint {
  let result = 1n,
    b = mod(base, m);
  for (let e = exponent; e > 0n; e >>= 1n) {
    if ((e & 1n) === 1n) result = (result * b) % m;
    b = (b * b) % m;
  }
  return result;
}
const inverse = (a: bigint): bigint => power(a, P - 2n, P);
const D = mod(-121665n * inverse(121666n), P);

/** Extended coordinates: x = X/Z, y = Y/Z, T = XY/Z. */
type Point = readonly [bigint, bigint, bigint, bigint];
const BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202n;
const BASE_Y = mod(4n * inverse(5n), P);
const BASE: Point = [BASE_X, BASE_Y, 1n, mod(BASE_X * BASE_Y, P)];
const NEUTRAL: Point = [0n, 1n, 1n, 0n];

function sum(a: Point, b: Point): Point {
  const A = mod((a[1] - a[0]) * (b[1] - b[0]), P),
    B = mod((a[1] + a[0]) * (b[1] + b[0]), P);
  const C = mod(2n * a[3] * b[3] * D, P),
    E = mod(2n * a[2] * b[2], P);
  const e = B - A,
    f = E - C,
    g = E + C,
    h = B + A;
  return [mod(e * f, P), mod(g * h, P), mod(f * g, P), mod(e * h, P)];
}
function times(scalar: bigint): Point {
  let result = NEUTRAL,
    point = BASE;
  for (let s = scalar; s > 0n; s >>= 1n) {
    if ((s & 1n) === 1n) result = sum(result, point);
    point = sum(point, point);
  }
  return result;
}
const sha512 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const littleEndian = (b: Uint8Array): bigint => BigInt(`0x${Buffer.from(b).reverse().toString("hex")}`);
const bytes32 = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
function encoded(point: Point): Buffer {
  const z = inverse(point[2]);
  const x = mod(point[0] * z, P),
    y = mod(point[1] * z, P);
  return bytes32(y | ((x & 1n) << 255n));
}

/** The 64 bytes that the server wants as an answer to `scramble`. */
export function signEd25519(password: Uint8Array, scramble: Uint8Array): Buffer {
  const hash = sha512(password);
  const secret = Buffer.from(hash.subarray(0, 32));
  secret[0] = (secret[0] as number) & 248;
  secret[31] = ((secret[31] as number) & 63) | 64;
  const a = littleEndian(secret);
  const A = encoded(times(a));
  const r = mod(littleEndian(sha512(hash.subarray(32), scramble)), L);
  const R = encoded(times(r));
  const h = mod(littleEndian(sha512(R, A, scramble)), L);
  return Buffer.concat([R, bytes32(mod(r + h * a, L))]);
}
