/**
 * The catalogue of plugins: what comes with Millrace, and what `plugin.path` holds. Task threads import this module for `catalog`;
 * the main thread also asks what there is.
 */
import type { ConnectorPlugin } from "../api/connector.ts";
import type { ConfigDef } from "../api/config.ts";
import type { ConfigProviderPlugin } from "../api/plugin.ts";
import type { ConnectorType } from "../herder/types.ts";
import type { PluginCatalog, ThirdPartyPlugin } from "../worker/types.ts";
import {
  configProviderEntries,
  type ConnectorEntry,
  connectorEntries,
  converterEntries,
  headerConverterEntries,
  loadSmallPlugins,
  type PluginEntry,
  predicateEntries,
  type SmallPlugins,
  transformEntries,
} from "./builtin.ts";
import { ClassNames } from "./class-names.ts";
import { loadThirdParty, type PluginsByKind } from "./third-party.ts";

type Small<K extends keyof SmallPlugins> = SmallPlugins[K][number];
interface Tables {
  readonly connectors: readonly ConnectorEntry[];
  readonly connector: ClassNames<ConnectorEntry>;
  readonly transform: ClassNames<PluginEntry<Small<"transforms">>>;
  readonly predicate: ClassNames<PluginEntry<Small<"predicates">>>;
  readonly converter: ClassNames<PluginEntry<Small<"converters">>>;
  readonly headerConverter: ClassNames<PluginEntry<Small<"headerConverters">>>;
  readonly configProvider: ClassNames<PluginEntry<ConfigProviderPlugin>>;
}
let thirdParty: readonly ThirdPartyPlugin[] = [];
let tables = tablesWith();

function entriesOf<K extends keyof PluginsByKind>(kind: K): PluginEntry<PluginsByKind[K]>[] {
  return thirdParty.filter((p) => p.kind === kind).map((p) => ({ ...p, load: () => loadThirdParty(p, kind) }));
}
function tablesWith(): Tables {
  const connectors: ConnectorEntry[] = [...connectorEntries];
  for (const p of thirdParty) {
    const { kind } = p;
    if (kind === "source" || kind === "sink") connectors.push({ ...p, kind, load: () => loadThirdParty(p, kind) });
  }
  return {
    connectors,
    connector: new ClassNames(connectors, "Connector"),
    transform: new ClassNames([...transformEntries, ...entriesOf("transform")], ""),
    predicate: new ClassNames([...predicateEntries, ...entriesOf("predicate")], ""),
    converter: new ClassNames([...converterEntries, ...entriesOf("converter")], "Converter"),
    headerConverter: new ClassNames([...headerConverterEntries, ...entriesOf("header-converter")], "Converter"),
    configProvider: new ClassNames(configProviderEntries, "ConfigProvider"),
  };
}
/** From now on these are known as well, in this thread. */
export function addThirdParty(plugins: readonly ThirdPartyPlugin[]): void {
  thirdParty = plugins;
  tables = tablesWith();
  loading = null;
}

/** For another thread, which has to be told of them. */
export const thirdPartyPlugins = (): readonly ThirdPartyPlugin[] => thirdParty;

/** The small plugins by name, once they are loaded. */
export interface PluginNames {
  readonly transforms: ClassNames<SmallPlugins["transforms"][number]>;
  readonly predicates: ClassNames<SmallPlugins["predicates"][number]>;
  readonly converters: ClassNames<SmallPlugins["converters"][number]>;
  readonly headerConverters: ClassNames<SmallPlugins["headerConverters"][number]>;
  readonly configProviders: ClassNames<SmallPlugins["configProviders"][number]>;
  readonly all: SmallPlugins;
}
let loading: Promise<PluginNames> | null = null;
export function pluginNames(): Promise<PluginNames> {
  loading ??= loadAll().then((all) => ({
    transforms: new ClassNames(all.transforms, ""),
    predicates: new ClassNames(all.predicates, ""),
    converters: new ClassNames(all.converters, "Converter"),
    headerConverters: new ClassNames(all.headerConverters, "Converter"),
    configProviders: new ClassNames(all.configProviders, "ConfigProvider"),
    all,
  }));
  return loading;
}
async function loadAll(): Promise<SmallPlugins> {
  const load = <T>(entries: readonly PluginEntry<T>[]): Promise<T[]> => Promise.all(entries.map((e) => e.load()));
  const [own, transforms, predicates, converters, headerConverters] = await Promise.all([
    loadSmallPlugins(),
    load(entriesOf("transform")),
    load(entriesOf("predicate")),
    load(entriesOf("converter")),
    load(entriesOf("header-converter")),
  ]);
  return {
    transforms: [...own.transforms, ...transforms],
    predicates: [...own.predicates, ...predicates],
    converters: [...own.converters, ...converters],
    headerConverters: [...own.headerConverters, ...headerConverters],
    configProviders: own.configProviders,
  };
}

