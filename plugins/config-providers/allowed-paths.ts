/** Which files a config provider may read: below the roots of `allowed.paths`, symbolic links resolved; no setting: all. */
import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import type { RawConfig } from "#connect/api/config";
import { ConfigError } from "#connect/api/errors";

export interface AllowedPaths {
  /** The real path. Throws ConfigError when it is not allowed or not there. */
  resolve(path: string): Promise<string>;
}
const isBelow = (root: string, path: string): boolean => {
  const way = relative(root, path);
  return way === "" || (!way.startsWith("..") && !isAbsolute(way));
};
export function allowedPaths(config: RawConfig): AllowedPaths {
  const text = (config["allowed.paths"] ?? "").trim();
  const roots = text === "" ? null : text.split(",").map((p) => p.trim());
  for (const root of roots ?? []) if (!isAbsolute(root)) throw new ConfigError(`Path ${root} is not absolute`);
  return {
    async resolve(path) {
      let real: string;
      try {
        real = await realpath(resolve(path));
      } catch (e) {
        throw new ConfigError(`Could not read file ${path}: it does not exist or cannot be reached`, e);
      }
      if (roots === null) return real;
      for (const root of roots) if (isBelow(await realpath(root).catch(() => resolve(root)), real)) return real;
      throw new ConfigError(`The path ${path} is not allowed to be accessed: it is not below allowed.paths`);
    },
  };
}
