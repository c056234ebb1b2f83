/** A hundred calls of the Java Admin client, most at the edge of what a broker takes: Apache Kafka answers the same. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startBroker } from "#broker/broker";
import { compileJava } from "../peers/java.ts";
import { startKafka } from "../peers/kafka.ts";
import { freePorts } from "../peers/ports.ts";

const java = compileJava("AdminSweep");
const [PORT = 0] = await freePorts(20);

/**
 * Lines that may differ: the first level of a logger, folders' contents, waits of a quota (by seconds), and min.insync.replicas of a broker,
 * which Kafka 4.1 refuses for the sake of eligible leader replicas, which one node does not have.
 */
const APART = /^(logger root -> ConfigEntry|log dirs|then refused|partitions refused|delete refused|retried|broker min\.insync\.replicas)/;
const comparable = (out: string, folders: readonly string[]): string[] => {
  let text = out;
  for (const [i, folder] of folders.entries()) text = text.replaceAll(folder, `<folder ${i}>`);
  const lines = text.trim().split("\n");
  return lines.filter((line, i) => !APART.test(line) && !(lines[i - 1] ?? "").startsWith("broker min.insync.replicas"));
};
function sweep(bootstrap: string, folder: string): Promise<string> {
  const child = spawn("java", [...java.options, "AdminSweep", bootstrap, folder], { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once("exit", () => resolve(out));
  });
}
async function overOurs(): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), "sweep-"));
  const folders = [join(root, "d1"), join(root, "d2")];
  const broker = await startBroker({
    "process.roles": "broker,controller",
    "node.id": "1",
    listeners: `PLAINTEXT://127.0.0.1:${PORT}`,
    "log.dirs": folders.join(","),
  });
  const out = await sweep(`127.0.0.1:${PORT}`, folders[1] ?? "");
  await broker.close();
  rmSync(root, { recursive: true, force: true });
  return comparable(out, folders);
}
async function overApache(): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), "sweep-"));
  const folders = [join(root, "d1"), join(root, "d2")];
  const { kafka, reason } = await startKafka({ port: PORT + 10, properties: { "log.dirs": folders.join(",") } });
  if (kafka === null) throw new Error(reason);
  const out = await sweep(kafka.bootstrap, folders[1] ?? "");
  await kafka.stop();
  rmSync(root, { recursive: true, force: true });
  return comparable(out, folders);
}

describe.skipIf(java.reason !== "")(`the Admin client ${java.reason}`, () => {
  test("is answered as by Apache Kafka", { timeout: 240_000 }, async () => {
    const ours = await overOurs();
    expect(ours.length).toBeGreaterThan(80);
    expect(ours).toEqual(await overApache());
  });
});
