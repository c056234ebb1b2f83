/**
 * The worker's configuration: `connect-distributed.properties` or `connect-standalone.properties` as they are, environment
 * variables of the usual images, `--override`. Unknown keys are kept and named once.
 */
import type { ClientConfig } from "#broker/client/types";
import {
  booleanSetting,
  listSetting,
  numberSetting,
  optionalNumber,
  optionalString,
  parseConfig,
  stringSetting,
} from "./api/config-parse.ts";
import { ConfigError } from "./api/errors.ts";
import { CLIENT_KEYS, DISTRIBUTED_KEYS, PASSED_ON_PREFIXES, STANDALONE_KEYS, WORKER_KEYS } from "./config-keys.ts";
import type { ConfigMap } from "./worker/types.ts";

export type WorkerMode = "distributed" | "standalone";
/** Of the settings of a connector's clients, those that it may set itself: all of them, or the ones that are named. */
export interface OverridePolicy {
  readonly name: "All" | "None" | "Principal" | "Allowlist";
  /** Null: all. */
  readonly settings: ReadonlySet<string> | null;
}
export interface Listener {
  readonly scheme: "http" | "https";
  /** "" listens everywhere. */
  readonly host: string;
  readonly port: number;
}
export interface WorkerConfig {
  readonly mode: WorkerMode;
  /** Everything as given, with defaults of the required converters applied by the caller. */
  readonly raw: ConfigMap;
  readonly groupId: string;
  readonly listeners: readonly Listener[];
  /** Null: the admin endpoints are on `listeners`; empty: there are none. */
  readonly adminListeners: readonly Listener[] | null;
  /** Whether REST asks who somebody is. */
  readonly login: boolean;
  /** Scheme by which other workers reach this one. */
  readonly advertisedScheme: Listener["scheme"];
  readonly advertisedHost: string | null;
  readonly advertisedPort: number | null;
  readonly corsOrigin: string;
  readonly corsMethods: string;
  /** `Name: value` pairs added to every answer (response.http.headers.config). */
  readonly responseHeaders: readonly (readonly [string, string])[];
  readonly keyConverter: string;
  readonly valueConverter: string;
  readonly headerConverter: string;
  readonly overridePolicy: OverridePolicy;
  readonly topicTracking: boolean;
  readonly topicTrackingReset: boolean;
  readonly topicCreation: boolean;
  readonly exactlyOnceSource: "disabled" | "preparing" | "enabled";
  readonly logLevel: string;
  readonly unknownKeys: readonly string[];
  /** Distributed mode only. */
  readonly distributed: DistributedSettings | null;
  readonly offsetFile: string | null;
}
export interface DistributedSettings {
  readonly configTopic: StorageTopic;
  readonly offsetTopic: StorageTopic;
  readonly statusTopic: StorageTopic;
  readonly protocol: "eager" | "compatible" | "sessioned";
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly scheduledRebalanceMaxDelayMs: number;
  readonly workerSyncTimeoutMs: number;
  readonly workerUnsyncBackoffMs: number;
  readonly keyAlgorithm: string;
  readonly keySizeBits: number | null;
  readonly keyTtlMs: number;
  readonly signatureAlgorithm: string;
  readonly verificationAlgorithms: readonly string[];
}
export interface StorageTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Topic settings given as `config.storage.KEY`. */
  readonly configs: ConfigMap;
}

