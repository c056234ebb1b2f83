/**
 * Where connectors may go in the file system: whoever may post a connector must not be able to read or write any file of the host. Roots
 * come from MILLRACE_FILE_ROOTS (the worker sets it from `file.connector.roots`), separated as in PATH or by commas.
 */
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, resolve, sep } from "node:path";
import { ConfigError } from "./errors.ts";

/** Without a setting: the working directory and the system's temporary folder. */
export function fileRoots(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const given = (env["MILLRACE_FILE_ROOTS"] ?? "")
    .split(new RegExp(`[,${delimiter}]`))
    .map((root) => root.trim())
    .filter((root) => root !== "");
  return given.length > 0 ? given : [process.cwd(), tmpdir()];
}
/** The path with every symlink resolved, also where its last parts do not exist yet. */
async function realPathOf(path: string): Promise<string> {
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      return resolve(await realpath(at), ...missing);
    } catch (error) {
      const absent = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!absent || dirname(at) === at) throw error;
      missing.unshift(basename(at));
    }
  }
}
/** The resolved path, which is to be opened instead of the given one. Throws ConfigError when it lies outside of every root. */
export async function confine(file: string, roots: readonly string[]): Promise<string> {
  const path = await realPathOf(file);
  for (const root of roots) {
    const real = await realPathOf(root);
    if (path === real || path.startsWith(real.endsWith(sep) ? real : real + sep)) return path;
  }
  throw new ConfigError(
    `File ${file} lies outside of the folders that connectors may use (${roots.join(", ")}); the worker setting file.connector.roots names them`,
  );
}
