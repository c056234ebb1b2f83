/** The converters of a connector: its own setting with its own keys, else the worker's with the worker's keys. */
import { ConnectError } from "../api/errors.ts";
import type { Converter, HeaderConverter } from "../api/plugin.ts";
import { withPrefix } from "./settings.ts";
import type { ConfigMap, PluginCatalog } from "./types.ts";

interface Named<T> {
  readonly plugin: T;
  /** Full Java class name, as reports show it. */
  readonly className: string;
}
export interface Converters {
  readonly key: Named<Converter>;
  readonly value: Named<Converter>;
  readonly header: Named<HeaderConverter>;
}
const JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter";
const SIMPLE_HEADER_CONVERTER = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

export const missingClass = (name: string, className: string): ConnectError =>
  new ConnectError(
    `Failed to find any class that implements ${name} and which name matches ${className}. Look at GET /connector-plugins?connectorsOnly=false`,
    { causeClass: "config" },
  );
/** `asked` may be an alias or a simple name. */
export const fullClassName = (classes: readonly string[], asked: string): string =>
  classes.find((c) => c === asked || c.endsWith(`.${asked}`)) ?? classes[0] ?? asked;

function choose(connector: ConfigMap, worker: ConfigMap, setting: string, otherwise: string): { className: string; config: ConfigMap } {
  const own = connector[setting];
  if (own !== undefined) return { className: own, config: withPrefix(connector, `${setting}.`) };
  return { className: worker[setting] ?? otherwise, config: withPrefix(worker, `${setting}.`) };
}
async function converter(catalog: PluginCatalog, connector: ConfigMap, worker: ConfigMap, isKey: boolean): Promise<Named<Converter>> {
  const chosen = choose(connector, worker, isKey ? "key.converter" : "value.converter", JSON_CONVERTER);
  const plugin = await catalog.converter(chosen.className);
  if (plugin === null) throw missingClass("Converter", chosen.className);
  const config = { ...chosen.config, "converter.type": isKey ? "key" : "value" };
  return { plugin: plugin.create(config, isKey), className: fullClassName(plugin.classes, chosen.className) };
}
/** Throws ConnectError or ConfigError. */
export async function createConverters(catalog: PluginCatalog, connector: ConfigMap, worker: ConfigMap): Promise<Converters> {
  const chosen = choose(connector, worker, "header.converter", SIMPLE_HEADER_CONVERTER);
  const header = await catalog.headerConverter(chosen.className);
  if (header === null) throw missingClass("HeaderConverter", chosen.className);
  return {
    key: await converter(catalog, connector, worker, true),
    value: await converter(catalog, connector, worker, false),
    header: {
      plugin: header.create({ ...chosen.config, "converter.type": "header" }),
      className: fullClassName(header.classes, chosen.className),
    },
  };
}