/** Throws ConfigError with Kafka's message for the first wrong or missing key. */
export function workerConfig(raw: ConfigMap, mode: WorkerMode): WorkerConfig {
  const def = [...WORKER_KEYS, ...(mode === "distributed" ? DISTRIBUTED_KEYS : STANDALONE_KEYS)];
  const parsed = parseConfig(def, raw);
  const known = new Set(def.map((k) => k.name));
  const exactlyOnce = mode === "distributed" ? stringSetting(parsed, "exactly.once.source.support").toLowerCase() : "disabled";
  const listeners = listSetting(parsed, "listeners").map(parseListener);
  const admin = raw["admin.listeners"];
  return {
    mode,
    raw,
    groupId: mode === "distributed" ? stringSetting(parsed, "group.id") : "connect-standalone",
    listeners,
    adminListeners: admin === undefined ? null : admin.trim() === "" ? [] : listSetting(parsed, "admin.listeners").map(parseListener),
    login: wantsLogin(raw),
    advertisedScheme: advertisedScheme(listeners, optionalString(parsed, "rest.advertised.listener")),
    advertisedHost: optionalString(parsed, "rest.advertised.host.name"),
    advertisedPort: optionalNumber(parsed, "rest.advertised.port"),
    corsOrigin: stringSetting(parsed, "access.control.allow.origin"),
    corsMethods: stringSetting(parsed, "access.control.allow.methods"),
    responseHeaders: responseHeaders(stringSetting(parsed, "response.http.headers.config")),
    keyConverter: stringSetting(parsed, "key.converter"),
    valueConverter: stringSetting(parsed, "value.converter"),
    headerConverter: stringSetting(parsed, "header.converter"),
    overridePolicy: overridePolicy(
      stringSetting(parsed, "connector.client.config.override.policy"),
      listSetting(parsed, "connector.client.config.override.allowlist"),
    ),
    topicTracking: booleanSetting(parsed, "topic.tracking.enable"),
    topicTrackingReset: booleanSetting(parsed, "topic.tracking.allow.reset"),
    topicCreation: booleanSetting(parsed, "topic.creation.enable"),
    exactlyOnceSource: exactlyOnce === "enabled" || exactlyOnce === "preparing" ? exactlyOnce : "disabled",
    logLevel: stringSetting(parsed, "log.level").toLowerCase(),
    unknownKeys: Object.keys(raw).filter((k) => !known.has(k) && !CLIENT_KEYS.has(k) && !PASSED_ON_PREFIXES.some((p) => k.startsWith(p))),
    distributed: mode === "distributed" ? distributedSettings(raw, parsed) : null,
    offsetFile: mode === "standalone" ? stringSetting(parsed, "offset.storage.file.filename") : null,
  };
}

function distributedSettings(raw: ConfigMap, parsed: ReturnType<typeof parseConfig>): DistributedSettings {
  const topic = (kind: "config" | "offset" | "status"): StorageTopic => ({
    name: stringSetting(parsed, `${kind}.storage.topic`),
    partitions: kind === "config" ? 1 : numberSetting(parsed, `${kind}.storage.partitions`),
    replicationFactor: numberSetting(parsed, `${kind}.storage.replication.factor`),
    configs: withoutPrefix(raw, `${kind}.storage.`, ["topic", "partitions", "replication.factor"]),
  });
  const protocol = stringSetting(parsed, "connect.protocol");
  return {
    configTopic: topic("config"),
    offsetTopic: topic("offset"),
    statusTopic: topic("status"),
    protocol: protocol === "eager" || protocol === "compatible" ? protocol : "sessioned",
    sessionTimeoutMs: numberSetting(parsed, "session.timeout.ms"),
    rebalanceTimeoutMs: numberSetting(parsed, "rebalance.timeout.ms"),
    heartbeatIntervalMs: numberSetting(parsed, "heartbeat.interval.ms"),
    scheduledRebalanceMaxDelayMs: numberSetting(parsed, "scheduled.rebalance.max.delay.ms"),
    workerSyncTimeoutMs: numberSetting(parsed, "worker.sync.timeout.ms"),
    workerUnsyncBackoffMs: numberSetting(parsed, "worker.unsync.backoff.ms"),
    keyAlgorithm: stringSetting(parsed, "inter.worker.key.generation.algorithm"),
    keySizeBits: optionalNumber(parsed, "inter.worker.key.size"),
    keyTtlMs: numberSetting(parsed, "inter.worker.key.ttl.ms"),
    signatureAlgorithm: stringSetting(parsed, "inter.worker.signature.algorithm"),
    verificationAlgorithms: listSetting(parsed, "inter.worker.verification.algorithms"),
  };
}
function withoutPrefix(raw: ConfigMap, prefix: string, except: readonly string[]): ConfigMap {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    const rest = name.slice(prefix.length);
    if (name.startsWith(prefix) && !except.includes(rest)) out[rest] = value;
  }
  return out;
}
function parseListener(text: string): Listener {
  const m = /^([a-zA-Z]+):\/\/(?:\[([^\]]*)\]|([^:/]*)):(\d{1,5})\/?$/.exec(text.trim());
  const scheme = m?.[1]?.toLowerCase();
  const port = Number(m?.[4]);
  if ((scheme !== "http" && scheme !== "https") || !(port >= 0 && port < 65_536)) {
    throw new ConfigError(`Invalid value [${text}] for configuration listeners: Listener doesn't have the right format or parameter.`);
  }
  return { scheme, host: m?.[2] ?? m?.[3] ?? "", port };
}
/** BasicAuthSecurityRestExtension, or users of our own. */
export const wantsLogin = (raw: ConfigMap): boolean =>
  (raw["rest.extension.classes"] ?? "").includes("BasicAuthSecurityRestExtension") || (raw["millrace.rest.access.file"] ?? "") !== "";
