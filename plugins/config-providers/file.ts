/** org.apache.kafka.common.config.provider.FileConfigProvider: `${file:/path/to.properties:key}`. */
import { readFile } from "node:fs/promises";
import { ConfigError } from "#connect/api/errors";
import type { ConfigProviderPlugin } from "#connect/api/plugin";
import { allowedPaths } from "./allowed-paths.ts";
import { parseProperties } from "./properties.ts";

export const fileConfigProvider: ConfigProviderPlugin = {
  kind: "config-provider",
  name: "file",
  classes: ["org.apache.kafka.common.config.provider.FileConfigProvider"],
  version: "4.1.0",
  create(config) {
    const allowed = allowedPaths(config);
    return {
      async get(path, key) {
        const real = await allowed.resolve(path);
        let text: string;
        try {
          text = await readFile(real, "utf8");
        } catch (e) {
          throw new ConfigError(`Could not read properties from file ${path}`, e);
        }
        const value = parseProperties(text).get(key);
        if (value === undefined) throw new ConfigError(`There is no key ${key} in file ${path}`);
        return value;
      },
    };
  },
};
