/** The settings of a connector's transforms and predicates: `transforms.ALIAS.…` merged from the plugins' declarations. */
import type { ConfigDef, ConfigFinding, ConfigKey, ConfigValue, RawConfig } from "../api/config.ts";
import { parseConfigValue } from "../api/config-parse.ts";
import type { ClassNames } from "./class-names.ts";
import type { PluginNames } from "./catalog.ts";
import { embedded } from "./config-infos.ts";

interface ChainPlugin {
  readonly name: string;
  readonly classes: readonly string[];
  readonly version: string;
  readonly config: ConfigDef;
}
interface Chain<T extends ChainPlugin> {
  readonly setting: "transforms" | "predicates";
  readonly group: string;
  readonly label: string;
  readonly plugins: readonly T[];
  readonly names: ClassNames<T>;
  /** Full name of a class that is a plugin of another kind; null: there is none of that name. */
  readonly otherKind: (name: string) => string | null;
  /** Settings that the runtime adds to each plugin's own. */
  readonly extra: ConfigDef;
}
/** Settings that every transform has. */
const conditionKeys: ConfigDef = [
  { name: "negate", type: "BOOLEAN", default: false, importance: "MEDIUM", doc: "Apply the transform where the predicate does not hold." },
  { name: "predicate", type: "STRING", default: null, importance: "MEDIUM", doc: "Alias of the predicate that decides." },
];

export function chainDefinitions(config: RawConfig, names: PluginNames): ConfigDef {
  return [
    ...chainKeys(config, {
      setting: "transforms",
      group: "Transforms",
      label: "Transformation",
      plugins: names.all.transforms,
      names: names.transforms,
      otherKind: ofKinds([names.predicates, names.converters, names.headerConverters, names.configProviders]),
      extra: conditionKeys,
    }),
    ...chainKeys(config, {
      setting: "predicates",
      group: "Predicates",
      label: "Predicate",
      plugins: names.all.predicates,
      names: names.predicates,
      otherKind: ofKinds([names.transforms, names.converters, names.headerConverters, names.configProviders]),
      extra: [],
    }),
  ];
}
const ofKinds =
  (kinds: readonly Pick<ClassNames<ChainPlugin>, "fullName">[]) =>
  (name: string): string | null => {
    for (const kind of kinds) {
      const found = kind.fullName(name);
      if (found !== null) return found;
    }
    return null;
  };
function chainKeys<T extends ChainPlugin>(config: RawConfig, chain: Chain<T>): ConfigDef {
  return [...aliasesOf(chain.setting, config)].flatMap((alias) => pluginKeys(alias, config, chain));
}
function aliasesOf(setting: Chain<ChainPlugin>["setting"], config: RawConfig): ReadonlySet<string> {
  const listed = parseConfigValue(setting, "LIST", config[setting] ?? "");
  return new Set(Array.isArray(listed) ? listed.map(String) : []);
}
function pluginKeys<T extends ChainPlugin>(alias: string, config: RawConfig, chain: Chain<T>): ConfigDef {
  const prefix = `${chain.setting}.${alias}.`;
  const group = `${chain.group}: ${alias}`;
  const className = config[`${prefix}type`] ?? null;
  const plugin = className === null ? null : chain.names.find(className);
  const version = plugin?.version ?? null;
  const own: ConfigKey[] = [
    {
      name: `${prefix}type`,
      type: "CLASS",
      importance: "HIGH",
      doc: `Class of ${chain.setting.slice(0, -1)} ${alias}.`,
      group,
      orderInGroup: 0,
      width: "LONG",
      displayName: `${chain.label} type for ${alias}`,
      recommended: () => chain.plugins.flatMap((p) => p.classes).sort(),
      validate: (value) => typeErrors(config, prefix, value, chain),
    },
    {
      name: `${prefix}plugin.version`,
      type: "STRING",
      default: version,
      importance: "HIGH",
      doc: `Version of ${chain.setting.slice(0, -1)} ${alias}.`,
      group,
      orderInGroup: 1,
      width: "LONG",
      displayName: `${chain.label} version for ${alias}`,
      recommended: () => (version === null ? [] : [version]),
    },
  ];
  if (plugin === null) return own;
  return [...own, ...embedded([...plugin.config, ...chain.extra], prefix, group, 2)];
}
/** What is wrong between a transform's other settings is the fault of its class, as Kafka Connect counts, and found before an abstract one is. */
function typeErrors<T extends ChainPlugin>(config: RawConfig, prefix: string, value: ConfigValue, chain: Chain<T>): readonly string[] {
  const other = value === null || !isUnknown(value, chain.names) ? null : chain.otherKind(String(value));
  const wrong =
    other === null
      ? classErrors(`${prefix}type`, value, chain.names)
      : [`Class class ${other} does not implement the ${chain.label} interface`];
  const negated = chain.setting === "transforms" && config[`${prefix}negate`] !== undefined && config[`${prefix}predicate`] === undefined;
  if (!negated) return wrong;
  const unread = value === null || isUnknown(value, chain.names);
  const negate = `Config '${prefix}negate' was provided but there is no config '${prefix}predicate' defining a predicate to be negated.`;
  return [...(unread ? wrong : []), negate];
}
const isUnknown = <T extends ChainPlugin>(value: ConfigValue, names: ClassNames<T>): boolean =>
  names.find(String(value)) === null && names.variants(String(value)).length === 0;
/** As Kafka Connect's answers do: classes stand with their full names, one that is not there as null. */
export function fullClassNames(config: RawConfig, names: PluginNames, findings: Map<string, ConfigFinding>): void {
  const every = ofKinds([names.transforms, names.predicates, names.converters, names.headerConverters, names.configProviders]);
  const show = <T extends ChainPlugin>(
    setting: string,
    known: ClassNames<T>,
    other: (name: string) => string | null = () => null,
  ): void => {
    const finding = findings.get(setting);
    if (finding === undefined || finding.value === null) return;
    const given = String(finding.value);
    findings.set(setting, { ...finding, value: known.fullName(given) ?? (isUnknown(given, known) ? other(given) : given) });
  };
  for (const alias of aliasesOf("transforms", config)) show(`transforms.${alias}.type`, names.transforms, every);
  for (const alias of aliasesOf("predicates", config)) show(`predicates.${alias}.type`, names.predicates, every);
  for (const setting of ["key.converter", "value.converter"]) show(setting, names.converters);
  show("header.converter", names.headerConverters);
}
function classErrors<T extends ChainPlugin>(setting: string, value: ConfigValue, names: ClassNames<T>): readonly string[] {
  if (value === null || names.find(String(value)) !== null) return [];
  const variants = names.variants(String(value));
  if (variants.length > 0) return [`This class is abstract and cannot be created. Did you mean ${variants.join(", ")}?`];
  return [`Invalid value ${String(value)} for configuration ${setting}: Class ${String(value)} could not be found.`];
}
