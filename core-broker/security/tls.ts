/** TLS of a listener (KIP-651 for PEM): key, certificates, trust, whether clients must show a certificate. */
import type { SecureVersion, TlsOptions } from "node:tls";
import type { Properties } from "../config.ts";
import { listItems } from "../controller/configs/config-key.ts";
import type { ListenerAddress } from "../network/types.ts";
import { storedCertificates, storedKey, type StoreType, storeType } from "../base/key-store/key-store.ts";
import { fileOf, invalid, type Read, reader } from "./listener-settings.ts";
import { principalMapper } from "./principal-mapping.ts";

const VERSIONS: readonly SecureVersion[] = ["TLSv1.2", "TLSv1.3"];

/** Undefined for a listener without TLS. Throws BrokerError(INVALID_CONFIG). */
export function tlsOptions(properties: Properties, listener: ListenerAddress): TlsOptions | undefined {
  if (!listener.protocol.endsWith("SSL")) return undefined;
  const read = reader(properties, listener.name);
  // Without a prefix the setting is about certificates, and SASL has names of its own.
  const ownAuth = properties[`listener.name.${listener.name.toLowerCase()}.ssl.client.auth`]?.trim();
  const auth = (listener.protocol === "SASL_SSL" ? ownAuth : read("ssl.client.auth")) || "none";
  const ciphers = listItems(read("ssl.cipher.suites") ?? "");
  return {
    ...versions(read),
    requestCert: auth !== "none",
    rejectUnauthorized: auth === "required",
    ...keyMaterial(read),
    ...trust(read),
    ...(ciphers.length === 0 ? {} : { ciphers: ciphers.map(opensslCipher).join(":") }),
  };
}
/** By listener. Throws BrokerError(INVALID_CONFIG). */
export function certificateNames(
  properties: Properties,
  listeners: readonly ListenerAddress[],
): (listener: ListenerAddress) => (distinguishedName: string) => string {
  const mappers = new Map(
    listeners.map(({ name }) => [name, principalMapper(reader(properties, name)("ssl.principal.mapping.rules") ?? "DEFAULT")]),
  );
  return ({ name }) => mappers.get(name) ?? ((subject) => subject);
}
function versions(read: Read): TlsOptions {
  const key = "ssl.enabled.protocols";
  const enabled = listItems(read(key) ?? VERSIONS.join(","));
  const [lowest, ...higher] = VERSIONS.filter((version) => enabled.includes(version));
  if (lowest === undefined || enabled.some((each) => !VERSIONS.some((version) => version === each))) {
    throw invalid(key, `${enabled.join(",")}: the versions here are ${VERSIONS.join(", ")}`);
  }
  return { minVersion: lowest, maxVersion: higher.at(-1) ?? lowest };
}
/** Java's name of a TLS 1.2 suite to OpenSSL's: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is ECDHE-RSA-AES128-GCM-SHA256. */
function opensslCipher(name: string): string {
  const match = /^TLS_(\w+)_WITH_(\w+)$/.exec(name);
  if (match === null) return name;
  const [, exchange = "", rest = ""] = match;
  const cipher = rest
    .replace(/^(AES|CAMELLIA)_(\d+)/, "$1$2")
    .replace(/_CBC_/, "_")
    .replaceAll("_", "-");
  return exchange === "RSA"
    ? cipher
    : `${exchange.replaceAll("_", "-")}-${cipher.replace(/CHACHA20-POLY1305-SHA256/, "CHACHA20-POLY1305")}`;
}

/** Inline PEM may carry its line ends as `\n`, as properties files do. */
const inlinePem = (text: string): string => text.replaceAll("\\n", "\n");
const passphrase = (text: string | undefined): TlsOptions => (text === undefined ? {} : { passphrase: text });

function keyMaterial(read: Read): TlsOptions {
  const keyPassword = read("ssl.key.password");
  const storePassword = read("ssl.keystore.password");
  const chain = read("ssl.keystore.certificate.chain");
  const key = read("ssl.keystore.key");
  if (chain !== undefined && key !== undefined) return { cert: inlinePem(chain), key: inlinePem(key), ...passphrase(keyPassword) };
  const location = read("ssl.keystore.location");
  if (location === undefined) {
    throw invalid(
      "ssl.keystore.location",
      "a listener with TLS needs a key and a certificate (or ssl.keystore.key and ssl.keystore.certificate.chain)",
    );
  }
  const bytes = fileOf("ssl.keystore.location", location);
  const type = checkedType("ssl.keystore.type", read("ssl.keystore.type"), bytes);
  if (type === "PEM") return { cert: bytes, key: bytes, ...passphrase(keyPassword ?? storePassword) };
  if (type === "JKS") {
    const found = fromStore("ssl.keystore.location", location, () => storedKey(bytes, storePassword, keyPassword));
    return { cert: found.chain, key: found.key };
  }
  return { pfx: bytes, ...passphrase(storePassword ?? keyPassword) };
}
function trust(read: Read): TlsOptions {
  const inline = read("ssl.truststore.certificates");
  if (inline !== undefined) return { ca: inlinePem(inline) };
  const location = read("ssl.truststore.location");
  if (location === undefined) return {};
  const key = "ssl.truststore.location";
  const bytes = fileOf(key, location);
  const type = checkedType("ssl.truststore.type", read("ssl.truststore.type"), bytes);
  if (type === "PEM") return { ca: bytes };
  return { ca: [...fromStore(key, location, () => storedCertificates(bytes, read("ssl.truststore.password")))] };
}
function fromStore<T>(key: string, location: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw invalid(key, `${location}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
function checkedType(key: string, given: string | undefined, bytes: Buffer): StoreType {
  if (given !== undefined && !["JKS", "PKCS12", "PEM"].includes(given.toUpperCase()))
    throw invalid(key, `${given}: PEM, PKCS12 or JKS expected`);
  return storeType(bytes);
}
