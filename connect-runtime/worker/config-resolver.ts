/**
 * `${provider:path:key}` references in configurations (KIP-297). Providers are named by the worker's `config.providers`. They
 * do not work inside client overrides, where a value could be sent to a server of the author's choice.
 */
import { ConfigError } from "../api/errors.ts";
import type { ConfigProvider } from "../api/plugin.ts";
import { listOf, withPrefix } from "./settings.ts";
import type { ConfigMap, PluginCatalog } from "./types.ts";

const REFERENCE = /\$\{([^}:]*):(?:([^}]*):)?([^}:]*)\}/g;
const OVERRIDES = ["producer.override.", "consumer.override.", "admin.override."];

export interface ConfigResolver {
  /** Throws ConfigError. Unknown providers' references stay as they are. */
  resolve(config: ConfigMap): Promise<ConfigMap>;
}
export async function createConfigResolver(catalog: PluginCatalog, worker: ConfigMap): Promise<ConfigResolver> {
  const providers = new Map<string, ConfigProvider>();
  for (const name of listOf(worker, "config.providers")) {
    const className = worker[`config.providers.${name}.class`] ?? "";
    const plugin = await catalog.configProvider(className);
    if (plugin === null)
      throw new ConfigError(
        `Invalid value ${className} for configuration config.providers.${name}.class: Class ${className} could not be found.`,
      );
    providers.set(name, plugin.create(withPrefix(worker, `config.providers.${name}.param.`)));
  }
  const resolveText = async (text: string): Promise<string> => {
    let resolved = "";
    let from = 0;
    for (const match of text.matchAll(REFERENCE)) {
      const provider = providers.get(match[1] ?? "");
      if (provider === undefined) continue;
      resolved += text.slice(from, match.index) + (await provider.get(match[2] ?? "", match[3] ?? ""));
      from = match.index + match[0].length;
    }
    return resolved + text.slice(from);
  };
  return {
    async resolve(config) {
      if (providers.size === 0) return config;
      const resolved: Record<string, string> = {};
      for (const [key, value] of Object.entries(config)) {
        const plain = !value.includes("${") || OVERRIDES.some((prefix) => key.startsWith(prefix));
        resolved[key] = plain ? value : await resolveText(value);
      }
      return resolved;
    },
  };
}
/** Task configs go to the config topic: values that came from a reference are turned back into it. */
export function restoreReferences(config: ConfigMap, raw: ConfigMap, resolved: ConfigMap): Record<string, string> {
  const restored: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    const reference = raw[key];
    restored[key] = reference?.includes("${") === true && resolved[key] === value ? reference : value;
  }
  return restored;
}
