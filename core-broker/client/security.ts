/**
 * How a connection is secured: `security.protocol`, PEM material of `ssl.*` (KIP-651) and `sasl.*`. JKS stores are a JVM
 * format and are refused with the way out.
 */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
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
  const ca = pem(read, "ssl.truststore", "ssl.truststore.certificates");
  if (ca !== null) options.ca = ca;
  const store = pem(read, "ssl.keystore", null);
  const chain = read.text("ssl.keystore.certificate.chain") ?? store;
  const key = read.text("ssl.keystore.key") ?? store;
  if (chain !== null) options.cert = chain;
  if (key !== null) options.key = key;
  const passphrase = read.text("ssl.key.password");
  if (passphrase !== null) options.passphrase = passphrase;
  // An empty value is Kafka's way to turn the host name check off.
  if ((read.raw("ssl.endpoint.identification.algorithm") ?? "https").trim().toLowerCase() !== "https") {
    options.checkServerIdentity = () => undefined;
  }
  return options;
}
function pem(read: ConfigReader, store: string, inline: string | null): string | null {
  const given = inline === null ? null : read.text(inline);
  if (given !== null) return given;
  const location = read.text(`${store}.location`);
  if (location === null) return null;
  const type = read.textOr(`${store}.type`, /\.(pem|crt|cer|key)$/i.test(location) ? "PEM" : "JKS");
  if (type.toUpperCase() !== "PEM") {
    throw invalid(`${store}.type`, type, "only PEM is supported; convert the store (keytool -exportcert -rfc, openssl pkcs12)");
  }
  return readFileSync(location, "utf8");
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
