/**
 * Compaction on a machine that dies in the middle of it, from a seed: the last value of each key is there afterwards, no older value
 * comes back from under a tombstone, and every record stands at the offset that it was given.
 */
import { describe, expect, it } from "vitest";
import type { Random } from "#broker/base/random";
import { DiskFault, MemoryDisk } from "#broker/log/store/memory";
import { batches } from "#broker/protocol/records/batch";
import type { LocalPartition } from "#broker/replication/partition";
import { batchOf, contents, openManager, type Opened, TestClock, TOPIC_ID } from "../unit/log/fixture.ts";
import { seeded } from "./seeded-random.ts";

const SEEDS = Number(process.env["LOG_SEEDS"] ?? 120);
const HORIZON_MS = 60_000;
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

class Run {
  readonly random: Random;
  readonly clock = new TestClock();
  readonly config: Record<string, string>;
  readonly lines: string[] = [];
  disk = new MemoryDisk();
  opened: Opened | null = null;
  constructor(seed: number) {
    this.random = seeded(seed);
    this.config = {
      "cleanup.policy": "compact",
      "segment.bytes": String(300 + this.random.below(600)),
      "index.interval.bytes": "100",
      "min.cleanable.dirty.ratio": "0.01",
      "delete.retention.ms": String(HORIZON_MS),
      "flush.messages": "1",
    };
  }
  async open(): Promise<LocalPartition> {
    this.opened = await openManager({ disk: this.disk, clock: this.clock, topicConfig: this.config });
    return this.opened.manager.create("t", 0, { topicId: TOPIC_ID, config: this.config }) as LocalPartition;
  }
  append(partition: LocalPartition): void {
    const records = Array.from({ length: 1 + this.random.below(4) }, () => ({
      key: `k${this.random.below(6)}`,
      value: this.random.below(4) === 0 ? null : `v${this.lines.length}`,
      timestampMs: this.clock.now(),
    }));
    partition.append(batchOf(records, {}, CODECS[this.random.below(5)] ?? "none"), { origin: "client" });
    for (const { key, value } of records) this.lines.push(`${this.lines.length}:${key}=${value ?? "∅"}`);
  }
  armDeath(): void {
    let left = 1 + this.random.below(60);
    this.disk.fault = (_operation, path) => {
      if (--left <= 0) throw new DiskFault("EDEAD", path, left === 0 ? this.random.below(100) / 100 : 0);
    };
  }
  check(partition: LocalPartition): void {
    const seen = readAll(partition);
    for (const line of seen) expect(line).toBe(this.lines[Number(line.slice(0, line.indexOf(":")))]);
    expect(partition.logEndOffset).toBe(this.lines.length);
    const [expected, found] = [lastPerKey(this.lines), lastPerKey(seen)];
    for (const [key, line] of expected) if (!line.endsWith("=∅") || found.has(key)) expect(found.get(key)).toBe(line);
  }
}
function lastPerKey(lines: readonly string[]): Map<string, string> {
  return new Map(lines.map((line) => [line.slice(line.indexOf(":") + 1, line.indexOf("=")), line]));
}
function readAll(partition: LocalPartition): string[] {
  const lines: string[] = [];
  for (let offset = partition.logStartOffset; offset < partition.logEndOffset; ) {
    const { records } = partition.read({ offset, maxBytes: 300, minOneMessage: true, isolation: "read_uncommitted" });
    if (records.length === 0) break;
    lines.push(...contents(records).filter((line) => Number(line.split(":")[0]) >= offset));
    for (const { header } of batches(records)) offset = header.baseOffset + header.lastOffsetDelta + 1;
  }
  return lines;
}

async function simulate(seed: number): Promise<void> {
  const run = new Run(seed);
  let partition = await run.open();
  for (let round = 0; round < 6; round++) {
    for (let i = run.random.below(25); i >= 0; i--) run.append(partition);
    if (run.random.below(3) === 0) run.clock.advance(HORIZON_MS + 1);
    const dies = run.random.below(3) > 0;
    if (dies) run.armDeath();
    await run.opened?.manager.tasks.runCleaner();
    if (!dies) {
      run.check(partition);
      if (run.random.below(2) === 0) continue;
    }
    if (run.random.below(4) === 0) run.opened?.manager.tasks.writeCheckpoints();
    run.disk = run.disk.crash(run.random.below(2) === 0 ? "kill" : "power", run.random);
    partition = await run.open();
    run.check(partition);
  }
}

describe("compaction under crashes", () => {
  const CHUNK = 50;
  for (let from = 1; from <= SEEDS; from += CHUNK) {
    it(`seeds ${from} to ${Math.min(from + CHUNK - 1, SEEDS)}`, async () => {
      for (let seed = from; seed < from + CHUNK && seed <= SEEDS; seed++) {
        await simulate(seed).catch((error: unknown) => {
          throw new Error(`seed ${seed}`, { cause: error });
        });
      }
    });
  }
});
