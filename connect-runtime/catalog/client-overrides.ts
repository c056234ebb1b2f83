/** `producer.override.*` and its siblings: what the worker's policy lets a connector change (KIP-458). */
import type { ConfigKey, RawConfig } from "../api/config.ts";
import { configToString, parseConfigValue } from "../api/config-parse.ts";
import { ConfigError } from "../api/errors.ts";
import { inHashMapOrder } from "../api/hash-map-order.ts";
import type { OverridePolicy } from "../config.ts";
import { maskValue } from "../worker/secrets.ts";
import { type ClientKind, clientKey } from "./client-keys.ts";
import { type ConfigInfo, keyInfo } from "./config-infos.ts";

const NOTHING_DECLARED: ReadonlySet<string> = new Set();

/** One entry for each override of the clients that the connector uses, in the order of Kafka's maps. */
export function overrideInfos(config: RawConfig, clients: readonly ClientKind[], policy: OverridePolicy): ConfigInfo[] {
  return clients.flatMap((client) => {
    const prefix = `${client}.override.`;
    const given = Object.entries(config).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
    );
    return inHashMapOrder(given).map(([setting, value]) => {
      const known = clientKey(client, setting);
      const errors =
        (policy.settings?.has(setting) ?? true)
          ? []
          : [`The '${policy.name}' policy does not allow '${setting}' to be overridden in the connector configuration.`];
      return {
        definition: known === null ? null : keyInfo(known, prefix),
        value: {
          name: prefix + setting,
          value: value === null ? null : shown(prefix + setting, value, known),
          recommended_values: [],
          errors,
          visible: true,
        },
      };
    });
  });
}
/** As the client's type prints it; what it cannot read stays as it was given. */
function shown(key: string, value: string, known: ConfigKey | null): string | null {
  if (known === null) return maskValue(key, value, NOTHING_DECLARED);
  try {
    return maskValue(key, configToString(parseConfigValue(known.name, known.type, value), known.type) ?? "", NOTHING_DECLARED);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return maskValue(key, value, NOTHING_DECLARED);
  }
}
