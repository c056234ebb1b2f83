/** Whether settings of brokers, groups and metrics subscriptions are good. The text of Kafka's refusal, or null. */
import { BROKER_KEYS } from "./broker-keys.ts";
import { CLIENT_METRICS_KEYS } from "./client-metrics-keys.ts";
import { type ConfigKey, refusalOf } from "./config-key.ts";
import { GROUP_KEYS } from "./group-keys.ts";

const brokerKeys: ReadonlyMap<string, ConfigKey> = new Map(BROKER_KEYS.map((key) => [key.name, key]));
/** Settings of one broker only, not of all at once. */
const PER_BROKER = /^(ssl\.(keystore|truststore|key)\b.*|listeners|sasl\.jaas\.config|principal\.builder\.class)$/;

/** Settings that Kafka does not know are kept, as plugins may read them; those it knows must be dynamic ones. */
export function brokerRefusal(changes: ReadonlyMap<string, string | null>, allBrokers: boolean): string | null {
  const fixed = [...changes.keys()].filter((name) => brokerKeys.has(name) && brokerKeys.get(name)?.dynamic !== true);
  if (fixed.length > 0) return `Cannot update these configs dynamically: Set(${fixed.join(", ")})`;
  const single = allBrokers ? [...changes.keys()].filter((name) => PER_BROKER.test(name)) : [];
  if (single.length > 0) {
    return `Cannot update these configs at default cluster level, broker id must be specified: Set(${single.join(", ")})`;
  }
  for (const [name, value] of changes) {
    const key = brokerKeys.get(name);
    const refusal = key === undefined || value === null ? null : refusalOf(key, value);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** A group's setting, the broker's bounds for it. */
const GROUP_BOUNDS = [
  ["consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms"],
  ["consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"],
  ["share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"],
  ["share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms"],
  ["share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms"],
  ["streams.session.timeout.ms", "group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms"],
  ["streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms"],
] as const;

export function groupRefusal(configs: ReadonlyMap<string, string>, brokerValue: (name: string) => string | null): string | null {
  const refusal = tableRefusal(configs, GROUP_KEYS, "group");
  if (refusal !== null) return refusal;
  for (const [name, min, max] of GROUP_BOUNDS) {
    const value = Number(configs.get(name) ?? Number.NaN);
    if (value < Number(brokerValue(min) ?? 0)) return `${name} must be greater than or equal to ${min}`;
    if (value > Number(brokerValue(max) ?? Number.MAX_SAFE_INTEGER)) return `${name} must be less than or equal to ${max}`;
  }
  const session = Number(configs.get("consumer.session.timeout.ms") ?? brokerValue("group.consumer.session.timeout.ms"));
  const heartbeat = Number(configs.get("consumer.heartbeat.interval.ms") ?? brokerValue("group.consumer.heartbeat.interval.ms"));
  return session > heartbeat ? null : "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms";
}
export function clientMetricsRefusal(configs: ReadonlyMap<string, string>): string | null {
  return tableRefusal(configs, CLIENT_METRICS_KEYS, "client metrics");
}
function tableRefusal(configs: ReadonlyMap<string, string>, keys: readonly ConfigKey[], what: string): string | null {
  for (const [name, value] of configs) {
    const key = keys.find((candidate) => candidate.name === name);
    if (key === undefined) return what === "group" ? `Unknown group config name: ${name}` : `Unknown ${what} configuration: ${name}`;
    const refusal = refusalOf(key, value);
    if (refusal !== null) return refusal;
  }
  return null;
}
