/** Every recorded case that is waived is told about in docs/differences.md. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDoc, ROOT } from "./generated.ts";

test("waived cases stand in docs/differences.md", () => {
  const file = join(ROOT, "test/golden/waivers.json");
  const waivers: readonly { readonly case: string; readonly reason: string }[] = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : [];
  const doc = readDoc("docs/differences.md");
  expect(waivers.filter((w) => !doc.includes(`\`${w.case}\``)).map((w) => w.case)).toEqual([]);
  expect(waivers.filter((w) => w.reason.trim() === "")).toEqual([]);
});