/** As asked for, else http where it is served. Throws ConfigError for a scheme without a listener. */
function advertisedScheme(listeners: readonly Listener[], asked: string | null): Listener["scheme"] {
  const scheme =
    asked === null ? (listeners.some((l) => l.scheme === "http") ? "http" : "https") : asked.toLowerCase() === "https" ? "https" : "http";
  if (listeners.some((l) => l.scheme === scheme)) return scheme;
  throw new ConfigError(`Invalid value ${asked ?? ""} for configuration rest.advertised.listener: no address of listeners has this scheme`);
}
function responseHeaders(text: string): readonly (readonly [string, string])[] {
  if (text.trim() === "") return [];
  return text.split(/,(?=\s*(?:set|add|setDate|addDate)\s)/).map((entry) => {
    const m = /^\s*(?:set|add|setDate|addDate)\s+([^:\s]+)\s*:\s*(.*?)\s*$/.exec(entry.replace(/^\s*"|"\s*$/g, ""));
    if (m === null)
      throw new ConfigError(`Invalid format for header config: ${entry.trim()}. Expected: '[action] [header name]:[header value]'`);
    return [m[1] ?? "", m[2] ?? ""] as const;
  });
}
const PRINCIPAL: ReadonlySet<string> = new Set(["sasl.jaas.config", "sasl.mechanism", "security.protocol"]);
/** KIP-458, and the list of KIP-1188. */
function overridePolicy(name: string, allowed: readonly string[]): OverridePolicy {
  const simple = /(\w+?)(?:ConnectorClientConfigOverridePolicy)?$/.exec(name)?.[1]?.toLowerCase();
  if (simple === "all") return { name: "All", settings: null };
  if (simple === "none") return { name: "None", settings: new Set() };
  if (simple === "principal") return { name: "Principal", settings: PRINCIPAL };
  if (simple === "allowlist") return { name: "Allowlist", settings: new Set(allowed) };
  throw new ConfigError(
    `Invalid value ${name} for configuration connector.client.config.override.policy: known policies are All, None, Principal, Allowlist`,
  );
}

/** Settings for a client of the worker itself: the file's top-level client keys, then those with the prefix. */
export function clientConfig(raw: ConfigMap, prefix: "producer." | "consumer." | "admin.", clientId: string): ClientConfig {
  const out: Record<string, string> = { "bootstrap.servers": raw["bootstrap.servers"] ?? "localhost:9092", "client.id": clientId };
  for (const [name, value] of Object.entries(raw)) {
    if (CLIENT_KEYS.has(name) || name.startsWith("sasl.") || name.startsWith("ssl.") || name.startsWith("security.")) out[name] = value;
  }
  for (const [name, value] of Object.entries(raw)) if (name.startsWith(prefix)) out[name.slice(prefix.length)] = value;
  return out;
}
