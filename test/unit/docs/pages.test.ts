/** Links between the pages lead somewhere, and the connectors shown as examples are accepted. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RawConfig } from "#connect/api/config";
import { catalog, pluginNames } from "#connect/catalog/catalog";
import { findingsOf } from "#connect/catalog/config-infos";
import { connectorKeys, SINK_KEYS, SOURCE_KEYS } from "#connect/catalog/connector-keys";
import { readDoc, ROOT } from "./generated.ts";

const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".md"))
    .map((f) => join("docs", f)),
];
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

test("links lead to files and headings that are there", () => {
  const broken = pages.flatMap((page) =>
    Array.from(readDoc(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)).flatMap(([, path = "", anchor]) => {
      const target = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, target))) return [`${page}: ${path}`];
      const headings = anchor === undefined ? [] : Array.from(readDoc(target).matchAll(/^#+ (.*)$/gm), (m) => anchorOf(m[1] ?? ""));
      return anchor === undefined || headings.includes(anchor) ? [] : [`${page}: ${path}#${anchor}`];
    }),
  );
  expect(broken).toEqual([]);
});

/** Keys that no declaration lists: settings of the parts that a connector names, and Debezium's undeclared ones. */
const BESIDE =
  /^(transforms|predicates|schema\.history\.internal\.kafka|(key|value|header)\.converter|topic\.creation|(producer|consumer|admin)\.override)\./;
async function problems(config: RawConfig): Promise<readonly string[]> {
  const plugin = await catalog.connector(config["connector.class"] ?? "");
  if (plugin === null) return [`no connector ${config["connector.class"]}`];
  const common = connectorKeys({ names: await pluginNames(), connectorVersion: null, worker: null });
  const known = [...common, ...(plugin.kind === "source" ? SOURCE_KEYS : SINK_KEYS), ...plugin.config];
  const names = new Set(known.map((k) => k.name));
  return [
    ...Object.keys(config).filter((k) => !names.has(k) && !BESIDE.test(k)),
    ...[...findingsOf(known, config).values()].flatMap((f) => f.errors),
  ];
}
describe("examples", () => {
  const examples = pages.flatMap((page) =>
    Array.from(readDoc(page).matchAll(/```json\n([\s\S]*?)```/g), (m) => ({ page, text: m[1] ?? "" })).filter((e) =>
      e.text.includes("connector.class"),
    ),
  );
  test("there are some", () => expect(examples.length).toBeGreaterThanOrEqual(4));
  test.each(examples)("connector in $page", async ({ text }) => {
    const parsed: { readonly name: string; readonly config: RawConfig } = JSON.parse(text);
    expect(await problems({ ...parsed.config, name: parsed.name })).toEqual([]);
  });
});
