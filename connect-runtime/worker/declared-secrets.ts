/** Keys of a connector's configuration that its plugins declare as PASSWORD, whatever they are called. */
import type { ConfigDef } from "../api/config.ts";
import type { ConfigMap, PluginCatalog } from "./types.ts";

type Declares = { readonly config: ConfigDef } | null;
/** Plugins that are not there declare nothing. */
export async function declaredSecrets(catalog: PluginCatalog, config: ConfigMap): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const add = async (prefix: string, finding: Promise<Declares>): Promise<void> => {
    for (const key of (await finding)?.config ?? []) if (key.type === "PASSWORD") names.add(prefix + key.name);
  };
  const found: Promise<void>[] = [];
  for (const [key, value] of Object.entries(config)) {
    const step = /^(transforms|predicates)\.[^.]+\.(?=type$)/.exec(key);
    if (key === "connector.class") found.push(add("", catalog.connector(value)));
    else if (key === "key.converter" || key === "value.converter") found.push(add(`${key}.`, catalog.converter(value)));
    else if (key === "header.converter") found.push(add(`${key}.`, catalog.headerConverter(value)));
    else if (step !== null) found.push(add(step[0], step[1] === "transforms" ? catalog.transform(value) : catalog.predicate(value)));
  }
  await Promise.all(found);
  return names;
}
