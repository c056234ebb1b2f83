/**
 * TLS of REST listeners by Kafka's names: `listeners.https.ssl.*` (all of them or none), else `ssl.*`. Stores as PEM or
 * PKCS12; JKS is a format of the JVM and is refused with the way out. The same material serves requests to other workers.
 */
import { readFileSync } from "node:fs";
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
  switch (storeType(read, "ssl.keystore", location)) {
    case "PEM": {
      const both = file("ssl.keystore.location", location).toString();
      return { key: both, cert: both, ...passphrase };
    }
    default: {
      const store = read("ssl.keystore.password");
      return { pfx: file("ssl.keystore.location", location), ...(store === null ? {} : { passphrase: store }) };
    }
  }
}
function trusted(read: Read): string | null {
  const inline = read("ssl.truststore.certificates");
  if (inline !== null) return inline;
  const location = read("ssl.truststore.location");
  if (location === null) return null;
  if (storeType(read, "ssl.truststore", location) !== "PEM") {
    throw new ConfigError(
      `Invalid value ${location} for configuration ssl.truststore.location: trusted certificates are read as PEM; convert the store (openssl pkcs12 -in STORE -nokeys -out ca.pem) and set ssl.truststore.type=PEM`,
    );
  }
  return file("ssl.truststore.location", location).toString();
}
function storeType(read: Read, store: string, location: string): "PEM" | "PKCS12" {
  const guessed = /\.(p12|pfx)$/i.test(location) ? "PKCS12" : /\.(pem|crt|cer|key)$/i.test(location) ? "PEM" : "JKS";
  const type = (read(`${store}.type`) ?? guessed).toUpperCase();
  if (type === "PEM" || type === "PKCS12") return type;
  throw new ConfigError(
    `Invalid value ${type} for configuration ${store}.type: only PEM and PKCS12 are read; convert the store with keytool -importkeystore -deststoretype PKCS12`,
  );
}
function file(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`Invalid value ${path} for configuration ${setting}: the file cannot be read`, error);
  }
}
