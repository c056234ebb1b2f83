/**
 * Style and layering as tests: who may import whom, sizes, loose types, names, and that the documents agree with the code.
 * Each check is first run on a planted offence, so that it cannot be one that never fails.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { clones } from "./clones.ts";

const ROOT = join(import.meta.dirname, "..");
const SOURCE_FOLDERS = ["core-broker", "connect-runtime", "connectors", "plugins", "demo"];
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" })
  .split("\n")
  .filter((p) => p.endsWith(".ts") && existsSync(join(ROOT, p)));
const sources = tracked.filter((p) => SOURCE_FOLDERS.some((f) => p.startsWith(`${f}/`)));

const ALIASES: readonly (readonly [string, string])[] = [
  ["#broker/", "core-broker/"],
  ["#connect/", "connect-runtime/"],
  ["#connectors/", "connectors/"],
  ["#plugins/", "plugins/"],
];
/** Paths (from the root) that a file imports, packages left out; `raw` keeps what was written. */
function imports(path: string, text: string): { readonly raw: string; readonly target: string }[] {
  const found: { raw: string; target: string }[] = [];
  for (const m of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    const raw = m[1] ?? "";
    const alias = ALIASES.find(([a]) => raw.startsWith(a));
    if (alias !== undefined) found.push({ raw, target: alias[1] + raw.slice(alias[0].length) });
    else if (raw.startsWith(".")) found.push({ raw, target: posix.normalize(posix.join(dirname(path), raw)) });
  }
  return found;
}

/** The table of ARCHITECTURE.md: longest matching prefix decides; a folder may always import itself. */
const MAY_IMPORT: readonly (readonly [string, readonly string[]])[] = [
  ["core-broker/base", []],
  ["core-broker/protocol", ["core-broker/base"]],
  ["core-broker/log", ["core-broker/base", "core-broker/protocol"]],
  ["core-broker/client", ["core-broker/base", "core-broker/protocol"]],
  ["core-broker/network", ["core-broker/base", "core-broker/protocol", "core-broker/handlers/handler"]],
  ["core-broker/replication", ["core-broker/base", "core-broker/protocol", "core-broker/log", "core-broker/client"]],
  ["core-broker/coordinator", ["core-broker/base", "core-broker/protocol"]],
  ["core-broker/controller", ["core-broker/base", "core-broker/protocol"]],
  ["core-broker/quota", ["core-broker/base", "core-broker/controller/image"]],
  ["core-broker/metrics", ["core-broker/base"]],
  [
    "core-broker/handlers",
    [
      "core-broker/base",
      "core-broker/protocol",
      "core-broker/replication",
      "core-broker/coordinator",
      "core-broker/controller",
      "core-broker/quota",
    ],
  ],
  ["core-broker", ["core-broker"]],
  ["connect-runtime/api", []],
  ["connect-runtime/catalog/builtin", ["connect-runtime/api", "connectors", "plugins"]],
  ["connect-runtime/catalog", ["connect-runtime", "core-broker/base"]],
  ["connect-runtime/cli", ["connect-runtime", "core-broker"]],
  ["connect-runtime", ["connect-runtime", "core-broker/client", "core-broker/base", "core-broker/protocol/errors"]],
  ["connectors/cdc", ["connect-runtime/api", "core-broker/base/key-store"]],
  ["connectors/postgres", ["connect-runtime/api", "connectors/cdc"]],
  ["connectors/mysql", ["connect-runtime/api", "connectors/cdc"]],
  ["connectors/sqlserver", ["connect-runtime/api", "connectors/cdc"]],
  ["connectors", ["connect-runtime/api"]],
  ["plugins", ["connect-runtime/api"]],
  ["demo", ["connect-runtime", "core-broker"]],
];
function layerOffences(path: string, text: string): string[] {
  const rule = MAY_IMPORT.filter(([prefix]) => path.startsWith(`${prefix}/`) || path === `${prefix}.ts`).sort(
    (a, b) => b[0].length - a[0].length,
  )[0];
  if (rule === undefined) return [`${path}: no rule for this folder`];
  const own = rule[0] === "connectors" || rule[0] === "core-broker" ? posix.join(...path.split("/").slice(0, 2)) : rule[0];
  const top = path.split("/")[0] ?? "";
  return imports(path, text).flatMap(({ raw, target }) => {
    const problems: string[] = [];
    if (raw.startsWith(".") && !target.startsWith(`${top}/`)) problems.push(`${path}: relative import leaves ${top}: ${raw}`);
    if (!target.startsWith(own) && !rule[1].some((allowed) => target.startsWith(allowed)))
      problems.push(`${path} must not import ${target}`);
    return problems;
  });
}

