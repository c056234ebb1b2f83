/**
 * Certificates that change while the broker runs (KIP-226): `kafka-configs --entity-type brokers --entity-name 1 --alter --add-config
 * listener.name.external.ssl.keystore.location=…`. The same value again makes the broker read the file anew (KAFKA-14136).
 */
import type { TlsOptions } from "node:tls";
import type { Properties } from "../config.ts";
import type { ListenerAddress } from "../network/types.ts";
import { tlsOptions } from "./tls.ts";

const SSL_OF_LISTENER = /^listener\.name\.([^.]+)\.ssl\./;

/** Why these settings, put over what counts now, make no listener that can serve; null: they do, or concern none. */
export function tlsRefusal(
  listeners: readonly ListenerAddress[],
  current: Properties,
  changes: ReadonlyMap<string, string | null>,
): string | null {
  const touched = new Set([...changes.keys()].map((name) => SSL_OF_LISTENER.exec(name)?.[1]?.toUpperCase() ?? ""));
  const wanted = { ...current, ...Object.fromEntries([...changes].flatMap(([name, value]) => (value === null ? [] : [[name, value]]))) };
  for (const listener of listeners.filter(({ name }) => touched.has(name))) {
    try {
      const options = tlsOptions(wanted, listener);
      if (options !== undefined) process.getBuiltinModule("node:tls").createSecureContext(options);
    } catch (error) {
      return `Validation of dynamic config update of SSLFactory failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return null;
}
/** Of each listener with TLS, from the settings that count now. Throws what the first bad one throws. */
export function allTlsOptions(listeners: readonly ListenerAddress[], properties: Properties): ReadonlyMap<string, TlsOptions> {
  const found = new Map<string, TlsOptions>();
  for (const listener of listeners) {
    const options = tlsOptions(properties, listener);
    if (options !== undefined) found.set(listener.name, options);
  }
  return found;
}
