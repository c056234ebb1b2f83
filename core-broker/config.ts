/**
 * server.properties as the broker sees it: Kafka's keys, Kafka 4.1's defaults. Unknown keys are kept and told about once;
 * a value that cannot be is BrokerError(INVALID_CONFIG) with Kafka's wording.
 */
import { isAbsolute, resolve } from "node:path";
import { BrokerError } from "./base/errors.ts";
import { BROKER_KEYS } from "./controller/configs/broker-keys.ts";
import { type ConfigKey, listItems, refusalOf } from "./controller/configs/config-key.ts";
import { type AdvertisedListener, parseAdvertised, parseListeners } from "./listeners.ts";
import type { ListenerAddress, NetworkLimits } from "./network/types.ts";
import type { RateWindows } from "./quota/sampled-rate.ts";

export type Properties = Readonly<Record<string, string>>;

export const brokerKeys: ReadonlyMap<string, ConfigKey> = new Map(BROKER_KEYS.map((key) => [key.name, key]));

export interface BrokerConfig {
  /** As given. */
  readonly properties: Properties;
  readonly nodeId: number;
  readonly rack: string | null;
  /** Without the controller's own. */
  readonly listeners: readonly ListenerAddress[];
  readonly advertised: readonly AdvertisedListener[];
  /** Absolute paths. The first one also holds the metadata log. */
  readonly logDirs: readonly string[];
  readonly limits: NetworkLimits;
  readonly numPartitions: number;
  readonly defaultReplicationFactor: number;
  readonly autoCreateTopics: boolean;
  readonly deleteTopics: boolean;
  /** cluster.id for a data folder that is formatted now; null: a new one. */
  readonly clusterId: string | null;
  readonly fetchMaxBytes: number;
  readonly fetchSessionsMax: number;
  /** metrics.listeners; null: none. */
  readonly metricsAddress: { readonly host: string; readonly port: number } | null;
  readonly unknownKeys: readonly string[];
}

/** Keys that Kafka's scripts, older versions and we know beside the table. */
const KNOWN_BESIDE: ReadonlySet<string> = new Set([
  "log.level",
  "allow.everyone.if.no.acl.found",
  "cluster.id",
  "host.name",
  "port",
  "super.users",
  "zookeeper.connect",
  "inter.broker.protocol.version",
  "log.message.format.version",
]);
/** Our bound where Kafka has none: requests that wait, over all connections. */
const QUEUED_BYTES_MAX = 256 << 20;
const QUEUED_REQUESTS_PER_CONNECTION_MAX = 64;

