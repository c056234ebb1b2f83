/** `producer.override.*` and its siblings: what the worker's policy lets a connector change (KIP-458). */
import type { RawConfig } from "../api/config.ts";
import type { OverridePolicy } from "../config.ts";
import { maskValue } from "../worker/secrets.ts";
import type { ConfigInfo } from "./config-infos.ts";

const NOTHING_DECLARED: ReadonlySet<string> = new Set();

/** One entry for each override of the clients that the connector uses. */
export function overrideInfos(
  config: RawConfig,
  clients: readonly ("producer" | "consumer" | "admin")[],
  policy: OverridePolicy,
): ConfigInfo[] {
  return clients.flatMap((client) =>
    Object.entries(config)
      .filter(([key]) => key.startsWith(`${client}.override.`))
      .map(([key, value]) => {
        const setting = key.slice(client.length + ".override.".length);
        const errors =
          (policy.settings?.has(setting) ?? true)
            ? []
            : [`The '${policy.name}' policy does not allow '${setting}' to be overridden in the connector configuration.`];
        return {
          definition: null,
          value: {
            name: key,
            value: value === null ? null : maskValue(key, value, NOTHING_DECLARED),
            recommended_values: [],
            errors,
            visible: true,
          },
        };
      }),
  );
}
