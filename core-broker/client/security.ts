/**
 * How a connection is secured: `security.protocol`, `ssl.*` (PEM of KIP-651, or PEM, PKCS12 and JKS stores) and
 * `sasl.*`.
 */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { storedCertificates, storedKey } from "../base/key-store/key-store.ts";
import { ConfigReader, invalid } from "./config.ts";
import type { ClientConfig } from "./types.ts";

const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] as const;
type Mechanism = (typeof MECHANISMS)[number];
export interface SaslConfig {
  readonly mechanism: Mechanism;
  readonly username: string;
  readonly password: string;
  /** OAUTHBEARER: the token sent; null makes an unsecured one from `claims`. */
  readonly token: string | null;
  readonly claims: Readonly<Record<string, string>>;
}
export interface SecurityConfig {
  readonly tls: ConnectionOptions | null;
  readonly sasl: SaslConfig | null;
}

export function securityConfig(config: ClientConfig): SecurityConfig {
  const read = new ConfigReader(config);
  const protocol = read.oneOf("security.protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], "PLAINTEXT");
  return {
    tls: protocol.endsWith("SSL") ? tlsOptions(read) : null,
    sasl: protocol.startsWith("SASL") ? saslConfig(read) : null,
  };
}

function tlsOptions(read: ConfigReader): ConnectionOptions {
  const options: ConnectionOptions = { minVersion: "TLSv1.2" };
  const passphrase = read.text("ssl.key.password");
  const inline = read.text("ssl.truststore.certificates");
  const trust = inline ?? fromStore(read, "ssl.truststore", (bytes, password) => [...storedCertificates(bytes, password)]);
  if (trust !== null) options.ca = trust;
  const chain = read.text("ssl.keystore.certificate.chain");
  const key = read.text("ssl.keystore.key");
  const complete = chain !== null && key !== null;
  const store = complete ? null : fromStore(read, "ssl.keystore", (bytes, password) => storedKey(bytes, password, passphrase ?? password));
  const cert = chain ?? store?.chain;
  if (cert !== undefined) options.cert = cert;
  const own = key ?? store?.key;
  if (own !== undefined) options.key = own;
  if (passphrase !== null) options.passphrase = passphrase;
  // An empty value is Kafka's way to turn the host name check off.
  if ((read.raw("ssl.endpoint.identification.algorithm") ?? "https").trim().toLowerCase() !== "https") {
    options.checkServerIdentity = () => undefined;
  }
  return options;
}
/** Null: no store is set. Throws BrokerError(INVALID_CONFIG). */
function fromStore<T>(read: ConfigReader, store: string, open: (bytes: Buffer, password: string | undefined) => T): T | null {
  const location = read.text(`${store}.location`);
  if (location === null) return null;
  const type = read.textOr(`${store}.type`, "JKS");
  if (!["JKS", "PKCS12", "PEM"].includes(type.toUpperCase())) throw invalid(`${store}.type`, type, "PEM, PKCS12 or JKS expected");
  try {
    return open(readFileSync(location), read.text(`${store}.password`) ?? undefined);
  } catch (error) {
    throw invalid(`${store}.location`, location, error instanceof Error ? error.message : String(error));
  }
}

function saslConfig(read: ConfigReader): SaslConfig {
  const mechanism = read.oneOf("sasl.mechanism", MECHANISMS, "PLAIN");
  const jaas = jaasOptions(read.text("sasl.jaas.config") ?? "");
  const claims = Object.fromEntries(
    Object.entries(jaas).flatMap(([key, value]) =>
      key.startsWith("unsecuredLoginStringClaim_") ? [[key.slice("unsecuredLoginStringClaim_".length), value] as const] : [],
    ),
  );
  const username = jaas["username"] ?? read.text("sasl.username") ?? "";
  const password = jaas["password"] ?? read.text("sasl.password") ?? "";
  if (mechanism !== "OAUTHBEARER" && username === "") {
    throw invalid("sasl.jaas.config", null, `${mechanism} needs username="…" and password="…"`);
  }
  return { mechanism, username, password, token: read.text("sasl.oauthbearer.token"), claims };
}
/** The options of a JAAS line (`Module required name="value" …;`); the module's name does not matter here. */
export function jaasOptions(line: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const match of line.matchAll(/([\w.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;]+))/g)) {
    const name = match[1];
    if (name !== undefined) found[name] = match[4] ?? (match[2] ?? match[3] ?? "").replace(/\\(.)/g, "$1");
  }
  return found;
}
