/**
 * Certificates and keys of PKCS12 files (RFC 7292): OpenSSL only opens files that hold a key, and mysql2 passes only PEM on. Read are
 * bags that are plain or encrypted with PBES2 (RFC 8018), which is what keytool (Java 17 and later) and OpenSSL 3 write. The file's MAC
 * is not checked: a wrong password shows in the padding or the structure.
 */
import { createDecipheriv, createPrivateKey, pbkdf2Sync, X509Certificate } from "node:crypto";
import { type Asn1, at, integerOf, oidOf, parseDer, Tag } from "./asn1.ts";

const ITERATIONS_MAX = 10_000_000;
const broken = (): Error => new Error("not a PKCS12 file that can be read");
function only(bytes: Buffer): Asn1 {
  const [first] = parseDer(bytes);
  if (first === undefined) throw broken();
  return first;
}

const DATA = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
const KEY_BAG = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2";
const CERT_BAG = "1.2.840.113549.1.12.10.1.3";
const X509 = "1.2.840.113549.1.9.22.1";
const PBES2 = "1.2.840.113549.1.5.13";
const PRFS: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "sha1",
  "1.2.840.113549.2.9": "sha256",
  "1.2.840.113549.2.10": "sha384",
  "1.2.840.113549.2.11": "sha512",
};
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  "2.16.840.1.101.3.4.1.2": { name: "aes-128-cbc", keyBytes: 16 },
  "2.16.840.1.101.3.4.1.22": { name: "aes-192-cbc", keyBytes: 24 },
  "2.16.840.1.101.3.4.1.42": { name: "aes-256-cbc", keyBytes: 32 },
};

/** PEM texts. */
export interface Pkcs12Content {
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}
/** `keyPassword`: where keys have one of their own. Throws an Error that says what is wrong with the file or a password. */
export function readPkcs12(bytes: Buffer, password: string, keyPassword = password): Pkcs12Content {
  const pfx = only(bytes);
  if (pfx.tag !== Tag.SEQUENCE || oidOf(at(pfx, 1, 0)) !== DATA) throw broken();
  const safes = only(octets(at(pfx, 1, 1, 0)));
  const into: { certificates: string[]; keys: string[] } = { certificates: [], keys: [] };
  for (const info of safes.children) {
    const type = oidOf(at(info, 0));
    if (type === DATA) readBags(octets(at(info, 1, 0)), keyPassword, into);
    else if (type === ENCRYPTED_DATA) {
      const content = at(info, 1, 0, 1);
      readBags(decrypt(at(content, 1), at(content, 2).body, password), keyPassword, into);
    }
  }
  return into;
}
function octets(node: Asn1): Buffer {
  if ((node.tag & 0x1f) !== Tag.OCTETS && node.tag !== 0x80) throw broken();
  return node.body;
}
function readBags(content: Buffer, keyPassword: string, into: { certificates: string[]; keys: string[] }): void {
  for (const bag of only(content).children) {
    const type = oidOf(at(bag, 0));
    if (type === CERT_BAG && oidOf(at(bag, 1, 0, 0)) === X509)
      into.certificates.push(new X509Certificate(octets(at(bag, 1, 0, 1, 0))).toString());
    else if (type === KEY_BAG) into.keys.push(pemKey(at(bag, 1, 0).whole));
    else if (type === SHROUDED_KEY_BAG) into.keys.push(pemKey(decrypt(at(bag, 1, 0, 0), octets(at(bag, 1, 0, 1)), keyPassword)));
  }
}
const pemKey = (der: Buffer): string =>
  createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }).toString();
function decrypt(algorithm: Asn1, cipherText: Buffer, password: string): Buffer {
  if (oidOf(at(algorithm, 0)) !== PBES2) {
    throw new Error("its encryption is an old one; write it anew with a keytool of Java 17 or OpenSSL 3");
  }
  const [kdf, scheme] = [at(algorithm, 1, 0), at(algorithm, 1, 1)];
  const cipher = CIPHERS[oidOf(at(scheme, 0))];
  const parameters = at(kdf, 1);
  const iterations = integerOf(at(parameters, 1));
  const last = parameters.children.at(-1);
  const prf = last?.tag === Tag.SEQUENCE ? PRFS[oidOf(at(last, 0))] : "sha1";
  if (cipher === undefined || prf === undefined || iterations < 1 || iterations > ITERATIONS_MAX) throw broken();
  const key = pbkdf2Sync(password, at(parameters, 0).body, iterations, cipher.keyBytes, prf);
  const decipher = createDecipheriv(cipher.name, key, at(scheme, 1).body);
  try {
    return Buffer.concat([decipher.update(cipherText), decipher.final()]);
  } catch (cause) {
    throw new Error("the password is wrong, or the file is damaged", { cause });
  }
}
