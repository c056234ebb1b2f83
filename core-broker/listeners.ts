/** `listeners` and `advertised.listeners`: NAME://host:port, the host may be empty (all interfaces) or a bracketed IPv6 address. */
import { networkInterfaces } from "node:os";
import { BrokerError } from "./base/errors.ts";
import { listItems } from "./controller/configs/config-key.ts";
import type { ListenerAddress, SecurityProtocol } from "./network/types.ts";

export interface AdvertisedListener {
  readonly name: string;
  readonly host: string;
  /** 0: the port that the listener really got. */
  readonly port: number;
}
interface Endpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}
const PROTOCOLS: readonly SecurityProtocol[] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
const invalid = (setting: string, why: string): BrokerError =>
  new BrokerError("INVALID_CONFIG", `Invalid value for configuration ${setting}: ${why}`);

function parseEndpoint(setting: string, text: string): Endpoint {
  const match = /^([A-Za-z0-9_.-]+):\/\/(?:\[([0-9a-fA-F:.%]*)\]|([^:/[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[4]);
  if (match === null || port > 65_535) throw invalid(setting, `"${text}" is not of the form NAME://host:port`);
  return { name: (match[1] ?? "").toUpperCase(), host: match[2] ?? match[3] ?? "", port };
}
function protocolMap(text: string): ReadonlyMap<string, SecurityProtocol> {
  const map = new Map<string, SecurityProtocol>();
  for (const item of listItems(text)) {
    const [name = "", given = ""] = item.split(":").map((part) => part.trim().toUpperCase());
    const protocol = PROTOCOLS.find((candidate) => candidate === given);
    if (protocol === undefined) throw invalid("listener.security.protocol.map", `no such security protocol: ${item}`);
    map.set(name, protocol);
  }
  return map;
}

export interface ListenerSettings {
  readonly listeners: string;
  readonly protocols: string;
  readonly controllerNames: readonly string[];
}
/** The controller's listeners are left out: with one node nobody calls them. */
export function parseListeners(settings: ListenerSettings): readonly ListenerAddress[] {
  const controllers = new Set(settings.controllerNames.map((name) => name.toUpperCase()));
  const protocols = protocolMap(settings.protocols);
  const seen = new Set<string>();
  const parsed = listItems(settings.listeners)
    .map((text) => parseEndpoint("listeners", text))
    .filter((endpoint) => !controllers.has(endpoint.name))
    .map((endpoint): ListenerAddress => {
      if (seen.has(endpoint.name)) throw invalid("listeners", `the listener name ${endpoint.name} comes twice`);
      seen.add(endpoint.name);
      const protocol = protocols.get(endpoint.name) ?? PROTOCOLS.find((candidate) => candidate === endpoint.name);
      if (protocol === undefined) {
        throw invalid("listeners", `no security protocol defined for listener ${endpoint.name} in listener.security.protocol.map`);
      }
      return { ...endpoint, protocol };
    });
  if (parsed.length === 0) throw invalid("listeners", "there is no listener for clients");
  return parsed;
}
/** Where nothing is advertised, the listener's own host is, or this machine's address when it listens on all interfaces. */
export function parseAdvertised(text: string, listeners: readonly ListenerAddress[]): readonly AdvertisedListener[] {
  const given = listItems(text).map((item) => parseEndpoint("advertised.listeners", item));
  for (const { name, host } of given) {
    if (!listeners.some((listener) => listener.name === name)) throw invalid("advertised.listeners", `there is no listener ${name}`);
    if (host === "0.0.0.0" || host === "::") {
      throw invalid("advertised.listeners", "the address that means all interfaces cannot be advertised; use a routable one");
    }
  }
  return listeners.map((listener) => {
    const own = given.find((candidate) => candidate.name === listener.name);
    if (own !== undefined) return { name: own.name, host: own.host === "" ? machineAddress() : own.host, port: own.port };
    const everywhere = listener.host === "" || listener.host === "0.0.0.0" || listener.host === "::";
    return { name: listener.name, host: everywhere ? machineAddress() : listener.host, port: listener.port };
  });
}
function machineAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) if (!address.internal && address.family === "IPv4") return address.address;
  }
  return "127.0.0.1";
}
