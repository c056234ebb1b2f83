/**
 * A setting's value where it is used, and where it comes from: topic override, this broker's dynamic setting, all brokers'
 * dynamic setting, server.properties, Kafka's default. A topic setting falls back to its broker synonyms.
 */
import { type MetadataImage, ResourceType } from "../image.ts";
import { BROKER_KEYS } from "./broker-keys.ts";
import type { ConfigKey } from "./config-key.ts";
import { TOPIC_KEYS } from "./topic-keys.ts";

export const ConfigSource = {
  UNKNOWN: 0,
  DYNAMIC_TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  DYNAMIC_BROKER_LOGGER: 6,
  CLIENT_METRICS: 7,
  GROUP: 8,
} as const;

export interface SourcedValue {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}
export interface EffectiveEntry extends SourcedValue {
  readonly key: ConfigKey;
  /** Everything that could give the value, what wins first. */
  readonly synonyms: readonly SourcedValue[];
}
const brokerKeys: ReadonlyMap<string, ConfigKey> = new Map(BROKER_KEYS.map((key) => [key.name, key]));
/** Broker settings that say the same in another unit; the first that is set wins. */
const UNITS: readonly (readonly string[])[] = [
  ["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
  ["log.roll.ms", "log.roll.hours"],
  ["log.roll.jitter.ms", "log.roll.jitter.hours"],
  ["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
];
const LISTENER_PREFIX = /^listener\.name\.[^.]+\./;
const unitsOf = (name: string): readonly string[] => {
  const base = name.replace(LISTENER_PREFIX, "");
  return base === name ? (UNITS.find((group) => group[0] === name) ?? [name]) : [name, base];
};
/** As Kafka tells them: by source, and nothing before the setting's own name (log.retention.hours alone is no synonym of log.retention.ms). */
function told(name: string, values: readonly SourcedValue[]): readonly SourcedValue[] {
  const bySource = values.toSorted((a, b) => a.source - b.source);
  const first = bySource.findIndex((value) => value.name === name);
  return first < 0 ? [] : bySource.slice(first);
}

export interface EffectiveOptions {
  readonly image: () => MetadataImage;
  readonly nodeId: number;
  /** server.properties, plus what was derived from it. */
  readonly properties: Readonly<Record<string, string>>;
}
export class EffectiveConfig {
  readonly #options: EffectiveOptions;
  constructor(options: EffectiveOptions) {
    this.#options = options;
  }
  /** All settings of a topic with these overrides. */
  topic(overrides: ReadonlyMap<string, string>): readonly EffectiveEntry[] {
    return TOPIC_KEYS.map((key) => this.#topicEntry(key, overrides.get(key.name)));
  }
  /** All settings of this broker, unknown dynamic ones not included. */
  broker(): readonly EffectiveEntry[] {
    return BROKER_KEYS.filter((key) => key.internal !== true).map((key) => this.#brokerEntry(key, key.name));
  }
  /** What was set, in the file or later, and is none of Kafka's settings; those of one listener have the key of the setting they are. */
  brokerOthers(): readonly (EffectiveEntry | SourcedValue)[] {
    const names = Object.keys(this.brokerProperties()).filter((name) => !brokerKeys.has(name));
    return names.flatMap((name) => {
      const key = brokerKeys.get(name.replace(LISTENER_PREFIX, ""));
      return key === undefined ? this.#brokerValues(name).slice(0, 1) : [this.#brokerEntry(key, name)];
    });
  }
  #brokerEntry(key: ConfigKey, name: string): EffectiveEntry {
    const synonyms = told(
      name,
      unitsOf(name).flatMap((each) => this.#brokerValues(each)),
    );
    const own = synonyms[0];
    return { key, name, value: own?.value ?? null, source: own?.source ?? ConfigSource.DEFAULT, synonyms };
  }
  /** server.properties with the dynamic settings over it. */
  brokerProperties(): Readonly<Record<string, string>> {
    const image = this.#options.image();
    return {
      ...this.#options.properties,
      ...Object.fromEntries(image.configs(ResourceType.BROKER, "")),
      ...Object.fromEntries(image.configs(ResourceType.BROKER, String(this.#options.nodeId))),
    };
  }
  /** This broker's value of one setting; null: unset. */
  brokerValue(name: string): string | null {
    return this.#brokerValues(name)[0]?.value ?? null;
  }
  /** What a topic without an override has. */
  topicDefault(name: string): string | null {
    const key = TOPIC_KEYS.find((candidate) => candidate.name === name);
    return key === undefined ? null : this.#topicEntry(key, undefined).value;
  }
  minInsyncReplicas(topic: string): number {
    const image = this.#options.image();
    const override = image.configs(ResourceType.TOPIC, topic).get("min.insync.replicas");
    return Number(override ?? this.#brokerValues("min.insync.replicas")[0]?.value ?? 1);
  }
  #topicEntry(key: ConfigKey, override: string | undefined): EffectiveEntry {
    const values: SourcedValue[] = [];
    let fallback: string | null = null;
    for (const { name, factor = 1 } of key.synonyms ?? []) {
      for (const found of this.#brokerValues(name)) {
        values.push(found);
        if (found.source !== ConfigSource.DEFAULT && found.value !== null) {
          // log.retention.hours=-1 is for ever, as retention.ms=-1.
          fallback ??= factor === 1 ? found.value : String(Math.max(-1, Number(found.value) * factor));
        }
      }
    }
    const inherited = told(key.synonyms?.[0]?.name ?? "", values);
    if (override === undefined) {
      const source = inherited[0]?.source ?? ConfigSource.DEFAULT;
      return { key, name: key.name, value: fallback ?? key.default, source, synonyms: inherited };
    }
    const own = { name: key.name, value: override, source: ConfigSource.DYNAMIC_TOPIC };
    return { key, ...own, synonyms: [own, ...inherited] };
  }
  #brokerValues(name: string): readonly SourcedValue[] {
    const { nodeId, properties } = this.#options;
    const image = this.#options.image();
    const values: SourcedValue[] = [];
    const add = (value: string | null | undefined, source: number): void => {
      if (value !== null && value !== undefined) values.push({ name, value, source });
    };
    add(image.configs(ResourceType.BROKER, String(nodeId)).get(name), ConfigSource.DYNAMIC_BROKER);
    add(image.configs(ResourceType.BROKER, "").get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER);
    add(properties[name], ConfigSource.STATIC_BROKER);
    add(brokerKeys.get(name)?.default, ConfigSource.DEFAULT);
    return values;
  }
}
