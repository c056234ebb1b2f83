/** Who holds a data folder: a living process, not one that was killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemRandom } from "#broker/base/random";
import { type DataFolder, openDataFolders } from "#broker/data-folder";

let path: string;
let child: ChildProcess | null = null;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "millrace-folder-"));
});
afterEach(() => {
  child?.kill("SIGKILL");
  child = null;
  rmSync(path, { recursive: true });
});
const open = (): readonly DataFolder[] => openDataFolders({ paths: [path], nodeId: 1, clusterId: null, random: systemRandom });
/** Runs a shell that prints a process id; resolves with it. */
function printedPid(script: string): Promise<number> {
  const started = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  child = started;
  return new Promise((resolve, reject) => {
    started.once("error", reject);
    started.stdout.once("data", (text: Buffer) => resolve(Number(text.toString().trim())));
  });
}

test("a folder in use is refused, with the holder", () => {
  const folders = open();
  expect(open).toThrow(`Data folder ${path} is in use by process ${process.pid}`);
  for (const folder of folders) folder.unlock();
  expect(existsSync(join(path, ".lock"))).toBe(false);
});
test("the lock of a process that is gone is taken over", () => {
  writeFileSync(join(path, ".lock"), "999999999 1\n");
  const folders = open();
  expect(readFileSync(join(path, ".lock"), "utf8")).toMatch(new RegExp(`^${process.pid} `));
  for (const folder of folders) folder.unlock();
});
test.skipIf(!existsSync("/proc/self/stat"))("so is that of a killed process that nobody has reaped (skipped without /proc)", async () => {
  const pid = await printedPid("sleep 0.3 & echo $!; exec sleep 20");
  const stat = (): string => readFileSync(`/proc/${pid}/stat`, "utf8");
  await expect.poll(stat).toMatch(/\) Z /);
  const start = stat()
    .slice(stat().lastIndexOf(")") + 2)
    .split(" ")[19];
  writeFileSync(join(path, ".lock"), `${pid} ${start}\n`);
  for (const folder of open()) folder.unlock();
});
test("a living process keeps its lock", async () => {
  const pid = await printedPid("echo $$; exec sleep 20");
  writeFileSync(join(path, ".lock"), `${pid} \n`);
  expect(open).toThrow(/is in use by process/);
});