const load = <T>(entry: PluginEntry<T> | null): Promise<T | null> => entry?.load() ?? Promise.resolve(null);
export const catalog: PluginCatalog = {
  connector: (name) => tables.connector.find(name)?.load() ?? Promise.resolve(null),
  transform: (name) => load(tables.transform.find(name)),
  predicate: (name) => load(tables.predicate.find(name)),
  converter: (name) => load(tables.converter.find(name)),
  headerConverter: (name) => load(tables.headerConverter.find(name)),
  configProvider: (name) => load(tables.configProvider.find(name)),
};

/** What is known of connectors without loading them. */
export const connectorClasses = {
  typeOf: (className: string): ConnectorType => tables.connector.find(className)?.kind ?? "unknown",
  versionOf: (className: string): string | null => tables.connector.find(className)?.version ?? null,
  loadConnector: (className: string): Promise<ConnectorPlugin> | null => tables.connector.find(className)?.load() ?? null,
  /** Kafka's sentence for a class that there is not. */
  notFound: (className: string): string =>
    `Failed to find any class that implements Connector and which name matches ${className}, available connectors are: ` +
    tables.connectors
      .map((e) => `PluginDesc{klass=class ${e.classes[0]}, name='${e.classes[0]}', version='${e.version}', type=${e.kind}}`)
      .join(", "),
};

export type PluginType = "source" | "sink" | "transformation" | "predicate" | "converter" | "header_converter";
export interface PluginInfo {
  readonly class: string;
  readonly type: PluginType;
  readonly version: string;
}
/** As `GET /connector-plugins` lists them. */
export async function listPlugins(connectorsOnly: boolean): Promise<readonly PluginInfo[]> {
  const list: PluginInfo[] = [];
  const add = (type: PluginType, plugins: readonly { classes: readonly string[]; version: string }[]): void => {
    const infos = plugins.flatMap((p) => p.classes.map((c) => ({ class: c, type, version: p.version })));
    list.push(...infos.sort((a, b) => (a.class < b.class ? -1 : a.class > b.class ? 1 : 0)));
  };
  add(
    "sink",
    tables.connectors.filter((e) => e.kind === "sink"),
  );
  add(
    "source",
    tables.connectors.filter((e) => e.kind === "source"),
  );
  if (connectorsOnly) return list;
  const { all } = await pluginNames();
  add("transformation", all.transforms);
  add("predicate", all.predicates);
  add("converter", all.converters);
  add("header_converter", all.headerConverters);
  return list;
}

export interface FoundPlugin {
  readonly className: string;
  readonly type: PluginType | "config_provider";
  readonly config: ConfigDef;
  readonly version: string;
}
/** Any plugin by any of its names, for `GET /connector-plugins/NAME/config`. */
export async function findPlugin(name: string): Promise<FoundPlugin | null> {
  const connector = await catalog.connector(name);
  if (connector !== null)
    return { type: connector.kind, className: connector.classes[0] ?? name, config: connector.config, version: connector.version };
  const names = await pluginNames();
  const converter = names.converters.find(name);
  if (converter !== null)
    return { type: "converter", className: converter.classes[0] ?? name, config: converter.config, version: converter.version };
  const header = names.headerConverters.find(name);
  if (header !== null)
    return { type: "header_converter", className: header.classes[0] ?? name, config: header.config, version: header.version };
  const transform = names.transforms.find(name);
  if (transform !== null)
    return { type: "transformation", className: transform.classes[0] ?? name, config: transform.config, version: transform.version };
  const predicate = names.predicates.find(name);
  if (predicate !== null)
    return { type: "predicate", className: predicate.classes[0] ?? name, config: predicate.config, version: predicate.version };
  return null;
}
