/** Trust and key stores that openssl and keytool wrote. */
import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPkcs12 } from "#connectors/mysql/pkcs12";
import { pemOf } from "#connectors/mysql/server-settings";

const STORES = join(import.meta.dirname, "fixtures/stores");
const certificate = new X509Certificate(readFileSync(join(STORES, "certificate.pem")));
const PASSWORD = "geheim";

test.each(["openssl.p12", "keytool.p12"])("%s", (name) => {
  const bytes = readFileSync(join(STORES, name));
  const { certificates, keys } = readPkcs12(bytes, PASSWORD);
  expect(certificates.map((c) => new X509Certificate(c).fingerprint256)).toEqual([certificate.fingerprint256]);
  expect(keys.map((k) => createPublicKey(k).equals(certificate.publicKey))).toEqual(name === "openssl.p12" ? [true] : []);
  expect(() => readPkcs12(bytes, "other")).toThrow("its password is wrong");
});
test("a certificate that fills its last line of PEM", () => {
  const { certificates } = readPkcs12(readFileSync(join(STORES, "full-lines.p12")), PASSWORD);
  expect(certificates.map((c) => [c.split("\n").at(-3)?.length, new X509Certificate(c).subject])).toEqual([[64, "CN=ca"]]);
});
test("damaged stores are refused, never read on for ever", () => {
  const bytes = readFileSync(join(STORES, "keytool.p12"));
  fc.assert(
    fc.property(fc.nat(60), fc.nat(255), fc.nat(bytes.length), (at, value, keep) => {
      const copy = Buffer.from(bytes.subarray(0, keep));
      if (at < copy.length) copy[at] = value;
      try {
        readPkcs12(copy, PASSWORD);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 150 },
  );
  expect(() => readPkcs12(bytes.subarray(0, bytes.length >> 1), PASSWORD)).toThrow();
});
test("a PEM file is taken as it is; what is neither is refused with what to do", () => {
  expect(pemOf({ path: join(STORES, "certificate.pem"), password: null }, "database.ssl.truststore")).toContain("BEGIN CERTIFICATE");
  const folder = mkdtempSync(join(tmpdir(), "stores-"));
  const path = join(folder, "old.jks");
  writeFileSync(path, Buffer.from("feedfeed00000002", "hex"));
  expect(() => pemOf({ path, password: PASSWORD }, "database.ssl.truststore")).toThrow(/neither PEM nor PKCS#12.*keytool/);
  expect(() => pemOf({ path: join(folder, "absent"), password: null }, "database.ssl.keystore")).toThrow(
    /database.ssl.keystore.*cannot be read/,
  );
  rmSync(folder, { recursive: true });
});
