/** Every failure that a connector ends with is told about, with what to do next: in docs/errors.md or on a connector's page. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDoc, ROOT } from "./generated.ts";

/** What is thrown for good; what may pass is tried again and needs nobody. */
const THROWN = /new (?:SourceError|ConnectError|DataError)\(\s*([`"])((?:\\.|(?!\1)[^\\])*)\1/g;

/** Of a message the first piece of its first line that is the same each time; the docs quote no more than its beginning. */
function constantPart(literal: string): string {
  const [line = ""] = literal.split(/\\n|\n/);
  const pieces = line.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/).map((p) => p.trim());
  return (pieces.find((p) => p.length >= 12) ?? pieces.reduce((a, b) => (b.length > a.length ? b : a), "")).slice(0, 50);
}
const thrown = (source: string): string[] => Array.from(source.matchAll(THROWN), (m) => constantPart(m[2] ?? ""));
/** Messages that are another one's, wrapped. */
const wraps = (part: string): boolean => part.length < 8;

const files = readdirSync(join(ROOT, "connectors"), { recursive: true, encoding: "utf8" }).filter((p) => p.endsWith(".ts"));
const docs = ["docs/errors.md", ...readdirSync(join(ROOT, "docs/connectors")).map((p) => `docs/connectors/${p}`)].map(readDoc).join("\n");

test("the parts of a message are found", () => {
  const template = ["Slot $", "{at.join()} is lost: see there\\nmore"].join("");
  expect(thrown(`throw new SourceError(\`${template}\`, { cause })`)).toEqual(["is lost: see there"]);
  expect(thrown('new ConnectError(\n  "Offset position is the incorrect type",\n)')).toEqual(["Offset position is the incorrect type"]);
  expect(docs.includes("is lost: see there")).toBe(false);
});
test("each stands in the docs", () => {
  const all = files.flatMap((path) => thrown(readFileSync(join(ROOT, "connectors", path), "utf8")).map((part) => ({ path, part })));
  expect(all.length).toBeGreaterThan(35);
  expect(all.filter(({ part }) => !wraps(part) && !docs.includes(part))).toEqual([]);
});
