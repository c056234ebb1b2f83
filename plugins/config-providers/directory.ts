/** org.apache.kafka.common.config.provider.DirectoryConfigProvider: `${dir:/path/to/secrets:filename}`, the file's whole text. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "#connect/api/errors";
import type { ConfigProviderPlugin } from "#connect/api/plugin";
import { allowedPaths } from "./allowed-paths.ts";

export const directoryConfigProvider: ConfigProviderPlugin = {
  kind: "config-provider",
  name: "dir",
  classes: ["org.apache.kafka.common.config.provider.DirectoryConfigProvider"],
  version: "4.1.0",
  create(config) {
    const allowed = allowedPaths(config);
    return {
      async get(path, key) {
        if (key === "" || key === "." || key === ".." || /[/\\\0]/.test(key))
          throw new ConfigError(`${key} is not the name of a file in ${path}`);
        const real = await allowed.resolve(join(path, key));
        try {
          return await readFile(real, "utf8");
        } catch (e) {
          throw new ConfigError(`Could not read file ${key} in directory ${path}`, e);
        }
      },
    };
  },
};
