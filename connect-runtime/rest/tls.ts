/**
 * TLS of REST listeners by Kafka's names: `listeners.https.ssl.*` (all of them or none), else `ssl.*`. Stores as PEM,
 * PKCS12 or JKS. The same material serves requests to other workers.
 */
import { readFileSync } from "node:fs";
import { storedCertificates, type StoredKey, storedKey, type StoreType, storeType } from "#broker/base/key-store/key-store";
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
  const storePassword = read("ssl.keystore.password");
  switch (checkedType(read, "ssl.keystore", store)) {
    case "PEM":
      return { key: store.toString(), cert: store.toString(), ...passphrase };
    case "JKS": {
      const open = (): StoredKey => storedKey(store, storePassword ?? undefined, password ?? undefined);
      const found = opened("ssl.keystore.location", location, open);
      return { key: found.key, cert: found.chain };
    }
    default:
      return { pfx: store, ...(storePassword === null ? {} : { passphrase: storePassword }) };
  }
}
function trusted(read: Read): string | null {
  const inline = read("ssl.truststore.certificates");
  if (inline !== null) return inline;
  const location = read("ssl.truststore.location");
  if (location === null) return null;
  const store = file("ssl.truststore.location", location);
  if (checkedType(read, "ssl.truststore", store) === "PEM") return store.toString();
  const password = read("ssl.truststore.password") ?? undefined;
  return opened("ssl.truststore.location", location, () => storedCertificates(store, password).join("\n"));
}
function opened<T>(setting: string, location: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`Invalid value ${location} for configuration ${setting}: ${why}`, error);
  }
}
function checkedType(read: Read, store: string, bytes: Buffer): StoreType {
  const given = (read(`${store}.type`) ?? "JKS").toUpperCase();
  if (!["JKS", "PKCS12", "PEM"].includes(given))
    throw new ConfigError(`Invalid value ${given} for configuration ${store}.type: PEM, PKCS12 and JKS are read`);
  return storeType(bytes);
}
function file(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`Invalid value ${path} for configuration ${setting}: the file cannot be read`, error);
  }
}
