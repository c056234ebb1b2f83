/**
 * Plugins by third parties on `plugin.path`. A place of the path may be a package (a folder with package.json), a file, or a folder of
 * those; folders without any of ours (jars of a JVM) are passed over. A package names its modules in `"millrace": {"plugins":
 * ["./dist/index.js"]}`; without it, `exports`/`main` or `index.ts`, `index.js` is taken if its keywords hold `millrace-plugin` or it
 * has no package.json. The modules' exports that look like plugins are the plugins.
 */
import { readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ConnectorPlugin, SinkConnectorPlugin, SourceConnectorPlugin } from "../api/connector.ts";
import { ConfigError, ConnectError } from "../api/errors.ts";
import type { ConverterPlugin, HeaderConverterPlugin, PredicatePlugin, TransformPlugin } from "../api/plugin.ts";
import type { ThirdPartyPlugin } from "../worker/types.ts";

type SmallPlugin = TransformPlugin | PredicatePlugin | ConverterPlugin | HeaderConverterPlugin;
type AnyPlugin = ConnectorPlugin | SmallPlugin;
export interface PluginsByKind {
  readonly source: SourceConnectorPlugin;
  readonly sink: SinkConnectorPlugin;
  readonly transform: TransformPlugin;
  readonly predicate: PredicatePlugin;
  readonly converter: ConverterPlugin;
  readonly "header-converter": HeaderConverterPlugin;
}
/** What a plugin of each kind must have beside name, classes, version and config. */
const NEEDED: Readonly<Record<keyof PluginsByKind, readonly string[]>> = {
  source: ["start", "task"],
  sink: ["start", "task"],
  transform: ["create"],
  predicate: ["create"],
  converter: ["create"],
  "header-converter": ["create"],
};
const MODULE = /(?<!\.d)\.(?:ts|mts|js|mjs|cjs)$/;
const INDEXES = ["index.ts", "index.mts", "index.js", "index.mjs"];
const PLUGINS_MAX = 10_000;

/** Node strips the types of a package's modules where it is linked to, and refuses to where it was copied into `node_modules`. */
const INSTALLED = /^file:.*\/node_modules\/.*(?<!\.d)\.m?ts$/;

let hooked = false;
/**
 * `millrace/api` in a plugin's imports is this process's own, whatever is installed beside the plugin: classes must be the same.
 * Installed packages may be TypeScript.
 */
function hookApi(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      const part = /^millrace\/api(?:\/([a-z-]+))?$/.exec(specifier);
      if (part === null) return next(specifier, context);
      const suffix = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
      return { url: new URL(`../api/${part[1] ?? "index"}${suffix}`, import.meta.url).href, shortCircuit: true };
    },
    load(url, context, next) {
      if (!INSTALLED.test(url)) return next(url, context);
      const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), "utf8"), { mode: "strip" });
      return { format: "module", source, shortCircuit: true };
    },
  });
}
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;

