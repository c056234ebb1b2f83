/** The catalogue of plugins. Task threads import this module for `catalog`; the main thread also asks what there is. */
import type { ConnectorPlugin } from "../api/connector.ts";
import type { ConfigDef } from "../api/config.ts";
import type { ConnectorType } from "../herder/types.ts";
import type { PluginCatalog } from "../worker/types.ts";
import { connectorEntries, loadSmallPlugins, type SmallPlugins } from "./builtin.ts";
import { ClassNames } from "./class-names.ts";

const connectors = new ClassNames(connectorEntries, "Connector");

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
  loading ??= loadSmallPlugins().then((all) => ({
    transforms: new ClassNames(all.transforms, ""),
    predicates: new ClassNames(all.predicates, ""),
    converters: new ClassNames(all.converters, "Converter"),
    headerConverters: new ClassNames(all.headerConverters, "Converter"),
    configProviders: new ClassNames(all.configProviders, "ConfigProvider"),
    all,
  }));
  return loading;
}

export const catalog: PluginCatalog = {
  connector: (name) => connectors.find(name)?.load() ?? Promise.resolve(null),
  transform: async (name) => (await pluginNames()).transforms.find(name),
  predicate: async (name) => (await pluginNames()).predicates.find(name),
  converter: async (name) => (await pluginNames()).converters.find(name),
  headerConverter: async (name) => (await pluginNames()).headerConverters.find(name),
  configProvider: async (name) => (await pluginNames()).configProviders.find(name),
};

/** What is known of connectors without loading them. */
export const connectorClasses = {
  typeOf: (className: string): ConnectorType => connectors.find(className)?.kind ?? "unknown",
  versionOf: (className: string): string | null => connectors.find(className)?.version ?? null,
  loadConnector: (className: string): Promise<ConnectorPlugin> | null => connectors.find(className)?.load() ?? null,
  /** Kafka's sentence for a class that there is not. */
  notFound: (className: string): string =>
    `Failed to find any class that implements Connector and which name matches ${className}, available connectors are: ` +
    connectorEntries
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
    connectorEntries.filter((e) => e.kind === "sink"),
  );
  add(
    "source",
    connectorEntries.filter((e) => e.kind === "source"),
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
  readonly type: PluginType | "config_provider";
  readonly config: ConfigDef;
  readonly version: string;
}
/** Any plugin by any of its names, for `GET /connector-plugins/NAME/config`. */
export async function findPlugin(name: string): Promise<FoundPlugin | null> {
  const connector = await catalog.connector(name);
  if (connector !== null) return { type: connector.kind, config: connector.config, version: connector.version };
  const names = await pluginNames();
  const converter = names.converters.find(name);
  if (converter !== null) return { type: "converter", config: converter.config, version: converter.version };
  const header = names.headerConverters.find(name);
  if (header !== null) return { type: "header_converter", config: header.config, version: header.version };
  const transform = names.transforms.find(name);
  if (transform !== null) return { type: "transformation", config: transform.config, version: transform.version };
  const predicate = names.predicates.find(name);
  if (predicate !== null) return { type: "predicate", config: predicate.config, version: predicate.version };
  return null;
}
