/** Whether settings of groups and metrics subscriptions are good. The text of Kafka's refusal, or null. */
import { CLIENT_METRICS_KEYS } from "./client-metrics-keys.ts";
import { listItems, refusalOf } from "./config-key.ts";
import { GROUP_KEYS } from "./group-keys.ts";

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
  for (const [name, value] of configs) {
    const key = GROUP_KEYS.find((candidate) => candidate.name === name);
    if (key === undefined) return `Unknown group config name: ${name}`;
    const refusal = refusalOf(key, value) ?? (name === "share.auto.offset.reset" ? shareResetRefusal(value) : null);
    if (refusal !== null) return refusal;
  }
  for (const [name, min, max] of GROUP_BOUNDS) {
    const value = Number(configs.get(name) ?? Number.NaN);
    if (value < Number(brokerValue(min) ?? 0)) return `${name} must be greater than or equal to ${min}`;
    if (value > Number(brokerValue(max) ?? Number.MAX_SAFE_INTEGER)) return `${name} must be less than or equal to ${max}`;
  }
  const session = Number(configs.get("consumer.session.timeout.ms") ?? brokerValue("group.consumer.session.timeout.ms"));
  const heartbeat = Number(configs.get("consumer.heartbeat.interval.ms") ?? brokerValue("group.consumer.heartbeat.interval.ms"));
  return session > heartbeat ? null : "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms";
}
const DAYS_TO_SECONDS = /^by_duration:\+?P(?=[\dT])(\+?\d+D)?(T(?=\d)(\+?\d+H)?(\+?\d+M)?(\+?\d+([.,]\d{0,9})?S)?)?$/i;
function shareResetRefusal(value: string): string | null {
  if (value === "earliest" || value === "latest" || DAYS_TO_SECONDS.test(value)) return null;
  const form = "The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.";
  const name = "share.auto.offset.reset";
  return `Invalid value ${value} for configuration ${name}: Invalid value \`${value}\` for configuration ${name}. ${form}`;
}

interface MetricsRefusal {
  /** A bad pattern is a bad setting, everything else a bad request. */
  readonly kind: "config" | "request";
  readonly why: string;
}
const SELECTORS = new Set([
  "client_instance_id",
  "client_id",
  "client_software_name",
  "client_software_version",
  "client_source_address",
  "client_source_port",
]);
export function clientMetricsRefusal(configs: ReadonlyMap<string, string>): MetricsRefusal | null {
  for (const [name, value] of configs) {
    const key = CLIENT_METRICS_KEYS.find((candidate) => candidate.name === name);
    if (key === undefined) return { kind: "request", why: `Unknown client metrics configuration: ${name}` };
    const refusal = refusalOf(key, value);
    if (refusal !== null) {
      const number = /^[+-]?\d+$/.test(value.trim());
      if (name !== "interval.ms" || !number) return { kind: "config", why: refusal };
      return { kind: "request", why: `Invalid value ${value} for interval.ms, interval must be between 100 and 3600000 (1 hour)` };
    }
    const wrong = name === "match" ? listItems(value).find((item) => !isSelector(item)) : undefined;
    if (wrong !== undefined) return { kind: "config", why: `Illegal client matching pattern: ${wrong}` };
  }
  return null;
}
function isSelector(item: string): boolean {
  const [selector = "", pattern, ...more] = item.split("=");
  if (pattern === undefined || more.length > 0 || !SELECTORS.has(selector.trim())) return false;
  try {
    return RegExp(pattern.trim()) instanceof RegExp;
  } catch {
    return false;
  }
}
