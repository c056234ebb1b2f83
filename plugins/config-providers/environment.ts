/** org.apache.kafka.common.config.provider.EnvVarConfigProvider: `${env:NAME}`, limited by `allowlist.pattern`. */
import { ConfigError } from "#connect/api/errors";
import { JavaRegex, RegexSyntaxError } from "#connect/api/java-regex";
import type { ConfigProviderPlugin } from "#connect/api/plugin";

function allowlist(pattern: string | null | undefined): JavaRegex {
  try {
    return new JavaRegex(pattern ?? ".*");
  } catch (e) {
    if (e instanceof RegexSyntaxError) throw new ConfigError(`Invalid allowlist.pattern: ${e.message}`, e);
    throw e;
  }
}
export const environmentConfigProvider: ConfigProviderPlugin = {
  kind: "config-provider",
  name: "env",
  classes: ["org.apache.kafka.common.config.provider.EnvVarConfigProvider"],
  version: "4.1.0",
  create(config) {
    const allowed = allowlist(config["allowlist.pattern"]);
    return {
      get(path, key) {
        if (path !== "") return Promise.reject(new ConfigError("Path is not supported for EnvVarConfigProvider, invalid value 'path'"));
        const value = allowed.matches(key) ? process.env[key] : undefined;
        if (value === undefined)
          return Promise.reject(new ConfigError(`The environment has no variable ${key}, or allowlist.pattern excludes it`));
        return Promise.resolve(value);
      },
    };
  },
};
