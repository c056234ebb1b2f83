/** Whether a topic's overrides are good, each by itself and together. */
import { type ConfigKey, listItems, refusalOf } from "./config-key.ts";
import { TOPIC_KEYS } from "./topic-keys.ts";

export const topicKeys: ReadonlyMap<string, ConfigKey> = new Map(TOPIC_KEYS.map((key) => [key.name, key]));

/** The text of Kafka's refusal, or null. `configs` are all overrides that the topic would have. */
export function topicConfigRefusal(configs: ReadonlyMap<string, string>): string | null {
  for (const [name, value] of configs) {
    const key = topicKeys.get(name);
    if (key === undefined) return `Unknown topic config name: ${name}`;
    const refusal = refusalOf(key, value);
    if (refusal !== null) return refusal;
  }
  return lagRefusal(configs) ?? tieringRefusal(configs);
}
function lagRefusal(configs: ReadonlyMap<string, string>): string | null {
  const min = configs.get("min.compaction.lag.ms");
  const max = configs.get("max.compaction.lag.ms");
  if (min === undefined || max === undefined || BigInt(min) <= BigInt(max)) return null;
  return `conflict topic config setting min.compaction.lag.ms (${min}) > max.compaction.lag.ms (${max})`;
}
function tieringRefusal(configs: ReadonlyMap<string, string>): string | null {
  if (configs.get("remote.storage.enable")?.toLowerCase() !== "true") return null;
  return "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.";
}
/** APPEND and SUBTRACT on a LIST; the result may be the empty list. */
export function changedList(before: string, change: "append" | "subtract", value: string): string {
  const items = listItems(before);
  const given = listItems(value);
  if (change === "subtract") return items.filter((item) => !given.includes(item)).join(",");
  return [...items, ...given.filter((item) => !items.includes(item))].join(",");
}
