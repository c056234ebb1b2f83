/**
 * Java's own key store format (JKS), which Kafka reads by default and keytool wrote until Java 8: a list of entries, private keys
 * masked with a stream made of SHA-1, and a digest over all with the store's password. The layout is that of the JDK's JavaKeyStore
 * and KeyProtector. JCEKS has the same, but for its keys, which are not read.
 */
import { createHash, createPrivateKey, timingSafeEqual, X509Certificate } from "node:crypto";
import { at, oidOf, parseDer } from "./asn1.ts";

const JKS_MAGIC = 0xfeedfeed;
const JCEKS_MAGIC = 0xcececece;
/** Where a JCEKS file has a secret key, a serialized Java object. */
const SECRET_ENTRY = 3;
const KEY_ENTRY = 1;
const CERTIFICATE_ENTRY = 2;
const DIGEST_BYTES = 20;
const DIGEST_PHRASE = "Mighty Aphrodite";
const SUN_KEY_PROTECTOR = "1.3.6.1.4.1.42.2.17.1.1";

export interface JksKey {
  /** PEM, PKCS #8, not encrypted. */
  readonly key: string;
  /** PEM, the own certificate first. */
  readonly chain: string;
}
interface Entry {
  readonly protectedKey: Buffer | null;
  readonly certificates: readonly string[];
}

export const isJks = (bytes: Buffer): boolean => bytes.length >= 4 && [JKS_MAGIC, JCEKS_MAGIC].includes(bytes.readUInt32BE(0));

/** The first key with its chain. Throws an Error that says what is wrong with the file or a password. */
export function jksKey(bytes: Buffer, storePassword: string | undefined, keyPassword: string): JksKey {
  const found = entries(bytes, storePassword).find(({ protectedKey }) => protectedKey !== null);
  if (found === undefined || found.protectedKey === null) throw new Error("there is no key in it");
  const der = unprotect(found.protectedKey, keyPassword);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { key: key.export({ format: "pem", type: "pkcs8" }).toString(), chain: found.certificates.join("") };
}
/**
 * Certificates that are trusted: entries of their own, and those of keys without what signed them. Without a password the file's digest is
 * not checked. Both as in Java.
 */
export function jksCertificates(bytes: Buffer, password: string | undefined): string[] {
  const found = entries(bytes, password).flatMap(({ certificates }) => certificates.slice(0, 1));
  if (found.length === 0) throw new Error("there is no certificate in it");
  return found;
}

const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();
const sha1 = (...parts: readonly (Buffer | string)[]): Buffer => {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
function entries(bytes: Buffer, password: string | undefined): Entry[] {
  const end = bytes.length - DIGEST_BYTES;
  if (password !== undefined && end > 0) {
    const digest = sha1(utf16(password), DIGEST_PHRASE, bytes.subarray(0, end));
    if (!timingSafeEqual(digest, bytes.subarray(end))) throw new Error("the password is wrong, or the file is damaged");
  }
  const reader = new EntryReader(bytes.subarray(0, Math.max(0, end)));
  if (!isJks(bytes)) throw new Error("not a JKS file");
  reader.uint32();
  const version = reader.uint32();
  const count = reader.uint32();
  const found: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const tag = reader.uint32();
    reader.text(); // alias
    reader.take(8); // date
    if (tag === SECRET_ENTRY) throw new Error("there is a secret key in it, which is not read; take that entry out");
    if (tag !== KEY_ENTRY && tag !== CERTIFICATE_ENTRY) throw new Error(`there is an entry of an unknown kind in it: ${tag}`);
    const protectedKey = tag === KEY_ENTRY ? reader.take(reader.uint32()) : null;
    const length = tag === KEY_ENTRY ? reader.uint32() : 1;
    const certificates: string[] = [];
    for (let c = 0; c < length; c++) {
      if (version > 1) reader.text(); // "X.509"
      certificates.push(new X509Certificate(reader.take(reader.uint32())).toString());
    }
    found.push({ protectedKey, certificates });
  }
  return found;
}
function unprotect(info: Buffer, password: string): Buffer {
  const [root] = parseDer(info);
  if (root === undefined || oidOf(at(root, 0, 0)) !== SUN_KEY_PROTECTOR) throw new Error("its key is protected in a way that is not known");
  const body = at(root, 1).body;
  const masked = body.subarray(DIGEST_BYTES, body.length - DIGEST_BYTES);
  const secret = utf16(password);
  const key = Buffer.alloc(masked.length);
  let digest = body.subarray(0, DIGEST_BYTES);
  for (let i = 0; i < masked.length; i++) {
    if (i % DIGEST_BYTES === 0) digest = sha1(secret, digest);
    key[i] = (masked[i] ?? 0) ^ (digest[i % DIGEST_BYTES] ?? 0);
  }
  const check = body.subarray(body.length - DIGEST_BYTES);
  if (check.length < DIGEST_BYTES || !timingSafeEqual(sha1(secret, key), check)) throw new Error("the password of its key is wrong");
  return key;
}

class EntryReader {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Error("the file ends too early");
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }
  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }
  text(): string {
    return this.take(this.take(2).readUInt16BE(0)).toString();
  }
}
