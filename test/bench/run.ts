/**
 * `npm run bench -- [suite …]`: runs test/bench/<suite>/run.ts of each suite that is named, one after the other; without a name, of all
 * that there are. What a suite measures, and the variables that shrink it, stand at the head of its run.ts.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const suiteFile = (suite: string): string => join(import.meta.dirname, suite, "run.ts");
const suites = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(suiteFile(entry.name)))
  .map((entry) => entry.name)
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((suite) => !suites.includes(suite));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(", ")}; there are ${suites.join(", ")}`);
  process.exit(2);
}
for (const suite of wanted.length > 0 ? wanted : suites) {
  console.log(`\n== ${suite} ==`);
  const { status, signal } = spawnSync(process.execPath, [suiteFile(suite)], { stdio: "inherit" });
  if (status !== 0) {
    console.error(`${suite} ended with ${status ?? signal}`);
    process.exitCode = 1;
  }
}
