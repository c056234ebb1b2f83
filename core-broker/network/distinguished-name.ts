/** The subject of a certificate as RFC 2253 writes it, in the form of Java's X500Principal: that is what ACLs of Kafka name. */
import { type Asn1, at, oidOf, parseDer } from "../base/key-store/asn1.ts";

/** The names that RFC 2253 knows; other attributes are told by number, with their DER in hexadecimal digits. */
const NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "STREET",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "0.9.2342.19200300.100.1.25": "DC",
  "0.9.2342.19200300.100.1.1": "UID",
};
const UTF8 = 0x0c;
const LATIN1_TAGS: readonly number[] = [0x13, 0x14, 0x16, 0x1b];
const BMP = 0x1e;

/** `certificate` is DER. Most specific part first. */
export function subjectOf(certificate: Buffer): string {
  const [root] = parseDer(certificate);
  const body = at(root, 0);
  // Version 3 has its number in front, as [0].
  const subject = at(body, body.children[0]?.tag === 0xa0 ? 5 : 4);
  return [...subject.children].reverse().map(relativeName).join(",");
}
const relativeName = (set: Asn1): string => set.children.map(attribute).join("+");
function attribute(pair: Asn1): string {
  const type = oidOf(at(pair, 0));
  const value = at(pair, 1);
  const name = NAMES[type];
  const text = name === undefined ? null : textOf(value);
  return text === null ? `${name ?? type}=#${value.whole.toString("hex")}` : `${name}=${escaped(text)}`;
}
function textOf({ tag, body }: Asn1): string | null {
  if (tag === UTF8) return body.toString("utf8");
  if (LATIN1_TAGS.includes(tag)) return body.toString("latin1");
  return tag === BMP ? Buffer.from(body).swap16().toString("utf16le") : null;
}
function escaped(text: string): string {
  const inner = text.replaceAll("\0", "\\00").replaceAll(/[,=+<>#;"\\]/g, "\\$&");
  const lead = /^ */.exec(inner)?.[0].length ?? 0;
  const rest = inner.slice(lead);
  const trail = / *$/.exec(rest)?.[0].length ?? 0;
  return "\\ ".repeat(lead) + rest.slice(0, rest.length - trail) + "\\ ".repeat(trail);
}
