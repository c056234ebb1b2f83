/**
 * TLS of REST listeners by Kafka's names: `listeners.https.ssl.*` (all of them or none), else `ssl.*`. Stores as PEM or
 * PKCS12; JKS is a format of the JVM and is refused with the way out. The same material serves requests to other workers.
 */
import { readFileSync } from "node:fs";
import { pkcs12Certificates } from "#broker/security/pkcs12";
import { ConfigError } from "../api/errors.ts";
import type { ConfigMap } from "../worker/types.ts";

export interface TlsMaterial {
  readonly key?: string;
  readonly cert?: string;
  readonly pfx?: Buffer;
  readonly passphrase?: string;
  readonly ca?: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly ciphers?: string;
  /** `ssl.client.auth` requested or required: a certificate is asked for. */
  readonly requestCert: boolean;
  /** required: connections without a trusted certificate are refused. */
  readonly rejectUnauthorized: boolean;
}
/** `prefix`: "listeners.https." or "admin.listeners.https.". Throws ConfigError. */
export function tlsMaterial(config: ConfigMap, prefix: string): TlsMaterial {
  const prefixed = Object.keys(config).some((key) => key.startsWith(prefix));
  const read = (name: string): string | null => {
    const value = config[(prefixed ? prefix : "") + name];
    return value === undefined || value === "" ? null : value;
  };
  const auth = (read("ssl.client.auth") ?? "none").toLowerCase();
  const protocols = (read("ssl.enabled.protocols") ?? "TLSv1.2,TLSv1.3").split(",").map((p) => p.trim());
  const ciphers = read("ssl.cipher.suites");
  const ca = trusted(read);
  return {
    ...identity(read),
    ...(ca === null ? {} : { ca }),
    ...(ciphers === null ? {} : { ciphers: ciphers.replaceAll(/\s*,\s*/g, ":") }),
    minVersion: protocols.includes("TLSv1.2") ? "TLSv1.2" : "TLSv1.3",
    requestCert: auth === "required" || auth === "requested",
    rejectUnauthorized: auth === "required",
  };
}
type Read = (name: string) => string | null;

function identity(read: Read): Pick<TlsMaterial, "key" | "cert" | "pfx" | "passphrase"> {
  const password = read("ssl.key.password") ?? read("ssl.keystore.password");
  const passphrase = password === null ? {} : { passphrase: password };
  const chain = read("ssl.keystore.certificate.chain");
  const key = read("ssl.keystore.key");
  if (chain !== null && key !== null) return { key, cert: chain, ...passphrase };
  const location = read("ssl.keystore.location");
  if (location === null) {
    throw new ConfigError(
      "listeners: an https address needs ssl.keystore.location, or ssl.keystore.key and ssl.keystore.certificate.chain",
    );
  }
  const store = file("ssl.keystore.location", location);
  if (storeType(read, "ssl.keystore", store) === "PEM") return { key: store.toString(), cert: store.toString(), ...passphrase };
  const storePassword = read("ssl.keystore.password");
  return { pfx: store, ...(storePassword === null ? {} : { passphrase: storePassword }) };
}
function trusted(read: Read): string | null {
  const inline = read("ssl.truststore.certificates");
  if (inline !== null) return inline;
  const location = read("ssl.truststore.location");
  if (location === null) return null;
  const store = file("ssl.truststore.location", location);
  if (storeType(read, "ssl.truststore", store) === "PEM") return store.toString();
  try {
    return pkcs12Certificates(store, read("ssl.truststore.password") ?? "").join("\n");
  } catch (error) {
    throw new ConfigError(`Invalid value ${location} for configuration ssl.truststore.location: ${String(error)}`, error);
  }
}
/** By the content: Kafka's default JKS says little, since keytool writes PKCS12 under every name. */
function storeType(read: Read, store: string, bytes: Buffer): "PEM" | "PKCS12" {
  const given = (read(`${store}.type`) ?? "JKS").toUpperCase();
  if (!["JKS", "PKCS12", "PEM"].includes(given))
    throw new ConfigError(`Invalid value ${given} for configuration ${store}.type: PEM and PKCS12 are read`);
  if (bytes.length > 3 && bytes.readUInt32BE(0) === JKS_MAGIC) {
    throw new ConfigError(
      `Invalid value ${given} for configuration ${store}.type: a JKS file is a format of the JVM; convert it with keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype PKCS12`,
    );
  }
  return bytes[0] === DER_SEQUENCE ? "PKCS12" : "PEM";
}
const JKS_MAGIC = 0xfeedfeed;
const DER_SEQUENCE = 0x30;
function file(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`Invalid value ${path} for configuration ${setting}: the file cannot be read`, error);
  }
}
