/** Trust and key stores that openssl and keytool (Java 17) wrote. Those named key and trust hold fixture.pem, the rest certificate.pem. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { storedCertificates, storedKey } from "#broker/base/key-store/key-store";
import { securityConfig } from "#broker/client/security";
import { tlsMaterial } from "#connect/rest/tls";
import { ownKey, trustedCertificates } from "#connectors/cdc/tls-stores";

const STORES = join(import.meta.dirname, "stores");
const path = (name: string): string => join(STORES, name);
const bytesOf = (name: string): Buffer => readFileSync(path(name));
const certificate = new X509Certificate(bytesOf("certificate.pem"));
const fixture = new X509Certificate(bytesOf("fixture.pem"));
const PASSWORD = "geheim";
const JAVA_PASSWORD = "geheim1";
const KEY_PASSWORD = "schluessel";
const fingerprints = (pems: readonly string[]): string[] => pems.map((pem) => new X509Certificate(pem).fingerprint256);
const text = (pem: unknown): string => (Array.isArray(pem) ? pem.join("") : typeof pem === "string" ? pem : "");
const isOf = (key: string, owner: X509Certificate): boolean => owner.checkPrivateKey(createPrivateKey(key));

test.each(["openssl.p12", "keytool.p12"])("%s", (name) => {
  expect(fingerprints(storedCertificates(bytesOf(name), PASSWORD))).toEqual([certificate.fingerprint256]);
  if (name === "openssl.p12") expect(isOf(storedKey(bytesOf(name), PASSWORD).key, certificate)).toBe(true);
  else expect(() => storedKey(bytesOf(name), PASSWORD)).toThrow("there is no key in it");
  expect(() => storedCertificates(bytesOf(name), "other")).toThrow("the password is wrong, or the file is damaged");
});
test("a certificate that fills its last line of PEM", () => {
  expect(storedCertificates(bytesOf("full-lines.p12"), PASSWORD).map((c) => new X509Certificate(c).subject)).toEqual(["CN=ca"]);
});
test.each(["trust.jks", "trust.jceks", "key.jks", "key.jceks"])("%s: what is trusted", (name) => {
  expect(fingerprints(storedCertificates(bytesOf(name), JAVA_PASSWORD))).toEqual([fixture.fingerprint256]);
  // Java checks nothing without a password.
  expect(fingerprints(storedCertificates(bytesOf(name), undefined))).toEqual([fixture.fingerprint256]);
  expect(() => storedCertificates(bytesOf(name), "other")).toThrow("the password is wrong, or the file is damaged");
});
test.each([
  ["key.jks", KEY_PASSWORD],
  ["key.p12", undefined],
] as const)("%s: the key with its certificate", (name, keyPassword) => {
  const { key, chain } = storedKey(bytesOf(name), JAVA_PASSWORD, keyPassword);
  expect([isOf(key, fixture), new X509Certificate(chain).fingerprint256]).toEqual([true, fixture.fingerprint256]);
  expect(() => storedKey(bytesOf(name), "other", keyPassword)).toThrow("password is wrong");
  expect(() => storedKey(bytesOf(name), JAVA_PASSWORD, "other")).toThrow(/password .*is wrong/);
});
test("a key that JCEKS protects is told from one with a wrong password; a store without a key", () => {
  expect(() => storedKey(bytesOf("key.jceks"), JAVA_PASSWORD)).toThrow("protected in a way that is not known");
  expect(() => storedKey(bytesOf("trust.jks"), JAVA_PASSWORD)).toThrow("there is no key in it");
});
test.each(["keytool.p12", "key.p12", "key.jks", "trust.jks", "key.jceks"])("%s, damaged: refused or read, never for ever", (name) => {
  const bytes = bytesOf(name);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), fc.boolean(), (at, value, keep, password) => {
      const copy = Buffer.from(bytes.subarray(0, keep));
      if (at < copy.length) copy[at] = value;
      for (const read of [storedCertificates, storedKey])
        try {
          read(copy, password ? JAVA_PASSWORD : undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
    }),
    { numRuns: 100 },
  );
  for (let length = 0; length < bytes.length; length += 9)
    expect(() => storedCertificates(bytes.subarray(0, length), JAVA_PASSWORD)).toThrow();
});

describe("by settings", () => {
  test("of database connectors", () => {
    const pem = trustedCertificates({ path: path("certificate.pem"), password: null }, "database.ssl.truststore");
    expect(fingerprints([pem])).toEqual([certificate.fingerprint256]);
    const jks = { path: path("trust.jks"), password: JAVA_PASSWORD };
    expect(fingerprints([trustedCertificates(jks, "database.ssl.truststore")])).toEqual([fixture.fingerprint256]);
    expect(isOf(ownKey({ path: path("key.p12"), password: JAVA_PASSWORD }, "database.ssl.keystore").key, fixture)).toBe(true);
    expect(() => trustedCertificates({ ...jks, password: "other" }, "database.ssl.truststore")).toThrow(
      /'database.ssl.truststore' .*trust.jks cannot be read: the password is wrong/,
    );
    const folder = mkdtempSync(join(tmpdir(), "stores-"));
    const short = join(folder, "short.jks");
    writeFileSync(short, Buffer.from("feedfeed00000002", "hex"));
    writeFileSync(join(folder, "text"), "no store");
    expect(() => trustedCertificates({ path: short, password: PASSWORD }, "database.ssl.truststore")).toThrow(/ends too early/);
    expect(() => trustedCertificates({ path: join(folder, "text"), password: null }, "database.ssl.truststore")).toThrow(
      /neither PEM nor a PKCS12 or JKS store/,
    );
    expect(() => ownKey({ path: join(folder, "absent"), password: null }, "database.ssl.keystore")).toThrow(
      /database.ssl.keystore.*ENOENT/,
    );
    rmSync(folder, { recursive: true });
  });
  const settings = (key: string, trust: string, password: string): Record<string, string> => ({
    "ssl.keystore.location": path(key),
    "ssl.keystore.password": password,
    "ssl.key.password": key === "key.jks" ? KEY_PASSWORD : password,
    "ssl.truststore.location": path(trust),
    "ssl.truststore.password": password,
  });
  test.each(["key.jks", "key.p12"])("of Kafka's clients, %s", (name) => {
    const { tls } = securityConfig({ "security.protocol": "SSL", ...settings(name, "trust.jks", JAVA_PASSWORD) });
    expect(isOf(text(tls?.key), fixture)).toBe(true);
    expect(fingerprints([text(tls?.cert), text(tls?.ca)])).toEqual([fixture.fingerprint256, fixture.fingerprint256]);
    expect(() => securityConfig({ "security.protocol": "SSL", ...settings(name, "trust.jks", "other") })).toThrow(
      /ssl.truststore.location.*password/,
    );
  });
  test("of the worker's listeners", () => {
    const { key = "", cert = "", ca = "" } = tlsMaterial(settings("key.jks", "trust.jks", JAVA_PASSWORD), "listeners.https.");
    expect([isOf(key, fixture), ...fingerprints([cert, ca])]).toEqual([true, fixture.fingerprint256, fixture.fingerprint256]);
    expect(() => tlsMaterial(settings("key.jks", "trust.jks", "other"), "listeners.https.")).toThrow(
      /ssl.truststore.location: the password is wrong/,
    );
  });
});
