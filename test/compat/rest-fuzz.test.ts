/**
 * REST against schemathesis, a property-based tester that reads the OpenAPI: whatever is sent, the answer is one that the
 * description has, never a 5xx, never a hang. Twice: with names as they come, and with those of a connector that is there.
 */
import { execFile, execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningConnect } from "#connect/connect";
import { connectCluster, type ConnectCluster, rest } from "../fakes/connect-cluster.ts";

/** From SCHEMATHESIS or the PATH; null: it is not there. */
function tester(): string | null {
  const command = process.env["SCHEMATHESIS"] ?? "schemathesis";
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return command;
  } catch {
    return null;
  }
}
const command = tester();
const why = "schemathesis is not there: pip install schemathesis, and put it on the PATH or name it in SCHEMATHESIS";
const CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance";
let cluster: ConnectCluster;
let worker: RunningConnect;

beforeAll(async () => {
  cluster = await connectCluster();
  worker = await cluster.join();
  await writeFile(join(cluster.folder, "in.txt"), "one\ntwo\n");
  const config = { "connector.class": "FileStreamSource", file: join(cluster.folder, "in.txt"), topic: "fuzzed" };
  expect((await rest(worker.url, "POST", "/connectors", { name: "known", config })).status).toBe(201);
  const parameters = { name: '"known"', task: "0", plugin: '"FileStreamSource"', logger: '"root"' };
  const lines = Object.entries(parameters).map(([name, value]) => `"path.${name}" = ${value}`);
  await writeFile(join(cluster.folder, "known.toml"), `[parameters]\n${lines.join("\n")}\n`);
});
afterAll(() => cluster.close());

function fuzz(before: readonly string[], after: readonly string[]): Promise<{ code: number; text: string }> {
  const args = [...before, "run", `${worker.url}/openapi.json`, "--checks", CHECKS, "--phases", "coverage,fuzzing", ...after];
  return new Promise((resolve) => {
    execFile(
      command ?? "",
      [...args, "--max-examples", "8", "--max-time", "40", "--request-timeout", "30", "--seed", "7", "--no-color"],
      { cwd: cluster.folder, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, text: stdout + stderr }),
    );
  });
}
test("names as they come", async (context) => {
  if (command === null) return context.skip(why);
  const { code, text } = await fuzz([], []);
  expect(code, text.slice(-8_000)).toBe(0);
  expect(text).toMatch(/[1-9]\d{2,} generated/);
});
test("a connector that is there", async (context) => {
  if (command === null) return context.skip(why);
  const { code, text } = await fuzz(["--config-file", "known.toml"], ["--exclude-method", "DELETE"]);
  expect(code, text.slice(-8_000)).toBe(0);
  expect((await rest(worker.url, "GET", "/")).status).toBe(200);
});