export function brokerConfig(properties: Properties): BrokerConfig {
  for (const [name, value] of Object.entries(properties)) {
    const key = brokerKeys.get(name);
    const refusal = key === undefined || value === "" ? null : refusalOf(key, value);
    if (refusal !== null) throw new BrokerError("INVALID_CONFIG", refusal);
  }
  const text = (name: string): string => properties[name]?.trim() || (brokerKeys.get(name)?.default ?? "");
  const number = (name: string): number => Math.min(Number(text(name)), Number.MAX_SAFE_INTEGER);
  const listeners = parseListeners({
    listeners: text("listeners"),
    protocols: text("listener.security.protocol.map"),
    controllerNames: listItems(text("controller.listener.names")),
  });
  return {
    properties,
    nodeId: nodeIdOf(properties),
    rack: properties["broker.rack"]?.trim() || null,
    listeners,
    advertised: parseAdvertised(properties["advertised.listeners"]?.trim() ?? "", listeners),
    logDirs: listItems(text("log.dirs") || text("log.dir")).map(absolute),
    limits: networkLimits(properties),
    numPartitions: number("num.partitions"),
    defaultReplicationFactor: number("default.replication.factor"),
    autoCreateTopics: text("auto.create.topics.enable").toLowerCase() !== "false",
    deleteTopics: text("delete.topic.enable").toLowerCase() !== "false",
    clusterId: properties["cluster.id"]?.trim() || null,
    fetchMaxBytes: number("fetch.max.bytes"),
    fetchSessionsMax: number("max.incremental.fetch.session.cache.slots"),
    metricsAddress: metricsAddress(properties["metrics.listeners"]?.trim() ?? ""),
    unknownKeys: Object.keys(properties).filter((name) => !brokerKeys.has(name) && !KNOWN_BESIDE.has(name) && !isPrefixed(name)),
  };
}
/** Also while the broker runs: the bounds on connections are dynamic settings. */
export function networkLimits(properties: Properties): NetworkLimits {
  const text = (name: string): string => properties[name]?.trim() || (brokerKeys.get(name)?.default ?? "");
  const number = (name: string): number => Math.min(Number(text(name)), Number.MAX_SAFE_INTEGER);
  return {
    requestBytesMax: number("socket.request.max.bytes"),
    queuedBytesMax: number("queued.max.request.bytes") > 0 ? number("queued.max.request.bytes") : QUEUED_BYTES_MAX,
    queuedRequestsOfAllMax: number("queued.max.requests"),
    queuedRequestsMax: QUEUED_REQUESTS_PER_CONNECTION_MAX,
    idleMsMax: number("connections.max.idle.ms") < 0 ? Number.MAX_SAFE_INTEGER : number("connections.max.idle.ms"),
    connectionsMax: number("max.connections"),
    connectionsOfListenerMax: (listener) => ofListener(properties, listener, "max.connections"),
    connectionsPerIpMax: number("max.connections.per.ip"),
    connectionsPerIpOverrides: ipOverrides(text("max.connections.per.ip.overrides")),
  };
}
/** max.connection.creation.rate of all listeners (null) or of one. */
export function connectionRateMax(properties: Properties, listener: string | null): number {
  const name = "max.connection.creation.rate";
  if (listener !== null) return ofListener(properties, listener, name);
  return Number(properties[name]?.trim() || (brokerKeys.get(name)?.default ?? Number.MAX_SAFE_INTEGER));
}
/** listener.name.X.SETTING; without one a listener is only bound by what holds for all. */
function ofListener(properties: Properties, listener: string, setting: string): number {
  const value = properties[`listener.name.${listener.toLowerCase()}.${setting}`]?.trim() ?? "";
  return value === "" ? Number.MAX_SAFE_INTEGER : Number(value);
}
/** quota.window.num and quota.window.size.seconds, or those of the controller's quotas. */
export function quotaWindows(properties: Properties, prefix: "quota" | "controller.quota"): RateWindows {
  const number = (name: string, fallback: number): number => Number(properties[`${prefix}.window.${name}`]?.trim() || fallback);
  return { count: number("num", 11), sizeMs: number("size.seconds", 1) * 1000 };
}
function metricsAddress(text: string): BrokerConfig["metricsAddress"] {
  if (text === "") return null;
  const match = /^http:\/\/(?:\[([0-9a-fA-F:]+)\]|([^:/[\]]*)):(\d{1,5})\/?$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new BrokerError("INVALID_CONFIG", `Invalid value ${text} for configuration metrics.listeners: http://host:port expected`);
  }
  return { host: match[1] ?? match[2] ?? "", port };
}
function nodeIdOf(properties: Properties): number {
  const given = properties["node.id"]?.trim() || properties["broker.id"]?.trim() || "1";
  const id = Number(given);
  if (id < 0) throw new BrokerError("INVALID_CONFIG", `Invalid value ${given} for configuration node.id: Value must be at least 0`);
  return id;
}
/** Listener and plugin settings carry prefixes of the user's choosing. */
const isPrefixed = (name: string): boolean => /^(listener\.name\.|config\.providers|metrics?\.|confluent\.|kafka\.metrics)/.test(name);
const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(path));
function ipOverrides(text: string): ReadonlyMap<string, number> {
  const overrides = new Map<string, number>();
  for (const item of listItems(text)) {
    const colon = item.lastIndexOf(":");
    const count = Number(item.slice(colon + 1));
    if (colon < 1 || !Number.isInteger(count)) {
      throw new BrokerError(
        "INVALID_CONFIG",
        `Invalid value ${item} for configuration max.connections.per.ip.overrides: address:number expected`,
      );
    }
    overrides.set(item.slice(0, colon), count);
  }
  return overrides;
}
