/** docs/transforms.md lists what plugins/index.ts has, class by class. */
import { describe, test } from "vitest";
import type { ConfigDef } from "#connect/api/config";
import { configProviders, converters, headerConverters, predicates, transforms } from "#plugins/index";
import { code, expectTable, withProse } from "./generated.ts";

const DOC = "docs/transforms.md";
interface Listed {
  readonly classes: readonly string[];
  readonly config?: ConfigDef;
}
function expectPlugins(name: string, plugins: readonly Listed[]): void {
  const rows = plugins
    .map((p) => [
      p.classes
        .toSorted((a, b) => a.localeCompare(b))
        .map(code)
        .join("<br>"),
      (p.config ?? []).map((k) => (k.default === undefined ? `**${code(k.name)}**` : code(k.name))).join(", "),
    ])
    .toSorted((a, b) => (a[0] ?? "").localeCompare(b[0] ?? ""));
  expectTable(DOC, name, ["class", "settings (required ones in bold)", "what it does"], withProse(DOC, name, rows));
}
function expectClasses(name: string, plugins: readonly Listed[]): void {
  const rows = plugins.flatMap((p) => p.classes).map((c) => [code(c)]);
  expectTable(DOC, name, ["class", "what it does"], withProse(DOC, name, rows));
}

describe("docs/transforms.md", () => {
  test("transforms", () => expectPlugins("transforms", transforms));
  test("predicates", () => expectPlugins("predicates", predicates));
  test("converters", () => expectPlugins("converters", converters));
  test("header converters", () => expectPlugins("header converters", headerConverters));
  test("config providers", () => expectClasses("config providers", configProviders));
});
