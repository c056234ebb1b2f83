/**
 * Key and trust stores by what they are: PEM, PKCS12 or Java's JKS (and JCEKS). What a file is counts more than what a setting says of
 * it: Kafka's default type is JKS, and since Java 9 keytool writes PKCS12 under every name.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isJks, jksCertificates, jksKey } from "./jks.ts";
import { readPkcs12 } from "./pkcs12.ts";

export type StoreType = "PEM" | "PKCS12" | "JKS";
const DER_SEQUENCE = 0x30;
export function storeType(bytes: Buffer): StoreType {
  if (isJks(bytes)) return "JKS";
  return bytes[0] === DER_SEQUENCE ? "PKCS12" : "PEM";
}

export interface StoredKey {
  /** PEM; that of a PEM file may be encrypted. */
  readonly key: string;
  /** PEM, the key's own certificate first. */
  readonly chain: string;
}
/** The first key. Throws an Error that says what is wrong with the file or a password. */
export function storedKey(bytes: Buffer, storePassword: string | undefined, keyPassword = storePassword): StoredKey {
  switch (storeType(bytes)) {
    case "JKS":
      return jksKey(bytes, storePassword, keyPassword ?? "");
    case "PKCS12": {
      const { keys, certificates } = readPkcs12(bytes, storePassword ?? keyPassword ?? "", keyPassword ?? "");
      const [key] = keys;
      if (key === undefined) throw new Error("there is no key in it");
      const own = createPrivateKey(key);
      const isOwn = (pem: string): boolean => new X509Certificate(pem).checkPrivateKey(own);
      return { key, chain: certificates.toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a))).join("") };
    }
    default:
      return { key: pem(bytes), chain: pem(bytes) };
  }
}
/** What is trusted, as PEM. Throws an Error that says what is wrong with the file or the password. */
export function storedCertificates(bytes: Buffer, password: string | undefined): readonly string[] {
  switch (storeType(bytes)) {
    case "JKS":
      return jksCertificates(bytes, password);
    case "PKCS12": {
      const { certificates } = readPkcs12(bytes, password ?? "");
      if (certificates.length === 0) throw new Error("there is no certificate in it");
      return certificates;
    }
    default:
      return [pem(bytes)];
  }
}
const PEM = /-----BEGIN [A-Z0-9 ]+-----/;
function pem(bytes: Buffer): string {
  const text = bytes.toString();
  if (!PEM.test(text)) throw new Error("it is neither PEM nor a PKCS12 or JKS store");
  return text;
}
