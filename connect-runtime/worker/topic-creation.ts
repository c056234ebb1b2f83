/**
 * `topic.creation.*` of a source connector (KIP-158): groups of topics with settings of their own, checked as Kafka Connect checks
 * them. As soon as one such setting is given, the default group has to say partitions and replicas.
 */
import type { ConfigDef, ConfigKey, ConfigValue, ParsedConfig } from "../api/config.ts";
import { invalidConfig, listSetting, numberSetting, parseConfig } from "../api/config-parse.ts";
import { JavaRegex } from "../api/java-regex.ts";
import type { NewTopic } from "#broker/client/types";
import { flagOf, listOf, withPrefix } from "./settings.ts";
import type { ConfigMap } from "./types.ts";

export interface CreationGroup {
  readonly name: string;
  takes(topic: string): boolean;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}
const PREFIX = "topic.creation.";
const DEFAULT_GROUP = "default";
const BROKER_DEFAULT = -1;
const OWN = ["replication.factor", "partitions", "include", "exclude"] as const;

const positive =
  (setting: string, sentence: string): NonNullable<ConfigKey["validate"]> =>
  (value) => {
    const n = Number(value);
    return n === BROKER_DEFAULT || n > 0 ? [] : [invalidConfig(setting, value, `${sentence}, or -1 to use the broker's default`)];
  };
/** The sentences name the setting without its group, as Kafka Connect's do. */
const replicas = positive(
  "replication.factor",
  "Replication factor must be positive and not larger than the number of brokers in the Kafka cluster",
);
const partitions = positive("partitions", "Number of partitions must be positive");
const regexes =
  (setting: string): NonNullable<ConfigKey["validate"]> =>
  (value) => {
    try {
      new JavaRegex(joined(value));
      return [];
    } catch (error) {
      return [
        invalidConfig(setting, value, `Syntax error in regular expression: ${error instanceof Error ? error.message : String(error)}`),
      ];
    }
  };
const joined = (value: ConfigValue): string => (Array.isArray(value) ? value.join("|") : "");

/** `inherited` null: the default group, which has to say what the others inherit. */
function definition(group: string, inherited: ParsedConfig | null): ConfigDef {
  const key = (name: (typeof OWN)[number], type: ConfigKey["type"], validate: NonNullable<ConfigKey["validate"]>): ConfigKey => {
    const above = type === "LIST" ? [] : inherited?.[`${PREFIX}${DEFAULT_GROUP}.${name}`];
    const fallback = above === undefined ? {} : { default: above };
    return { name: `${PREFIX}${group}.${name}`, type, importance: "LOW", doc: "", validate, ...fallback };
  };
  const numbers = [key("replication.factor", "SHORT", replicas), key("partitions", "INT", partitions)];
  // The default group takes every topic: patterns that are given for it mean nothing.
  return inherited === null
    ? numbers
    : [...numbers, key("include", "LIST", regexes("include")), key("exclude", "LIST", regexes("exclude"))];
}
function groupOf(name: string, parsed: ParsedConfig, connector: ConfigMap, takes: CreationGroup["takes"]): CreationGroup {
  const prefix = `${PREFIX}${name}.`;
  const configs = withPrefix(connector, prefix);
  for (const own of OWN) delete configs[own];
  const number = (setting: string): number => numberSetting(parsed, prefix + setting);
  return { name, takes, partitions: number("partitions"), replicationFactor: number("replication.factor"), configs };
}
/** Null: the connector leaves topics to the broker's defaults. Throws ConfigError. */
export function creationGroups(worker: ConfigMap, connector: ConfigMap): readonly CreationGroup[] | null {
  if (!flagOf(worker, "topic.creation.enable", true)) return null;
  if (!Object.keys(connector).some((key) => key.startsWith(PREFIX))) return null;
  const defaults = parseConfig(definition(DEFAULT_GROUP, null), connector);
  const groups: CreationGroup[] = [];
  for (const name of listOf(connector, `${PREFIX}groups`)) {
    if (name === DEFAULT_GROUP) continue;
    const parsed = parseConfig(definition(name, defaults), connector);
    const pattern = (setting: string): JavaRegex => new JavaRegex(listSetting(parsed, `${PREFIX}${name}.${setting}`).join("|"));
    const [include, exclude] = [pattern("include"), pattern("exclude")];
    groups.push(groupOf(name, parsed, connector, (topic) => include.matches(topic) && !exclude.matches(topic)));
  }
  return [...groups, groupOf(DEFAULT_GROUP, defaults, connector, () => true)];
}
/** By the first group that takes the topic; the default group takes all. */
export function newTopicFor(groups: readonly CreationGroup[] | null, topic: string): NewTopic {
  const group = groups?.find((g) => g.takes(topic));
  if (group === undefined) return { name: topic, partitions: BROKER_DEFAULT, replicationFactor: BROKER_DEFAULT };
  return { name: topic, partitions: group.partitions, replicationFactor: group.replicationFactor, configs: group.configs };
}
