/** TLS and SASL of a listener from server.properties; `listener.name.<name>.` before a key makes it that listener's own. */
import { readFileSync } from "node:fs";
import type { TlsOptions } from "node:tls";
import { BrokerError } from "./base/errors.ts";
import type { Random } from "./base/random.ts";
import type { Properties } from "./config.ts";
import { listItems } from "./controller/configs/config-key.ts";
import { type MetadataImage, scramKey } from "./controller/image.ts";
import { SASL_MECHANISMS, saslAuthenticator, type SaslMechanism } from "./network/sasl/authenticator.ts";
import type { Authenticator, ListenerAddress } from "./network/types.ts";

const invalid = (key: string, why: string): BrokerError =>
  new BrokerError("INVALID_CONFIG", `Invalid value for configuration ${key}: ${why}`);
type Read = (key: string) => string | undefined;
function reader(properties: Properties, listener: string): Read {
  return (key) => (properties[`listener.name.${listener.toLowerCase()}.${key}`] ?? properties[key])?.trim() || undefined;
}

/** Undefined for a listener without TLS. Throws BrokerError(INVALID_CONFIG). */
export function tlsOptions(properties: Properties, listener: ListenerAddress): TlsOptions | undefined {
  if (!listener.protocol.endsWith("SSL")) return undefined;
  const read = reader(properties, listener.name);
  const auth = read("ssl.client.auth") ?? "none";
  const password = read("ssl.key.password") ?? read("ssl.keystore.password");
  return {
    minVersion: "TLSv1.2",
    requestCert: auth !== "none",
    rejectUnauthorized: auth === "required",
    ...keyMaterial(read),
    ...trust(read),
    ...(password === undefined ? {} : { passphrase: password }),
  };
}
function keyMaterial(read: Read): TlsOptions {
  const chain = read("ssl.keystore.certificate.chain");
  const key = read("ssl.keystore.key");
  if (chain !== undefined && key !== undefined) return { cert: chain, key };
  const location = read("ssl.keystore.location");
  if (location === undefined) throw invalid("ssl.keystore.location", "a listener with TLS needs a key and a certificate");
  const bytes = file("ssl.keystore.location", location);
  const type = (read("ssl.keystore.type") ?? (/\.(p12|pfx)$/i.test(location) ? "PKCS12" : "PEM")).toUpperCase();
  if (type === "PEM") return { cert: bytes, key: bytes };
  if (type === "PKCS12") return { pfx: bytes };
  throw invalid("ssl.keystore.type", `${type} is a format of the JVM; convert it with keytool -importkeystore -deststoretype PKCS12`);
}
function trust(read: Read): TlsOptions {
  const inline = read("ssl.truststore.certificates");
  if (inline !== undefined) return { ca: inline };
  const location = read("ssl.truststore.location");
  if (location === undefined) return {};
  const type = (read("ssl.truststore.type") ?? "PEM").toUpperCase();
  if (type !== "PEM") throw invalid("ssl.truststore.type", `${type} is not supported; export the certificates as PEM`);
  return { ca: file("ssl.truststore.location", location) };
}
function file(key: string, location: string): Buffer {
  try {
    return readFileSync(location);
  } catch (error) {
    throw invalid(key, error instanceof Error ? error.message : String(error));
  }
}

export interface SaslSetting {
  readonly mechanisms: readonly SaslMechanism[];
  readonly plain: ReadonlyMap<string, string>;
}
/** Undefined for a listener without SASL. Throws BrokerError(INVALID_CONFIG) when none of its mechanisms is ours. */
export function saslSetting(properties: Properties, listener: ListenerAddress): SaslSetting | undefined {
  if (!listener.protocol.startsWith("SASL")) return undefined;
  const read = reader(properties, listener.name);
  const wanted = listItems(read("sasl.enabled.mechanisms") ?? "GSSAPI");
  const mechanisms = SASL_MECHANISMS.filter((mechanism) => wanted.includes(mechanism));
  if (mechanisms.length === 0) {
    throw invalid("sasl.enabled.mechanisms", `${wanted.join(",")}: listener ${listener.name} needs one of ${SASL_MECHANISMS.join(", ")}`);
  }
  return { mechanisms, plain: jaasUsers(read("plain.sasl.jaas.config") ?? read("sasl.jaas.config") ?? "") };
}
/** `user_NAME="password"` entries of the PLAIN login module. */
function jaasUsers(line: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const match of line.matchAll(/\buser_([^=\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/g)) {
    users.set(match[1] ?? "", (match[2] ?? match[3] ?? "").replaceAll(/\\(.)/g, "$1"));
  }
  return users;
}
export function authenticators(
  settings: ReadonlyMap<string, SaslSetting>,
  image: () => MetadataImage,
  random: Random,
): (listener: ListenerAddress) => Authenticator {
  return ({ name }) => {
    const { mechanisms, plain } = settings.get(name) ?? { mechanisms: [], plain: new Map() };
    return saslAuthenticator(mechanisms, { plain, scram: (user, mechanism) => image().scram.get(scramKey(user, mechanism)) }, random);
  };
}
