/** kill -9 of a process that appends and compacts, at seeded moments: nothing acknowledged is lost, offsets stay dense. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { batches } from "#broker/protocol/records/batch";
import type { LocalPartition } from "#broker/replication/partition";
import { seeded } from "../simulation/seeded-random.ts";
import { contents, fileDisk, openManager } from "../unit/log/fixture.ts";

const ROUNDS = 8;

/** Runs the writer until it is killed; resolves to the lines that it got out. */
function writeUntilKilled(directory: string, afterMs: number): Promise<string[]> {
  const script = join(import.meta.dirname, "log-writer.ts");
  const child = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    if (output === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
    output += text;
  });
  return new Promise((resolve) => child.on("close", () => resolve(output.split("\n").slice(0, -1))));
}
function readAll(partition: LocalPartition): string[] {
  const lines: string[] = [];
  for (let offset = partition.logStartOffset; offset < partition.logEndOffset; ) {
    const { records } = partition.read({ offset, maxBytes: 1 << 20, minOneMessage: true, isolation: "read_uncommitted" });
    if (records.length === 0) break;
    lines.push(...contents(records).filter((line) => Number(line.split(":")[0]) >= offset));
    for (const { header } of batches(records)) offset = header.baseOffset + header.lastOffsetDelta + 1;
  }
  return lines;
}

it(`loses nothing over ${ROUNDS} kills`, { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-kill-"));
  const random = seeded(20_251_121);
  const last = new Map<string, string>();
  let acknowledged = -1;
  for (let round = 0; round < ROUNDS; round++) {
    for (const line of await writeUntilKilled(directory, 30 + random.below(400))) {
      const [topic, a = "", b = ""] = line.split(" ");
      if (topic === "plain") acknowledged = Math.max(acknowledged, Number(a));
      else last.set(a, b);
    }
    const { manager } = await openManager({ disk: fileDisk, dirs: [directory], topicConfig: { "segment.bytes": "30000" } });
    const plain = manager.get("plain", 0);
    const compacted = manager.get("compacted", 0);
    if (plain === undefined || compacted === undefined) throw new Error("a partition is missing");
    expect(plain.logEndOffset).toBeGreaterThan(acknowledged);
    expect(readAll(plain)).toEqual(Array.from({ length: plain.logEndOffset }, (_, i) => `${i}:k${i}=v${i}`));
    expect(plain.describeProducers()).toMatchObject([{ producerId: 1, lastSequence: plain.logEndOffset - 1 }]);
    const found = new Map(
      readAll(compacted).map((line) => [line.slice(line.indexOf(":") + 1, line.indexOf("=")), line.slice(line.indexOf("=v") + 2)]),
    );
    for (const [key, value] of last) expect(Number(found.get(key))).toBeGreaterThanOrEqual(Number(value.slice(1)));
    // Left as it is, without a clean shutdown: the next writer recovers as well.
    for (const { log } of manager.all()) log.close(false);
  }
  expect(acknowledged).toBeGreaterThan(100);
  rmSync(directory, { recursive: true, force: true });
});
