/** Every recorded case that is waived is told about in docs/differences.md. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDoc, ROOT } from "./generated.ts";

test("waived cases stand in docs/differences.md", () => {
  const waivers = ["waivers.json", "waivers-newest.json"].flatMap((name): readonly { readonly case: string; readonly reason: string }[] =>
    JSON.parse(readFileSync(join(ROOT, "test/golden", name), "utf8")),
  );
  const doc = readDoc("docs/differences.md");
  expect(waivers.filter((w) => !doc.includes(`\`${w.case}\``)).map((w) => w.case)).toEqual([]);
  expect(waivers.filter((w) => w.reason.trim() === "")).toEqual([]);
});
