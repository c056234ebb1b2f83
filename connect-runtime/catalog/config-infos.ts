/** Declarations and findings in the shapes of Kafka Connect's answers (ConfigInfos, ConfigKeyInfo). */
import type { ConfigDef, ConfigFinding, ConfigKey, ConfigType, ConfigValue, RawConfig } from "../api/config.ts";
import { configToString, invalidConfig, missingConfig, parseConfigValue } from "../api/config-parse.ts";
import { ConfigError } from "../api/errors.ts";

export interface ConfigKeyInfo {
  readonly name: string;
  readonly type: ConfigType;
  readonly required: boolean;
  readonly default_value: string | null;
  readonly importance: ConfigKey["importance"];
  readonly documentation: string;
  readonly group: string | null;
  readonly width: string;
  readonly display_name: string;
  readonly dependents: readonly string[];
  readonly order: number;
}
export interface ConfigValueInfo {
  readonly name: string;
  readonly value: string | null;
  readonly recommended_values: readonly (string | null)[];
  readonly errors: readonly string[];
  readonly visible: boolean;
}
export interface ConfigInfo {
  readonly definition: ConfigKeyInfo | null;
  readonly value: ConfigValueInfo;
}
export interface ConfigInfos {
  readonly name: string;
  readonly error_count: number;
  readonly groups: readonly string[];
  readonly configs: readonly ConfigInfo[];
}

export function keyInfo(key: ConfigKey, prefix = ""): ConfigKeyInfo {
  return {
    name: prefix + key.name,
    type: key.type,
    required: key.default === undefined,
    default_value: key.default === undefined ? null : configToString(parsedDefault(key, key.default), key.type),
    importance: key.importance,
    documentation: key.doc,
    group: key.group ?? null,
    width: key.width ?? "NONE",
    display_name: key.displayName ?? key.name,
    dependents: key.dependents ?? [],
    order: key.orderInGroup ?? -1,
  };
}
const parsedDefault = (key: ConfigKey, value: ConfigValue): ConfigValue => parseConfigValue(key.name, key.type, value);

export function valueInfo(finding: ConfigFinding, type: ConfigType | null, prefix = ""): ConfigValueInfo {
  return {
    name: prefix + finding.name,
    value: type === null ? (finding.value === null ? null : String(finding.value)) : configToString(finding.value, type),
    recommended_values: finding.recommendedValues.map((v) => (type === null ? String(v) : configToString(v, type))),
    errors: finding.errors,
    visible: finding.visible,
  };
}

/** ConfigDef.validate: the check also sees the null of a missing or unreadable value, and a refused value stays visible. */
export function findingsOf(def: ConfigDef, raw: RawConfig): Map<string, ConfigFinding> {
  const findings = new Map<string, ConfigFinding>();
  for (const key of def) {
    if (key.internal === true) continue;
    const errors: string[] = [];
    let value: ConfigValue = null;
    const given = raw[key.name];
    try {
      if (given !== undefined) value = given === null ? null : parseConfigValue(key.name, key.type, given);
      else if (key.default === undefined) errors.push(missingConfig(key.name));
      else value = parsedDefault(key, key.default);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      errors.push(error.message);
    }
    const tail = key.check?.(value, raw) ?? null;
    if (tail !== null) errors.push(invalidConfig(checkedName(key), value, tail, key.type));
    errors.push(...(key.validate?.(value, raw) ?? []));
    findings.set(key.name, {
      name: key.name,
      value,
      recommendedValues: key.recommended?.(raw) ?? [],
      errors,
      visible: key.visible?.(raw) ?? true,
    });
  }
  return findings;
}
/** A key of a transform or predicate carries the prefix of its alias; its own check speaks of the bare name, as Kafka's does. */
const BARE_NAMES = new WeakMap<ConfigKey, string>();
const checkedName = (key: ConfigKey): string => BARE_NAMES.get(key) ?? key.name;

/** ConfigDef.embed: the keys of a nested plugin below a prefix, in Kafka's sorted order, in one group. */
export function embedded(def: ConfigDef, prefix: string, group: string, firstOrder: number): ConfigDef {
  return sorted(def).map((key, i) => {
    const { check, validate, recommended, visible } = key;
    const bare = (config: RawConfig): RawConfig => unprefixed(config, prefix);
    const nested: ConfigKey = {
      ...key,
      name: prefix + key.name,
      displayName: key.displayName ?? key.name,
      group: key.group === undefined || key.group === null ? group : `${group}: ${key.group}`,
      orderInGroup: firstOrder + i,
      dependents: (key.dependents ?? []).map((d) => prefix + d),
      ...(check === undefined ? {} : { check: (v: ConfigValue, c: RawConfig) => check(v, bare(c)) }),
      ...(validate === undefined ? {} : { validate: (v: ConfigValue, c: RawConfig) => validate(v, bare(c)) }),
      ...(recommended === undefined ? {} : { recommended: (c: RawConfig) => recommended(bare(c)) }),
      ...(visible === undefined ? {} : { visible: (c: RawConfig) => visible(bare(c)) }),
    };
    BARE_NAMES.set(nested, key.name);
    return nested;
  });
}
export function unprefixed(config: RawConfig, prefix: string): RawConfig {
  const out: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(config)) if (name.startsWith(prefix)) out[name.slice(prefix.length)] = value;
  return out;
}
const IMPORTANCES = ["HIGH", "MEDIUM", "LOW"];
/** By group, order in the group, required first, importance, name. */
function sorted(def: ConfigDef): ConfigKey[] {
  const groups = [...new Set(def.map((k) => k.group ?? null))];
  const rank = (k: ConfigKey): readonly (number | string)[] => [
    (k.group ?? null) === null ? -1 : groups.indexOf(k.group ?? null),
    k.orderInGroup ?? -1,
    k.default === undefined ? 0 : 1,
    IMPORTANCES.indexOf(k.importance),
    k.name,
  ];
  return [...def].sort((a, b) => compare(rank(a), rank(b)));
}
function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? x;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
/** The groups of a declaration, in order of their first key. */
export const groupsOf = (def: ConfigDef): string[] => [
  ...new Set(def.flatMap((k) => (k.group === undefined || k.group === null ? [] : [k.group]))),
];