/** False: not a plugin at all. Throws ConfigError for one that lacks something. */
function isPlugin(value: unknown, where: string): value is AnyPlugin {
  if (!isObject(value) || typeof value["kind"] !== "string" || !Object.hasOwn(NEEDED, value["kind"])) return false;
  const kind = value["kind"];
  const demand = (right: boolean, what: string): void => {
    if (!right) throw new ConfigError(`The ${kind} plugin in ${where} has no ${what}`);
  };
  const { name, classes, version, config, taskClass } = value;
  demand(typeof name === "string" && name !== "", "name");
  demand(Array.isArray(classes) && classes.length > 0 && classes.every((c) => typeof c === "string" && c !== ""), "classes");
  demand(typeof version === "string", "version");
  demand(Array.isArray(config), "config");
  demand((kind !== "source" && kind !== "sink") || typeof taskClass === "string", "taskClass");
  for (const [of, methods] of Object.entries(NEEDED))
    for (const method of methods) demand(of !== kind || typeof value[method] === "function", method);
  return true;
}
/** The plugins that one module exports, by the export's name. */
async function exportsOf(module: string): Promise<{ readonly plugin: AnyPlugin; readonly export: string }[]> {
  hookApi();
  let loaded: unknown;
  try {
    loaded = await import(module);
  } catch (cause) {
    throw new ConnectError(`The plugin module ${module} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      causeClass: "config",
      cause,
    });
  }
  if (!isObject(loaded)) return [];
  const found = new Map<AnyPlugin, string>();
  for (const [name, value] of Object.entries(loaded)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (isPlugin(each, module) && !found.has(each)) found.set(each, name);
    }
  }
  return [...found].map(([plugin, name]) => ({ plugin, export: name }));
}
/** Throws ConnectError when it is not there any more. */
export async function loadThirdParty<K extends keyof PluginsByKind>(entry: ThirdPartyPlugin, kind: K): Promise<PluginsByKind[K]> {
  const found = (await exportsOf(entry.module)).find((e) => e.plugin.name === entry.name && e.plugin.kind === kind);
  if (found === undefined) throw new ConnectError(`${entry.module} has no ${kind} plugin ${entry.name} any more`, { causeClass: "config" });
  // The kind was compared.
  return found.plugin as PluginsByKind[K];
}

interface Found {
  readonly plugins: readonly ThirdPartyPlugin[];
  /** Sentences for the log: what could not be used, and why. */
  readonly problems: readonly string[];
}
/** Looks through the path. What cannot be used is told about and does not keep the worker from starting. */
export async function findThirdParty(pluginPath: readonly string[]): Promise<Found> {
  const plugins: ThirdPartyPlugin[] = [];
  const problems: string[] = [];
  for (const place of pluginPath) {
    for (const file of await modulesIn(resolve(place), problems)) {
      if (plugins.length >= PLUGINS_MAX) return { plugins, problems };
      const module = pathToFileURL(file).href;
      try {
        for (const { plugin, export: name } of await exportsOf(module)) {
          plugins.push({
            kind: plugin.kind,
            name: plugin.name,
            classes: [...plugin.classes],
            version: plugin.version,
            module,
            export: name,
          });
        }
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  return { plugins, problems };
}
/** A place itself, or what lies directly in it (and in its `node_modules`, with scopes). */
async function modulesIn(place: string, problems: string[]): Promise<readonly string[]> {
  const info = await stat(place).catch(() => null);
  if (info === null) {
    problems.push(`plugin.path names ${place}, which is not there`);
    return [];
  }
  if (info.isFile()) return MODULE.test(place) ? [place] : [];
  const own = await packageModules(place, true);
  if (own.length > 0) return own;
  const found: string[] = [];
  for (const entry of await readdir(place, { withFileTypes: true })) {
    const path = join(place, entry.name);
    if (entry.name.startsWith(".")) continue;
    if (entry.isFile() && MODULE.test(entry.name)) found.push(path);
    else if (!entry.isDirectory() && !entry.isSymbolicLink()) continue;
    else if (entry.name === "node_modules" || entry.name.startsWith("@")) found.push(...(await modulesIn(path, problems)));
    else found.push(...(await packageModules(path, !place.includes("node_modules"))));
  }
  return found.sort();
}
/** `plain`: a folder without package.json counts by its index file. */
async function packageModules(folder: string, plain: boolean): Promise<readonly string[]> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => null);
  if (text === null) return plain ? await indexOf(folder) : [];
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return [];
  }
  if (!isObject(manifest)) return [];
  const own = manifest["millrace"];
  if (isObject(own) && Array.isArray(own["plugins"])) return own["plugins"].map((p) => resolve(folder, String(p)));
  const { keywords, main } = manifest;
  if (!Array.isArray(keywords) || !keywords.includes("millrace-plugin")) return [];
  return typeof main === "string" ? [resolve(folder, main)] : await indexOf(folder);
}
async function indexOf(folder: string): Promise<readonly string[]> {
  for (const name of INDEXES) {
    const path = join(folder, name);
    if ((await stat(path).catch(() => null))?.isFile() === true) return [path];
  }
  return [];
}
