/** DER (ITU-T X.690) as far as certificates and key stores need it. Throws Asn1Error; depth and lengths are bounded. */
export interface Asn1 {
  readonly tag: number;
  readonly body: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
  readonly children: readonly Asn1[];
}
export class Asn1Error extends Error {
  override readonly name = "Asn1Error";
}
export const Tag = { INTEGER: 0x02, OCTETS: 0x04, OID: 0x06, SEQUENCE: 0x30 } as const;
const CONSTRUCTED = 0x20;
const DEPTH_MAX = 24;
const broken = (): Asn1Error => new Asn1Error("not DER");

/** Everything in the bytes, one after the other. */
export function parseDer(bytes: Buffer, depth = 0): Asn1[] {
  const found: Asn1[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0;
    let start = at + 2;
    if (length > 0x84 || length === 0x80 || depth > DEPTH_MAX) throw broken();
    if (length > 0x80) {
      const size = length - 0x80;
      if (start + size > bytes.length) throw broken();
      length = bytes.readUIntBE(start, size);
      start += size;
    }
    const end = start + length;
    if (end > bytes.length) throw broken();
    const body = bytes.subarray(start, end);
    found.push({ tag, body, whole: bytes.subarray(at, end), children: (tag & CONSTRUCTED) === 0 ? [] : parseDer(body, depth + 1) });
    at = end;
  }
  return found;
}
/** The child of the first element at a path of indexes. */
export function at(node: Asn1 | undefined, ...path: readonly number[]): Asn1 {
  let current = node;
  for (const index of path) current = current?.children[index];
  if (current === undefined) throw broken();
  return current;
}
/** In the dotted form. */
export function oidOf({ tag, body }: Asn1): string {
  if (tag !== Tag.OID) throw broken();
  const parts: number[] = [];
  let value = 0;
  for (const byte of body) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (parts.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      parts.push(first, value - 40 * first);
    } else parts.push(value);
    value = 0;
  }
  return parts.join(".");
}
export function integerOf({ tag, body }: Asn1): number {
  if (tag !== Tag.INTEGER || body.length === 0 || body.length > 6) throw broken();
  return body.readUIntBE(0, body.length);
}
