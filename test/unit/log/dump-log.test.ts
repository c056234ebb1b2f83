/**
 * Kafka's own DumpLogSegments reads every file that we write, and its index checks find nothing. Needs a JVM and the jars of Kafka 4.1:
 * KAFKA_LIBS names their folder.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { batchOf, fileDisk, openManager, TOPIC_ID, values } from "./fixture.ts";

const libs = process.env["KAFKA_LIBS"] ?? join(homedir(), ".cache/anchors/mvn/kafka-libs");
const missing = !existsSync(libs)
  ? `no Kafka jars in ${libs} (set KAFKA_LIBS to Kafka's libs folder)`
  : spawnSync("java", ["-version"]).error !== undefined
    ? "no java on the PATH"
    : null;

function dump(directory: string, ...options: string[]): string {
  const files = readdirSync(directory).filter((name) => /\.(log|index|timeindex|txnindex|snapshot)$/.test(name));
  const list = files.map((name) => join(directory, name)).join(",");
  return execFileSync("java", ["-cp", `${libs}/*`, "kafka.tools.DumpLogSegments", "--files", list, ...options], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "pipe"],
  });
}
const PROBLEM = /mismatch|exception|isvalid: false|found|corrupt|invalid/i;
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

describe.skipIf(missing !== null)(`kafka-dump-log reads our files${missing === null ? "" : `: skipped, ${missing}`}`, () => {
  it("segments, indexes, aborted transactions, producer snapshots, all codecs", async () => {
    const dir = mkdtempSync(join(tmpdir(), "millrace-dump-"));
    const { manager, clock } = await openManager({ disk: fileDisk, dirs: [dir] });
    const partition = manager.create("t", 0, { topicId: TOPIC_ID, config: { "segment.bytes": "20000" } });
    for (let i = 0; i < 500; i++) {
      const nowMs = clock.now();
      const producer = i % 3 === 0 ? { producerId: 7, producerEpoch: 0, baseSequence: (i / 3) * 2 } : {};
      const records = [
        { key: `k${i}`, value: "v".repeat(50), timestampMs: nowMs },
        { key: "b", value: null, timestampMs: nowMs - 5 },
      ];
      partition.append(batchOf(records, producer, CODECS[i % 5] ?? "none"), { origin: "client" });
      clock.advance(1000);
    }
    for (let i = 0; i < 6; i++) {
      const producer = { producerId: 9, producerEpoch: 0, baseSequence: i, transactional: true };
      partition.append(batchOf(values(`t${i}`), producer), { origin: "client" });
      partition.appendEndTransactionMarker({ producerId: 9, producerEpoch: 0, coordinatorEpoch: 3, committed: i % 2 === 0 });
    }
    await manager.close();
    const text = dump(join(dir, "t-0"), "--deep-iteration", "--print-data-log");
    expect(text).not.toMatch(PROBLEM);
    expect(text.match(/keySize: /g)).toHaveLength(1000 + 6 + 6);
    expect(text.match(/endTxnMarker: (COMMIT|ABORT) coordinatorEpoch: 3/g)).toHaveLength(6);
    expect(text.match(/version: 0 producerId: 9 firstOffset: /g)).toHaveLength(3);
    expect(text).toContain("producerId: 9 producerEpoch: 0 coordinatorEpoch: 3");
    expect(dump(join(dir, "t-0"), "--index-sanity-check")).not.toMatch(/mismatch|exception|corrupt|invalid/i);
    rmSync(dir, { recursive: true, force: true });
  });

  it("compacted segments, with tombstones and their delete horizon, and recovered ones", async () => {
    const dir = mkdtempSync(join(tmpdir(), "millrace-dump-"));
    const config = {
      "cleanup.policy": "compact",
      "segment.bytes": "3000",
      "min.cleanable.dirty.ratio": "0.01",
      "index.interval.bytes": "200",
    };
    const { manager, clock } = await openManager({ disk: fileDisk, dirs: [dir] });
    const partition = manager.create("t", 0, { topicId: TOPIC_ID, config });
    for (let i = 0; i < 300; i++) {
      const records = [
        { key: `k${i % 40}`, value: i % 7 === 0 ? null : `v${i}`, timestampMs: clock.now() },
        { key: `once${i}`, value: `w${i}`, timestampMs: clock.now() },
      ];
      const producer = i % 10 === 0 ? { producerId: i, producerEpoch: 0, baseSequence: 0 } : {};
      partition.append(batchOf(records, producer, CODECS[i % 5] ?? "none"), { origin: "client" });
      clock.advance(10);
    }
    expect(await manager.tasks.runCleaner()).toBe(1);
    // No clean shutdown: the next start scans and makes the indexes again.
    const again = await openManager({ disk: fileDisk, dirs: [dir], topicConfig: config });
    expect(again.manager.get("t", 0)?.log.scannedSegments).toBeGreaterThan(0);
    await again.manager.close();
    const text = dump(join(dir, "t-0"), "--deep-iteration");
    expect(text).not.toMatch(PROBLEM);
    expect(text).toMatch(/deleteHorizonMs: OptionalLong\[\d+\]/);
    expect(text.match(/\| offset: /g)?.length).toBeLessThan(600);
    rmSync(dir, { recursive: true, force: true });
  });
});