const LINES_MAX = 500;
/** Tables of data, long by nature. */
const DATA_TABLES = new Set<string>([
  "core-broker/controller/configs/broker-keys.ts",
  "core-broker/controller/configs/topic-keys.ts",
  "connectors/cdc/shared-keys.ts",
]);
const lines = (text: string): number => text.split("\n").length - 1;

function looseTypes(text: string): string[] {
  return [/(?::\s*|<)any\s*[;,)=|[>{]/, /\bas any\b/, /@ts-(ignore|expect-error|nocheck)/, /\bas unknown as\b/]
    .filter((r) => r.test(stripComments(text)))
    .map(String);
}
const stripComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/.*$|"(?:[^"\\\n]|\\.)*"/gm, (m) =>
    m.startsWith('"') ? '""' : m.includes("@ts-") ? m : "",
  );

const DATABASES = ["connectors/postgres/", "connectors/mysql/", "connectors/sqlserver/"];
/** What is left at this size is glue: constructors of tasks, guards before a query. */
const CLONE_TOKENS_MIN = 60;

describe("the checks can fail", () => {
  test("clones", () => {
    const text = read("connectors/postgres/position.ts");
    const planted = text.replaceAll("/** ", "/** Other words: ").replaceAll("\n", "\n\n");
    const found = clones(
      [
        ["connectors/postgres/position.ts", text],
        ["connectors/mysql/x.ts", planted],
      ],
      CLONE_TOKENS_MIN,
    );
    expect(found).toHaveLength(1);
    expect(found[0]?.tokens).toBeGreaterThan(500);
    expect(
      clones(
        [
          ["connectors/mysql/a.ts", text],
          ["connectors/mysql/b.ts", text],
        ],
        CLONE_TOKENS_MIN,
      ),
    ).toEqual([]);
  });
  test("layers", () => {
    expect(layerOffences("connectors/mysql/x.ts", 'import { a } from "#connectors/postgres/y";')).toHaveLength(1);
    expect(layerOffences("core-broker/protocol/x.ts", 'import { a } from "../log/y.ts";')).toHaveLength(1);
    expect(layerOffences("connect-runtime/api/x.ts", 'import { a } from "../../core-broker/base/clock.ts";')).toHaveLength(2);
    expect(layerOffences("connect-runtime/worker/x.ts", 'await import("#broker/log/segment");')).toHaveLength(1);
  });
  test("loose types", () => {
    expect(looseTypes("const a: any = 1;")).toHaveLength(1);
    expect(looseTypes("// @ts-ignore\nfoo();")).toHaveLength(1);
    expect(looseTypes("// in any case\nconst a = 'any';")).toHaveLength(0);
  });
});

describe("tidy", () => {
  test("what two of the three database connectors share stands once, in connectors/cdc", () => {
    const files = sources.filter((p) => [...DATABASES, "connectors/cdc/"].some((folder) => p.startsWith(folder)));
    expect(DATABASES.every((folder) => files.filter((p) => p.startsWith(folder)).length > 20)).toBe(true);
    expect(
      clones(
        files.map((p) => [p, read(p)]),
        CLONE_TOKENS_MIN,
      ),
    ).toEqual([]);
  });
  test("layers", () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap((p) => layerOffences(p, read(p)))).toEqual([]);
  });
  test("no file above the cap, median at most 120 lines", () => {
    expect(sources.filter((p) => !DATA_TABLES.has(p) && lines(read(p)) > LINES_MAX)).toEqual([]);
    const sizes = sources.map((p) => lines(read(p))).sort((a, b) => a - b);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(120);
  });
  test("no loose types, no unconditional skips", () => {
    expect(sources.flatMap((p) => looseTypes(read(p)).map((l) => `${p} ${l}`))).toEqual([]);
    const skipped = tracked.filter(
      (p) => p.endsWith(".test.ts") && !p.endsWith("tidy.test.ts") && /\b(test|it|describe)\.(only|todo|skip)\(/.test(read(p)),
    );
    expect(skipped).toEqual([]);
  });
  test("no drawers without a name", () => {
    expect(sources.filter((p) => /(^|\/)(utils?|common|helpers?|misc|core)(\/|\.ts$)/.test(p))).toEqual([]);
  });
  test("every dependency has its line in docs/dependencies.md", () => {
    const manifest: unknown = JSON.parse(read("package.json"));
    const doc = read("docs/dependencies.md");
    const names = ["dependencies", "devDependencies"].flatMap((k) => Object.keys(Reflect.get(Object(manifest), k) ?? {}));
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((n) => !doc.includes(`| ${n} |`))).toEqual([]);
  });
  test("ARCHITECTURE.md names every folder of the second level", () => {
    const doc = read("ARCHITECTURE.md");
    const folders = new Set(sources.filter((p) => p.split("/").length > 2).map((p) => p.split("/").slice(0, 2).join("/")));
    expect([...folders].filter((f) => !doc.includes(`${f.split("/")[1]}/`))).toEqual([]);
  });
});
